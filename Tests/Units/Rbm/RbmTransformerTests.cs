using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Rbm;

/// <summary>What a trained machine offers.</summary>
[TestClass]
public sealed class RbmTransformerTests
{
    private static readonly MLContext Ml = new(TestSeed.Of(1));

    [TestMethod]
    public void Columns_AgreeWithTheMethods()
    {
        var rows = RbmSample.Bars(100);
        using var machine = RbmSample.Fit(rows, o => (o.Epochs, o.ReconstructionColumnName, o.FreeEnergyColumnName) = (5, "Reconstruction", "FreeEnergy"));
        var data = RbmSample.View(Ml, rows);
        var view = machine.Transform(data);
        Assert.AreEqual(12, ((VectorDataViewType)view.Schema["Hidden"].Type).Size);
        Assert.AreEqual(NumberDataViewType.Single, view.Schema["FreeEnergy"].Type);
        var reconstructions = view.GetColumn<float[]>("Reconstruction").ToArray();
        for (var row = 0; row < rows.Length; row++)
            Contract.Outcome.AssertClose(machine.Reconstruct(rows[row].Features), reconstructions[row], 1e-5);
        Assert.AreEqual(machine.FreeEnergy(data), view.GetColumn<float>("FreeEnergy").Average(), 1e-4);
        CollectionAssert.AreEqual(machine.GetOutputSchema(data.Schema).Select(column => column.Name).ToArray(), view.Schema.Select(column => column.Name).ToArray());
        // The hidden probabilities by hand, from the weights.
        var weights = machine.GetWeights();
        var biases = machine.Layers[0].GetWeights("hidden_bias");
        var hidden = view.GetColumn<float[]>("Hidden").First();
        for (var unit = 0; unit < hidden.Length; unit++)
        {
            var input = biases[unit] + weights[unit].Zip(rows[0].Features, (weight, value) => (double)weight * value).Sum();
            Assert.AreEqual(1 / (1 + Math.Exp(-input)), hidden[unit], 1e-5);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Samples_AreTheSameForTheSameRow_AndOfTheirProbabilities()
    {
        var random = new Random(TestSeed.Of(1));
        var rows = Enumerable.Range(0, 3000).Select(_ => new RbmSample { Features = Enumerable.Range(0, 16).Select(_ => random.NextSingle()).ToArray() }).ToArray();
        using var folder = new TemporaryFolder();
        using var machine = RbmSample.Fit(rows, o => (o.Epochs, o.Output) = (1, RbmOutput.Samples));
        var data = RbmSample.View(Ml, rows);
        var samples = machine.Transform(data).GetColumn<float[]>("Hidden").ToArray();
        Assert.IsTrue(samples.SelectMany(row => row).All(value => value is 0 or 1));
        Ml.Model.Save(machine, data.Schema, folder.File("machine.zip"));
        using var loaded = (RbmTransformer)new MLContext().Model.Load(folder.File("machine.zip"), out _);
        var again = loaded.Transform(RbmSample.View(Ml, rows[^10..])).GetColumn<float[]>("Hidden").ToArray();
        for (var row = 0; row < again.Length; row++)
            CollectionAssert.AreEqual(samples[^10..][row], again[row]);
        // Weights are small after one epoch, so every unit is on about half of the time.
        for (var unit = 0; unit < 12; unit++)
        {
            var input = machine.GetWeights()[unit];
            var expected = rows.Average(row => 1 / (1 + Math.Exp(-machine.Layers[0].GetWeights("hidden_bias")[unit] - input.Zip(row.Features, (w, v) => w * v).Sum())));
            Floor.Near(expected, samples.Average(row => row[unit]), 0.05);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Sampling_IsSeeded_FromNoiseAndFromData()
    {
        using var machine = RbmSample.Fit(RbmSample.Bars(300));
        CollectionAssert.AreEqual(machine.Sample(3, 20, 5)[2], machine.Sample(3, 20, 5)[2]);
        CollectionAssert.AreNotEqual(machine.Sample(3, 20, 5).SelectMany(row => row).ToArray(), machine.Sample(3, 20, 6).SelectMany(row => row).ToArray());
        var start = RbmSample.Bar(5).Features;
        var near = machine.Sample([start, start], 1, seed: 1);
        Assert.HasCount(2, near);
        Floor.Above(0.9, near[0].Zip(start, (a, b) => Math.Abs(a - b) < 0.5 ? 1.0 : 0).Average());
    }

    [TestMethod]
    public void Questions_OutOfRange_AreRefused()
    {
        using var machine = RbmSample.Fit(RbmSample.Bars(50), o => o.Epochs = 1);
        Assert.Contains("4 values", Assert.Throws<ArgumentException>(() => machine.Reconstruct(new float[4])).Message);
        Assert.Contains("slot 3: the value is NaN", Assert.Throws<FormatException>(() => machine.Reconstruct([.. new float[3], float.NaN, .. new float[12]])).Message);
        Assert.Contains("steps is 0", Assert.Throws<ArgumentOutOfRangeException>(() => machine.Sample(1, 0, 1)).Message);
        Assert.Contains("count is -1", Assert.Throws<ArgumentOutOfRangeException>(() => machine.Sample(-1, 1, 1)).Message);
        Assert.Contains("no rows", Assert.Throws<ArgumentException>(() => machine.Sample([], 1, 1)).Message);
        Assert.Contains("layer is 1", Assert.Throws<ArgumentOutOfRangeException>(() => machine.GetWeights(1)).Message);
        Assert.Contains("16", Assert.Throws<ArgumentException>(() => machine.Transform(RbmSample.View(Ml, RbmSample.Reals(2)))).Message);
        using var gaussian = RbmSample.Fit(RbmSample.Reals(50), o => (o.VisibleUnits, o.Epochs) = (VisibleUnitType.Gaussian, 1));
        Assert.Contains("Gaussian", Assert.Throws<InvalidOperationException>(() => gaussian.PseudoLogLikelihood(RbmSample.View(Ml, RbmSample.Reals(5)))).Message);
    }

    [TestMethod]
    public void File_WithAnUnknownOutput_IsRefused()
    {
        using var folder = new TemporaryFolder();
        using var machine = RbmSample.Fit(RbmSample.Bars(20), o => o.Epochs = 1);
        var strange = new RbmTransformer((Microsoft.ML.Runtime.IHostEnvironment)Ml, machine.Layers, new RbmColumnNames("Hidden", "Features", null, null), (RbmOutput)9, seed: 1);
        Ml.Model.Save(strange, RbmSample.View(Ml, RbmSample.Bars(1)).Schema, folder.File("strange.zip"));
        var error = Assert.Throws<Exception>(() => new MLContext().Model.Load(folder.File("strange.zip"), out _));
        Assert.Contains("has the output 9, which is not a valid kind of output", Contract.Outcome.Messages(error));
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Perceptron_StartsFromTheStack()
    {
        var rows = RbmSample.Bars(300);
        using var stack = RbmSample.Fit(rows, o => (o.HiddenLayers, o.Epochs) = ([16, 12], 5));
        var data = RbmSample.View(Ml, rows);
        var labeled = Ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        MlpMulticlassTrainer.Options Options() => new() { HiddenLayers = stack.ToHiddenLayers(), InitialModel = stack, Epochs = 1, LearningRate = 1e-30, Optimizer = new SgdOptimizer(), Seed = 1, ThreadCount = 1 };
        using var start = Ml.MulticlassClassification.Trainers.Mlp(Options()).Fit(labeled);
        CollectionAssert.AreEqual(stack.Layers[0].GetWeights("weight"), start.Model.GetWeights("hidden.0.linear.weight"));
        CollectionAssert.AreEqual(stack.Layers[1].GetWeights("hidden_bias"), start.Model.GetWeights("hidden.1.linear.bias"));
        var tuned = Options();
        (tuned.Epochs, tuned.LearningRate, tuned.Optimizer) = (40, 0.02, new AdamOptimizer());
        using var model = Ml.MulticlassClassification.Trainers.Mlp(tuned).Fit(labeled);
        Floor.Above(0.95, Ml.MulticlassClassification.Evaluate(model.Transform(labeled)).MicroAccuracy);
        // The output layer is not trained yet, so nothing can be applied as it is; and other layers do not fit.
        var untrained = Options();
        untrained.Epochs = 0;
        Assert.Contains("output.weight", Assert.Throws<ArgumentException>(() => Ml.MulticlassClassification.Trainers.Mlp(untrained).Fit(labeled)).Message);
        var others = Options();
        others.HiddenLayers = [16, 7];
        Assert.Contains("InitialModel", Assert.Throws<ArgumentException>(() => Ml.MulticlassClassification.Trainers.Mlp(others).Fit(labeled)).Message);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Pipeline_AnyTrainerFollows()
    {
        var data = RbmSample.View(Ml, RbmSample.Bars(400));
        var pipeline = Ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(Ml.Transforms.Rbm("Hidden", "Features", hiddenUnits: 16, epochs: 30, learningRate: 0.2))
            .AppendCacheCheckpoint(Ml)
            .Append(Ml.MulticlassClassification.Trainers.SdcaMaximumEntropy(featureColumnName: "Hidden"));
        var folds = Ml.MulticlassClassification.CrossValidate(data, pipeline, numberOfFolds: 2);
        // Whether two columns are alike is not linear in the pixels.
        Floor.Above(0.8, folds.Average(fold => fold.Metrics.MicroAccuracy));
    }
}
