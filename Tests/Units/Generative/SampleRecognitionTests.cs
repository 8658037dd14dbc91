using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Generative;

/// <summary>Recognized as asked, and a classifier that is trained on samples. Classes are met by name.</summary>
[TestClass]
public sealed class SampleRecognitionTests
{
    private static readonly (float[] Pixels, string Label)[] Digits = GenerativeSample.Digits();

    private readonly MLContext _ml = new(1);

    /// <summary>Counted by hand: the "classifier" says what the rows bring along.</summary>
    [TestMethod]
    public void Metrics_AreThoseOfTheCounts()
    {
        var data = Answers([("cat", "cat"), ("cat", "dog"), ("dog", "dog"), ("cow", "dog"), ("", "dog"), ("cat", "cat")]);
        var metrics = _ml.GenerativeModels.EvaluateRecognition(data, Nothing(data), predictedLabelColumnName: "Said");
        Assert.AreEqual(3 / 5.0, metrics.Accuracy, 1e-12);
        Assert.AreEqual((5L, 1L, 2), (metrics.NumberOfRows, metrics.RowsWithoutLabel, metrics.NumberOfPredictedClasses));
        Assert.AreEqual(-(0.4 * Math.Log(0.4)) - (0.6 * Math.Log(0.6)), metrics.PredictedEntropy, 1e-12);
        Assert.AreEqual(-(0.6 * Math.Log(0.6)) - (2 * 0.2 * Math.Log(0.2)), metrics.LabelEntropy, 1e-12);
        CollectionAssert.AreEqual(new[] { "cat 3 2 2", "cow 1 0 0", "dog 1 3 1" }, metrics.Classes.Select(each => $"{each.Name} {each.NumberOfRows} {each.NumberOfPredictions} {each.NumberOfHits}").ToArray());
        Assert.AreEqual((2 / 3.0, 0.0), (metrics.Classes[0].Accuracy, metrics.Classes[1].Accuracy));
        Assert.IsNull(metrics.RealAccuracy);
    }

    /// <summary>A generator of one class for whatever it is asked: few hits, and an entropy that shows why.</summary>
    [TestMethod]
    public void Collapse_ShowsInTheEntropy()
    {
        var data = Answers(Enumerable.Range(0, 100).Select(i => ($"{i % 10}", "3")).ToArray());
        var metrics = _ml.GenerativeModels.EvaluateRecognition(data, Nothing(data), predictedLabelColumnName: "Said");
        Assert.AreEqual((0.1, 0.0, 1), (metrics.Accuracy, metrics.PredictedEntropy, metrics.NumberOfPredictedClasses));
        Assert.AreEqual(Math.Log(10), metrics.LabelEntropy, 1e-12);
    }

    /// <summary>The classifier's keys are numbered in another order than those of the samples; as texts they are the same, too.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow("keys")]
    [DataRow("texts")]
    public void Classes_AreMetByName(string kind)
    {
        var trained = _ml.Transforms.Conversion.MapValueToKey("Known", "Label").Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Known"));
        var classifier = trained.Fit(View(Digits[..900]));
        var samples = View([.. Digits[900..].OrderByDescending(digit => digit.Label)]);
        if (kind == "keys")
            samples = _ml.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(samples).Transform(samples);
        var model = kind == "keys" ? new Behind(classifier.LastTransformer) : (ITransformer)classifier;
        var metrics = _ml.GenerativeModels.EvaluateRecognition(samples, model, real: samples);
        Floor.Above(0.9, metrics.Accuracy);
        Assert.AreEqual(metrics.Accuracy, metrics.RealAccuracy);
        Assert.HasCount(10, metrics.Classes);
        CollectionAssert.AreEqual(Enumerable.Range(0, 10).Select(digit => $"{digit}").ToArray(), metrics.Classes.Select(each => each.Name).ToArray());
    }

    /// <summary>Keys of numbers and of Booleans against the numbers and Booleans themselves; NaN is a missing label.</summary>
    [TestMethod]
    public void NumbersAndBooleans_AreMetByTheirText()
    {
        var rows = new[] { (3f, true, 3f), (10f, false, 10f), (2.5f, true, 3f), (float.NaN, true, 3f) }.Select(row => new Numbers { Number = row.Item1, Flag = row.Item2, Said = row.Item3, SaidFlag = row.Item1 != 3 });
        var data = _ml.Data.LoadFromEnumerable(rows);
        data = _ml.Transforms.Conversion.MapValueToKey("Key", "Number").Append(_ml.Transforms.Conversion.MapValueToKey("FlagKey", "Flag")).Fit(data).Transform(data);
        RecognitionMetrics Evaluate(string label, string said) => _ml.GenerativeModels.EvaluateRecognition(data, _ml.Transforms.CopyColumns("Copy", "Number").Fit(data), label, said);
        foreach (var label in new[] { "Number", "Key" })
        {
            var metrics = Evaluate(label, "Said");
            Assert.AreEqual((2 / 3.0, 3L, 1L), (metrics.Accuracy, metrics.NumberOfRows, metrics.RowsWithoutLabel), label);
        }
        Assert.AreEqual(2 / 4.0, Evaluate("Flag", "SaidFlag").Accuracy);
        Assert.AreEqual(2 / 4.0, Evaluate("FlagKey", "SaidFlag").Accuracy);
    }

    /// <summary>Real digits as samples train a classifier well, the same digit for everything does not, however well it is recognized.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void TrainingOnSamples_FindsSamplesThatAreAllAlike()
    {
        var classifier = _ml.Transforms.Conversion.MapValueToKey("Key", "Label").Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key"));
        var real = View(Digits[900..]);
        var alike = Digits[..900].Select(digit => (Digits.First(other => other.Label == digit.Label).Pixels, digit.Label)).ToArray();
        var good = _ml.GenerativeModels.EvaluateAsTrainingData(real, View(Digits[..900]), classifier);
        var bad = _ml.GenerativeModels.EvaluateAsTrainingData(real, View(alike), classifier);
        Assert.AreEqual(Digits.Length - 900, good.NumberOfRows);
        Floor.Above(0.9, good.Accuracy, "as samples, real digits");
        Floor.Below(0.8, bad.Accuracy, "as samples, one digit of each class");
        Floor.Above(0.89, _ml.GenerativeModels.EvaluateRecognition(View(alike), classifier.Fit(View(Digits[..900]))).Accuracy, "recognized, one digit of each class");
    }

    [TestMethod]
    public void NetworkThatWasTrained_IsDisposed()
    {
        var model = new Behind(Nothing(Answers([("a", "a")])));
        _ml.GenerativeModels.EvaluateAsTrainingData(Answers([("a", "a")]), Answers([("a", "a")]), new Made(model), predictedLabelColumnName: "Said");
        Assert.IsTrue(model.IsDisposed);
    }

    private IDataView View((float[] Pixels, string Label)[] digits) => GenerativeSample.View(_ml, digits.Select(digit => digit.Pixels).ToArray(), digits.Select(digit => digit.Label).ToArray());

    private IDataView Answers((string Label, string Said)[] rows) => _ml.Data.LoadFromEnumerable(rows.Select(row => new Answer { Label = row.Label, Said = row.Said }));

    private ITransformer Nothing(IDataView data) => _ml.Transforms.CopyColumns("Copy", "Label").Fit(data);

    private sealed class Answer
    {
        public string Label { get; set; } = "";

        public string Said { get; set; } = "";
    }

    private sealed class Numbers
    {
        public float Number { get; set; }

        public bool Flag { get; set; }

        public float Said { get; set; }

        public bool SaidFlag { get; set; }
    }

    /// <summary>A model of which only what it transforms can be seen.</summary>
    private sealed class Behind(ITransformer model) : ITransformer, IDisposable
    {
        public bool IsDisposed { get; private set; }

        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => model.GetOutputSchema(inputSchema);

        public IDataView Transform(IDataView input) => model.Transform(input);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();

        public void Dispose() => IsDisposed = true;
    }

    private sealed class Made(ITransformer model) : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input) => model;

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema;
    }
}
