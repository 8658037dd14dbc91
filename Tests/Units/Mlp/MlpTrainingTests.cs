using Microsoft.ML;
using Microsoft.ML.Trainers;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Mlp;

/// <summary>What an MLP finds, where the answer is known from elsewhere.</summary>
[TestClass]
public sealed class MlpTrainingTests
{
    private static readonly MLContext Ml = new(TestSeed.Of(1));

    public static IEnumerable<object[]> Activations => Enum.GetValues<Activation>().Where(a => a != Activation.Identity).Select(a => new object[] { a });

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Activations))]
    public void Xor_IsLearned(Activation activation)
    {
        var scores = XorScores(new MlpBinaryTrainer.Options { HiddenLayers = [32], Activation = activation });
        Floor.Above(0, new[] { -scores[0], scores[1], scores[2], -scores[3] }.Min(), $"{activation}");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Xor_IsBeyondALinearModel()
    {
        foreach (var options in new MlpBinaryTrainer.Options[] { new() { HiddenLayers = [] }, new() { HiddenLayers = [8], Activation = Activation.Identity } })
            Floor.Below(0.1, XorScores(options).Select(Math.Abs).Max(), $"{options.HiddenLayers.Count} layers");
    }

    /// <summary>A last batch of one row has no variance; validation needs none.</summary>
    [TestMethod]
    public void RowThatBatchNormalizationCannotUse_IsCounted()
    {
        using var model = Ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            LabelColumnName = nameof(Example.Flag),
            HiddenLayers = [4],
            BatchNormalization = true,
            BatchSize = 16,
            Epochs = 1,
        }).Fit(Example.View(Ml, Example.Create(33)), Example.View(Ml, Example.Create(1)));
        Assert.AreEqual("rows left out of each epoch 1", string.Join(", ", model.History.DataCounts.Select(count => $"{count.Key} {count.Value}")));
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void NoHiddenLayer_IsLogisticRegression()
    {
        var random = new Random(TestSeed.Of(4));
        var rows = Example.Create(400);
        foreach (var row in rows)
            row.Flag ^= random.NextDouble() < 0.2;
        var data = Example.View(Ml, rows);
        var linear = Ml.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
        {
            LabelColumnName = nameof(Example.Flag),
            L1Regularization = 0,
            L2Regularization = 0,
            OptimizationTolerance = 1e-9f,
        }).Fit(data).Model.SubModel;
        var model = Ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            LabelColumnName = nameof(Example.Flag),
            HiddenLayers = [],
            BatchSize = 400,
            Epochs = 400,
            LearningRate = 0.1,
            LearningRateSchedule = new CosineSchedule(),
        }).Fit(data).Model;
        Outcome.AssertClose(linear.Weights.ToArray(), model.GetWeights("output.weight"), 2e-3);
        Floor.Near(linear.Bias, model.GetWeights("output.bias")[0], 2e-3);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void NoHiddenLayer_IsLinearRegression()
    {
        var model = Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options
        {
            LabelColumnName = nameof(Example.Target),
            HiddenLayers = [],
            BatchSize = 300,
            Epochs = 400,
            LearningRate = 0.1,
            LearningRateSchedule = new CosineSchedule(),
        }).Fit(Example.View(Ml, Example.Create(300)));
        var head = (MLExtensions.Models.RegressionHead)model.Model.Head!;
        var coefficients = model.Model.GetWeights("output.weight").Select(weight => (float)(weight * head.StandardDeviation)).ToArray();
        Outcome.AssertClose([10, 10, 0, 0, -10, -10], coefficients, 1e-3);
        Floor.Near(100, (model.Model.GetWeights("output.bias")[0] * head.StandardDeviation) + head.Mean, 1e-2);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void L2_IsRidgeRegression()
    {
        // One feature x = 1 or -1 and target 10 x: the standardised target is x, and (1 - w)^2 + l w^2 / 2 has its least at 2 / (2 + l).
        var rows = Enumerable.Range(0, 20).Select(i => new Example { Target = i % 2 == 0 ? 10 : -10 }.With(i % 2 == 0 ? 1f : -1f));
        var model = Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options
        {
            LabelColumnName = nameof(Example.Target),
            HiddenLayers = [],
            BatchSize = 20,
            Epochs = 300,
            LearningRate = 0.1,
            Optimizer = new SgdOptimizer(),
            L2Regularization = 0.5,
        }).Fit(Example.View(Ml, rows));
        Floor.Near(0.8, model.Model.GetWeights("output.weight")[0], 1e-4);
    }

    private static float[] XorScores(MlpBinaryTrainer.Options options)
    {
        Example Row(float x, float y) => new Example { Flag = x != y }.With(x, y);
        Example[] rows = [Row(0, 0), Row(0, 1), Row(1, 0), Row(1, 1)];
        options.LabelColumnName = nameof(Example.Flag);
        options.Epochs = 600;
        options.BatchSize = 4;
        options.LearningRate = 0.05;
        options.Seed = TestSeed.Of(3);
        var data = Example.View(Ml, rows);
        return Outcome.Scores(Ml.BinaryClassification.Trainers.Mlp(options).Fit(data).Transform(data));
    }
}
