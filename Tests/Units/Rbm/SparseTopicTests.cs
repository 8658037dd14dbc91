using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Rbm;

/// <summary>Wide rows that are nearly all zeros, as counts of words are: the defaults find what they are about.</summary>
[TestClass]
public sealed class SparseTopicTests
{
    [TestMethod]
    public void Experiment()
    {
        var ml = new MLContext(1);
        var setting = Environment.GetEnvironmentVariable("RBM_EXPERIMENT") ?? "";
        foreach (var variant in (Environment.GetEnvironmentVariable("RBM_VARIANTS") ?? "0").Split(',').Select(int.Parse))
        {
            var data = ml.Data.LoadFromEnumerable(Documents(1000, 4000, variant));
            var options = new RbmEstimator.Options { InputColumnName = "Words", OutputColumnName = "Hidden", Seed = 1 };
            foreach (var part in setting.Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                var (key, value) = (part.Split('=')[0], part.Split('=')[1]);
                var property = typeof(RbmEstimator.Options).GetProperty(key)!;
                var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
                property.SetValue(options, type.IsEnum ? Enum.Parse(type, value) : Convert.ChangeType(value, type, System.Globalization.CultureInfo.InvariantCulture));
            }
            var watch = System.Diagnostics.Stopwatch.StartNew();
            var rbm = ml.Transforms.Rbm(options).Fit(data);
            var hidden = ml.Data.Cache(rbm.Transform(data));
            var split = ml.Data.TrainTestSplit(hidden, 0.2, seed: 1);
            var pipeline = ml.Transforms.Conversion.MapValueToKey("Label", "Topic").Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "Hidden"));
            var accuracy = ml.MulticlassClassification.Evaluate(pipeline.Fit(split.TrainSet).Transform(split.TestSet)).MicroAccuracy;
            File.AppendAllText("/tmp/rbm-experiment.txt", $"{setting} variant {variant}: {accuracy:F3} {watch.Elapsed.TotalSeconds:F1} s {string.Join(" ", rbm.Histories[0].Warnings)}\n");
        }
    }

    private static List<Document> Documents(int rows, int words, int variant)
    {
        var random = new Random(variant + 10);
        var list = new List<Document>();
        for (var i = 0; i < rows; i++)
        {
            var topic = i % 5;
            var vector = new float[words];
            var count = variant == 0 ? 40 : variant == 1 ? 20 : 100;
            for (var k = 0; k < count; k++)
            {
                var own = words / 5;
                var place = variant == 2 ? (int)(own * Math.Pow(random.NextDouble(), 3)) : random.Next(own);
                vector[random.NextDouble() < (variant == 1 ? 0.9 : 0.7) ? (topic * own) + place : random.Next(words)] = 1;
            }
            list.Add(new Document { Words = new VBuffer<float>(words, vector), Topic = topic });
        }
        return list;
    }

    private sealed class Document
    {
        [VectorType(4000)]
        public VBuffer<float> Words { get; set; }

        public int Topic { get; set; }
    }
}
