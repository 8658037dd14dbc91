using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Generative;

/// <summary>What evaluations refuse, and that the message says what it was.</summary>
[TestClass]
public sealed class GenerativeBadInputTests
{
    private static readonly float[][] Pairs = [[1, 2], [3, 4], [5, 7], [2, 2]];
    private static readonly float[][] Triples = [[1, 2, 3], [3, 4, 5]];

    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void MissingColumn_IsNamedWithItsData()
    {
        AssertSays<ArgumentException>("Column 'Pixels' is not in the real data; the columns are Features, Label", () => _ml.GenerativeModels.Evaluate(View(Pairs), View(Pairs), "Pixels"));
        AssertSays<ArgumentException>("Column 'Copy' is not in the generated data", () => _ml.GenerativeModels.Evaluate(Copied(View(Pairs)), View(Pairs), "Copy"));
        AssertSays<ArgumentException>("Column 'Copy' is not in the held-out data", () => _ml.GenerativeModels.EvaluateNearest(Copied(View(Pairs)), Copied(View(Pairs)), View(Pairs), "Copy"));
        AssertSays<ArgumentException>("Label column 'Class' is not in the generated data, transformed by the classifier; the columns are Features, Label", () => _ml.GenerativeModels.EvaluateRecognition(View(Pairs), Copier(View(Pairs)), "Class"));
        AssertSays<ArgumentException>("Prediction column 'PredictedLabel' is not in", () => _ml.GenerativeModels.EvaluateRecognition(View(Pairs), Copier(View(Pairs))));
        AssertSays<ArgumentException>("Class column 'Red' is not in the generated data", () => _ml.GenerativeModels.EvaluateModes(View(Pairs), ["Red"]));
    }

    [TestMethod]
    public void OtherFeatures_AreRefused()
    {
        AssertSays<ArgumentException>("'Features' has 3 values per row in the generated data and 2 in the real data", () => _ml.GenerativeModels.Evaluate(View(Pairs), View(Triples)));
        AssertSays<ArgumentException>("3 values per row in the other real data", () => _ml.GenerativeModels.Evaluate(View(Pairs), View(Pairs), otherReal: View(Triples)));
        AssertSays<ArgumentException>("3 values per row in the held-out data and 2 in the training data", () => _ml.GenerativeModels.EvaluateNearest(View(Pairs), View(Pairs), View(Triples)));
        AssertSays<ArgumentException>("'Label' has type String", () => _ml.GenerativeModels.Evaluate(View(Pairs), View(Pairs), "Label"));
        AssertSays<ArgumentException>("Class column 'Features' has type Vector<Single, 2>; it must have one class per row", () => _ml.GenerativeModels.EvaluateModes(View(Pairs), ["Features"]));
    }

    [TestMethod]
    public void NotANumber_IsNamedWithItsPlace()
    {
        float[][] bad = [[1, 2], [3, float.NaN], [1, 1]];
        AssertSays<FormatException>("Feature column 'Features', row 1 (the first row is 0), slot 1: the value is NaN", () => _ml.GenerativeModels.Evaluate(View(Pairs), View(bad)));
        AssertSays<FormatException>("Feature column 'Features', row 1 (the first row is 0), slot 1: the value is NaN", () => _ml.GenerativeModels.EvaluateNearest(View(bad), View(Pairs)));
        AssertSays<FormatException>("Feature column 'Features', row 1 (the first row is 0), slot 1: the value is NaN", () => _ml.GenerativeModels.EvaluateMixture(View(bad), [[0, 0]], 1));
    }

    [TestMethod]
    public void TooFewRows_AreRefused()
    {
        AssertSays<ArgumentException>("The real data has 1 row; there must be at least 2", () => _ml.GenerativeModels.Evaluate(View(Pairs[..1]), View(Pairs)));
        AssertSays<ArgumentException>("The generated data has 0 rows; there must be at least 2", () => _ml.GenerativeModels.Evaluate(View(Pairs), View([])));
        AssertSays<ArgumentException>("The training data has 0 rows; there must be at least 1", () => _ml.GenerativeModels.EvaluateNearest(View([]), View(Pairs)));
        AssertSays<ArgumentException>("The generated data has 0 rows", () => _ml.GenerativeModels.EvaluateMixture(View([]), [[0, 0]], 1));
        AssertSays<ArgumentException>("no row with a class in column 'Label'", () => _ml.GenerativeModels.EvaluateModes(View(Pairs), ["Label"], new Dictionary<string, double> { ["a"] = 1 }));
    }

    [TestMethod]
    public void RowsThatComeOnce_AreRefused()
    {
        var taken = 0;
        IEnumerable<GenerativeSample> Once()
        {
            for (; taken < 5; taken++)
                yield return new GenerativeSample { Features = new VBuffer<float>(2, [taken, 1]) };
        }
        var schema = SchemaDefinition.Create(typeof(GenerativeSample));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2);
        AssertSays<InvalidOperationException>("The generated data gave 5 rows when they were counted, and 0 when they were read", () => _ml.GenerativeModels.Evaluate(View(Pairs), _ml.Data.LoadFromEnumerable(Once(), schema)));
    }

    [TestMethod]
    public void Labels_MustBeComparable()
    {
        var named = _ml.Transforms.Conversion.MapValueToKey("Key", "Label");
        var data = View(Pairs, ["a", "b", "a", "b"]);
        AssertSays<ArgumentException>("No class is in both columns: 'Label' of the generated data has a, b; 'Other' of the classifier has x, y", () =>
            _ml.GenerativeModels.EvaluateRecognition(data, Other(data), predictedLabelColumnName: "Other"));
        var unnamed = _ml.Data.LoadFromEnumerable(new[] { new Unnamed { Label = 1, Said = "a" } }, KeySchema());
        AssertSays<ArgumentException>("The keys of column 'Label' have no values, but column 'Said' has type String", () => _ml.GenerativeModels.EvaluateRecognition(unnamed, Copier(unnamed), predictedLabelColumnName: "Said"));
        AssertSays<ArgumentException>("The generated data has no row with a label in column 'Label'", () => _ml.GenerativeModels.EvaluateRecognition(View(Pairs), named.Fit(data), predictedLabelColumnName: "Key"));
    }

    [TestMethod]
    public void Modes_MustBeKnown()
    {
        var data = View(Pairs, ["a", "b", "a", "b"]);
        AssertSays<ArgumentException>("Column 'Label' has type String, which does not tell what classes there are", () => _ml.GenerativeModels.EvaluateModes(data, ["Label"]));
        AssertSays<ArgumentException>("column 'Label' has a, b; the modes are x", () => _ml.GenerativeModels.EvaluateModes(data, ["Label"], new Dictionary<string, double> { ["x"] = 1 }));
        AssertSays<ArgumentException>("must be finite, not negative", () => _ml.GenerativeModels.EvaluateModes(data, ["Label"], new Dictionary<string, double> { ["a"] = -1, ["b"] = 3 }));
        AssertSays<ArgumentException>("There are no columns", () => _ml.GenerativeModels.EvaluateModes(data, []));
        AssertSays<ArgumentException>("Center 1 has 3 values; column 'Features' has 2", () => _ml.GenerativeModels.EvaluateMixture(data, [[0, 0], [0, 0, 0]], 1));
        AssertSays<ArgumentException>("Center 0, slot 1: the value is NaN", () => _ml.GenerativeModels.EvaluateMixture(data, [[0, float.NaN]], 1));
        AssertSays<ArgumentException>("There are no centers", () => _ml.GenerativeModels.EvaluateMixture(data, [], 1));
        AssertSays<ArgumentOutOfRangeException>("standardDeviation is 0; it must be greater than 0", () => _ml.GenerativeModels.EvaluateMixture(data, [[0, 0]], 0));
        AssertSays<ArgumentException>("There must be 1 frequencies, one per center", () => _ml.GenerativeModels.EvaluateMixture(data, [[0, 0]], 1, frequencies: [1, 2]));
    }

    private static void AssertSays<T>(string expected, Action action)
        where T : Exception
    {
        var exception = Assert.Throws<T>(action);
        Assert.Contains(expected, exception.Message);
    }

    private IDataView View(float[][] rows, string[]? labels = null) => GenerativeSample.View(_ml, rows, labels);

    private ITransformer Copier(IDataView data) => _ml.Transforms.CopyColumns("Copy", data.Schema[0].Name).Fit(data);

    private IDataView Copied(IDataView data) => Copier(data).Transform(data);

    private ITransformer Other(IDataView data) => _ml.Transforms.Conversion.MapValue("Other", [new KeyValuePair<string, string>("a", "x"), new KeyValuePair<string, string>("b", "y")], "Label").Fit(data);

    private static SchemaDefinition KeySchema()
    {
        var schema = SchemaDefinition.Create(typeof(Unnamed));
        schema["Label"].ColumnType = new KeyDataViewType(typeof(uint), 3);
        return schema;
    }

    private sealed class Unnamed
    {
        public uint Label { get; set; }

        public string Said { get; set; } = "";
    }
}
