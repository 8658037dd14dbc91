using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>The threshold of every binary family: chosen before the training, changed after it, saved with the model.</summary>
[TestClass]
public sealed class DecisionThresholdTests
{
    private static readonly MLContext Ml = new(1);

    public static IEnumerable<object[]> BinaryNames => Subjects.Names.Where(name => Subjects.Get((string)name[0]).Task == ContractTask.Binary);

    [TestMethod]
    [DynamicData(nameof(BinaryNames))]
    public void OptionChangeAndFile_PredictedLabelFollows(string name)
    {
        var subject = Subjects.Get(name);
        using var folder = new TemporaryFolder();
        var data = subject.View(Ml, 60);
        var trainer = subject.CreateTrainer(Ml, subject.Options(o => (o.Epochs, o.ValidationFraction) = (1, 0)));
        using var plain = (BinaryNetworkTransformer)trainer.Fit(data);
        Assert.AreEqual(0.5, plain.DecisionThreshold);
        var probabilities = plain.Transform(data).GetColumn<float>("Probability").Order().ToArray();
        // Between two rows, so that some rows are on either side.
        var (low, aboveLow) = WidestGap(probabilities, 10, 25);
        var (high, aboveHigh) = WidestGap(probabilities, 35, 50);

        var options = subject.Options(o => (o.Epochs, o.ValidationFraction) = (1, 0));
        SetThreshold(options, high);
        using var model = (BinaryNetworkTransformer)subject.Fit(subject.CreateTrainer(Ml, options), data, data);
        AssertThreshold(model, data, high, aboveHigh);
        // ML.NET's evaluator does not look at PredictedLabel.
        var scored = model.Transform(data);
        var accuracy = scored.GetColumn<bool>("PredictedLabel").Zip(scored.GetColumn<bool>(nameof(Example.Flag)), (predicted, flag) => predicted == flag ? 1.0 : 0).Average();
        Assert.AreEqual(accuracy, model.History.Epochs[^1].Validation["accuracy"], 1e-6);

        var before = model.Transform(data).GetColumn<bool>("PredictedLabel").ToArray();
        var view = model.Transform(data);
        model.DecisionThreshold = low;
        AssertThreshold(model, data, low, aboveLow);
        CollectionAssert.AreEqual(before, view.GetColumn<bool>("PredictedLabel").ToArray(), "What was transformed before keeps its threshold.");

        Ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        using var loaded = (BinaryNetworkTransformer)Ml.Model.Load(folder.File("model.zip"), out _);
        AssertThreshold(loaded, data, low, aboveLow);
        loaded.DecisionThreshold = high;
        AssertThreshold(loaded, data, high, aboveHigh);
        Assert.AreEqual(low, model.DecisionThreshold);
        loaded.DecisionThreshold = 0.5;
        Assert.AreEqual(0.5, loaded.DecisionThreshold);
    }

    [TestMethod]
    [DynamicData(nameof(BinaryNames))]
    public void NoProbability_Refused(string name)
    {
        var subject = Subjects.Get(name);
        var options = subject.Options(o => o.Epochs = 1);
        foreach (var value in new[] { -0.1, 1.1, double.NaN })
        {
            SetThreshold(options, value);
            var message = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => subject.CreateTrainer(Ml, options)).Message;
            Assert.Contains("DecisionThreshold is", message);
            Assert.Contains("in [0, 1]", message);
        }
        SetThreshold(options, 0.5);
        using var model = (BinaryNetworkTransformer)subject.CreateTrainer(Ml, options).Fit(subject.View(Ml, 20));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.DecisionThreshold = 1.5);
        Assert.AreEqual(0.5, model.DecisionThreshold);
    }

    /// <summary>Each binary family's options have the member; a base class would give it to tasks without a threshold.</summary>
    private static void SetThreshold(SupervisedTrainerOptions options, double value) =>
        options.GetType().GetProperty("DecisionThreshold")!.SetValue(options, value);

    /// <summary>The middle of the widest gap between neighbors, and the number of values above it.</summary>
    private static (double Middle, int Above) WidestGap(float[] sorted, int from, int to)
    {
        var index = Enumerable.Range(from, to - from).MaxBy(i => sorted[i] - sorted[i - 1]);
        return ((sorted[index - 1] + (double)sorted[index]) / 2, sorted.Length - index);
    }

    private static void AssertThreshold(BinaryNetworkTransformer model, IDataView data, double threshold, int above)
    {
        Assert.AreEqual(threshold, model.DecisionThreshold);
        var scored = model.Transform(data);
        var labels = scored.GetColumn<bool>("PredictedLabel").ToArray();
        CollectionAssert.AreEqual(scored.GetColumn<float>("Probability").Select(probability => probability > (float)threshold).ToArray(), labels);
        Assert.AreEqual(above, labels.Count(label => label));
        Assert.AreEqual(above, Ml.Data.CreateEnumerable<Prediction>(scored, reuseRowObject: false).Count(row => row.PredictedLabel));
    }

    private sealed class Prediction
    {
        public bool PredictedLabel { get; set; }
    }
}
