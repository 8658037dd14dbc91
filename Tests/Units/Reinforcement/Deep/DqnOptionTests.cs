using Microsoft.ML;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Tensors;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Options that cannot be, and environments that lie.</summary>
[TestClass]
public sealed class DqnOptionTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow("DiscountFactor is 0; it must be greater than 0 and at most 1")]
    [DataRow("DiscountFactor is 1.1")]
    [DataRow("ReturnSteps is 0")]
    [DataRow("TargetUpdateRate is 0")]
    [DataRow("TargetUpdateInterval is 0")]
    [DataRow("StepsPerEpoch is 0")]
    [DataRow("ReplayCapacity is 60")]
    [DataRow("LearningStarts is -1")]
    [DataRow("TrainingInterval is 0")]
    [DataRow("GradientSteps is 0")]
    [DataRow("InitialEpsilon is 2")]
    [DataRow("FinalEpsilon is NaN")]
    [DataRow("EpsilonDecayFraction is -1")]
    [DataRow("PriorityExponent is 2")]
    [DataRow("PriorityCorrection is 2")]
    [DataRow("EvaluationEpisodes is -1")]
    [DataRow("EvaluationMaximumSteps is 0")]
    [DataRow("ConservativeWeight is -1")]
    [DataRow("InputDivisor is 0")]
    [DataRow("ValidationFraction is 0.2")]
    public void WrongOption_IsNamed(string message)
    {
        var (name, value) = (message.Split(' ')[0], message.Split(' ')[2].TrimEnd(';'));
        var options = new DqnEstimator.Options();
        var property = typeof(DqnEstimator.Options).GetProperty(name)!;
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        property.SetValue(options, Convert.ChangeType(value, type, System.Globalization.CultureInfo.InvariantCulture));
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ml.ReinforcementLearning.Trainers.Dqn(options));
        Assert.Contains(message, error.Message);
        Assert.AreEqual(name, error.ParamName);
    }

    [TestMethod]
    public void WrongLayers_AreNamed()
    {
        Refused("Layers: the network for Corridor is not possible: Layer 'layers.0'", new() { Layers = [new ConvolutionLayer(4, 3), new DenseLayer()] });
        Refused("the last layer returns 3; it must return a vector of 2", new() { Layers = [new DenseLayer(3)] });
        Refused("is batch normalization", new() { Layers = [new DenseLayer(3), new BatchNormalizationLayer(), new DenseLayer()] });
        Refused("does not end with a DenseLayer", new() { Layers = [new DenseLayer(2)], Dueling = true });

        static void Refused(string message, DqnEstimator.Options options) =>
            Assert.Contains(message, Assert.ThrowsExactly<ArgumentException>(() => DqnTests.Fit(new Corridor(), options)).Message);
    }

    [TestMethod]
    public void Environments_MustBeOfTheSameKind() =>
        Assert.Contains("They must be the same", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.Dqn().Fit(new Corridor(), EnvironmentRegistry.Make("CartPole-v1"))).Message);

    [TestMethod]
    public void WhatAnEnvironmentMustNotShow_IsNamed()
    {
        var options = DqnTests.Options(1);
        options.EvaluationEpisodes = 0;
        Assert.Contains("Corridor, episode 1, step 2: value 1 of the observation is NaN", Assert.ThrowsExactly<FormatException>(() => DqnTests.Fit(new Liar(new Corridor(), step => step with { Observation = new[] { 0, float.NaN, 0, 0, 0 } }), options)).Message);
        Assert.Contains("the observation has 2 values", Assert.ThrowsExactly<FormatException>(() => DqnTests.Fit(new Liar(new Corridor(), step => step with { Observation = new float[2] }), options)).Message);
        Assert.Contains("the mask allows no action", Assert.ThrowsExactly<FormatException>(() => DqnTests.Fit(new Liar(new Corridor(), step => step with { ActionMask = new bool[2] }), options)).Message);
        Assert.Contains("the reward is NaN", Assert.ThrowsExactly<FormatException>(() => DqnTests.Fit(new Liar(new Corridor(), step => step with { Reward = double.NaN }), options)).Message);
    }

    /// <summary>What a replay buffer takes is known before it is taken.</summary>
    [TestMethod]
    public void ReplayBuffer_ThatDoesNotFit_IsRefusedAtOnce()
    {
        var options = new DqnEstimator.Options { ReplayCapacity = 1 << 30, Layers = DqnLayers.Perceptron(4) };
        MachineMemory.Assumed = 1_000_000_000;
        try
        {
            var error = Assert.ThrowsExactly<ArgumentException>(() => DqnTests.Fit(new Corridor(), options));
            Assert.Contains("ReplayCapacity is 1073741824: the replay buffer of Corridor would take 37.6 GB", error.Message);
            Assert.AreEqual("ReplayCapacity", error.ParamName);
        }
        finally
        {
            MachineMemory.Assumed = null;
        }
        // A million steps of four stacked images of 84 x 84 pixels, each kept once, in bytes.
        Assert.AreEqual(7.1, new ReplayFormat(84 * 84, 4, ReplayStorage.Byte, true, 4, false).Bytes(1_000_000) / 1e9, .05);
    }

    /// <summary>Lies in the second step, which is never the last one.</summary>
    private sealed class Liar(IEnvironment inner, Func<EnvironmentStep, EnvironmentStep> lie) : EnvironmentWrapper(inner)
    {
        private int _steps;

        public override EnvironmentStep Step(int action) => ++_steps == 2 ? lie(base.Step(action)) : base.Step(action);
    }
}
