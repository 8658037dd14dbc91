using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Rbm;

/// <summary>Wide rows that are nearly all zeros, as the words of texts are: the defaults find what they are about.</summary>
[TestClass]
public sealed class SparseTopicTests
{
    private const int Topics = 5;
    private const int Vocabulary = 2000;
    private const int WordsOfARow = 20;

    [TestMethod]
    [TestCategory("Floor")]
    public void Defaults_HiddenUnitsTellTheTopics()
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(Documents(600));
        using var machine = ml.Transforms.Rbm(new RbmEstimator.Options { InputColumnName = "Words", OutputColumnName = "Hidden", Seed = TestSeed.Of(1), ThreadCount = 1 }).Fit(data);
        Assert.IsFalse(machine.Histories[0].Warnings.Any(warning => warning.Contains("hidden units")));
        Assert.IsTrue(machine.Histories[0].Warnings.Any(warning => warning.Contains("learning rate multiplied by")));
        var split = ml.Data.TrainTestSplit(ml.Data.Cache(machine.Transform(data)), 0.25, seed: 1);
        var classifier = ml.Transforms.Conversion.MapValueToKey("Label", "Topic").Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "Hidden"));
        Floor.Above(0.95, ml.MulticlassClassification.Evaluate(classifier.Fit(split.TrainSet).Transform(split.TestSet)).MicroAccuracy);
    }

    /// <summary>A rate that was set is obeyed, even that of the default: the weights move by what it says, not several times as far.</summary>
    [TestMethod]
    public void LearningRateThatIsSet_IsObeyed()
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(Documents(100));
        float[] Weights(double? rate, double? ofLayer, out string warnings)
        {
            var options = new RbmEstimator.Options { InputColumnName = "Words", OutputColumnName = "Hidden", HiddenLayers = [new RbmLayer(8) { LearningRate = ofLayer }], Epochs = 1, Seed = 1, ThreadCount = 1 };
            if (rate is { } set)
                options.LearningRate = set;
            using var machine = ml.Transforms.Rbm(options).Fit(data);
            warnings = string.Join("\n", machine.Histories[0].Warnings);
            return machine.Layers[0].GetWeights("weight");
        }
        var start = Weights(1e-30, null, out _);
        var adapted = Weights(null, null, out var said);
        Assert.Contains("learning rate multiplied by", said);
        var moved = Distance(adapted);
        foreach (var (rate, ofLayer) in new (double?, double?)[] { (0.05, null), (null, 0.05), (1, 0.05) })
        {
            var distance = Distance(Weights(rate, ofLayer, out var kept));
            Assert.Contains("LearningRate was kept as it was set", kept);
            Assert.IsLessThan(moved / 3, distance);
            Assert.IsGreaterThan(Distance(Weights(0.025, null, out _)), distance);
        }
        Assert.AreEqual(0.05, new RbmEstimator.Options().LearningRate);
        foreach (var (rate, text) in new[] { (0.05, "learning rate multiplied by"), (0.06, "LearningRate was kept as it was set") })
        {
            using var machine = ml.Transforms.Rbm("Hidden", "Words", hiddenUnits: 8, epochs: 1, learningRate: rate).Fit(data);
            Assert.Contains(text, string.Join("\n", machine.Histories[0].Warnings), "short overload");
        }

        double Distance(float[] weights) => Math.Sqrt(weights.Zip(start, (a, b) => (double)(a - b) * (a - b)).Sum());
    }

    [TestMethod]
    public void ConstantHiddenUnits_AreCounted()
    {
        var ml = new MLContext(1);
        var options = new RbmEstimator.Options { InputColumnName = "Words", OutputColumnName = "Hidden", HiddenLayers = [16], Epochs = 1, LearningRate = 1e-9, Seed = 1, ThreadCount = 1 };
        using var machine = ml.Transforms.Rbm(options).Fit(ml.Data.LoadFromEnumerable(Documents(50)));
        Assert.Contains("16 of 16 hidden units have about the same value for all of the 50 training rows", string.Join("\n", machine.Histories[0].Warnings));
    }

    /// <summary>Three words of four are of the topic's part of the vocabulary.</summary>
    private static IEnumerable<Document> Documents(int count)
    {
        var random = new Random(TestSeed.Of(3));
        return Enumerable.Range(0, count).Select(i =>
        {
            var (topic, words) = (i % Topics, new float[Vocabulary]);
            for (var word = 0; word < WordsOfARow; word++)
                words[random.NextDouble() < 0.75 ? (topic * (Vocabulary / Topics)) + random.Next(Vocabulary / Topics) : random.Next(Vocabulary)] = 1;
            return new Document { Words = new VBuffer<float>(Vocabulary, words), Topic = topic };
        }).ToArray();
    }

    private sealed class Document
    {
        [VectorType(Vocabulary)]
        public VBuffer<float> Words { get; set; }

        public int Topic { get; set; }
    }
}
