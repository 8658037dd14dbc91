using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLExtensions.Tests.Onnx;

/// <summary>Recurrent networks compute the same in ONNX Runtime, with sequences of any length in one batch.</summary>
[TestClass]
public sealed class SequenceExportTests
{
    private const int Steps = 7;
    private const int KeyCount = 5;
    private static readonly MLContext Ml = new(1);

    public static IEnumerable<object[]> Cells =>
        from cell in Enum.GetValues<RecurrentCell>()
        from bidirectional in new[] { false, true }
        from pooling in Enum.GetValues<SequencePooling>()
        select new object[] { cell, bidirectional, pooling };

    public static IEnumerable<object[]> Handlings => new[] { LongSequenceHandling.KeepEnd, LongSequenceHandling.KeepBeginning, LongSequenceHandling.KeepBeginningAndEnd }.Select(handling => new object[] { handling });

    /// <summary>Shorter sequences are filled up with NaN in a graph; outside of it they are vectors of their own length.</summary>
    [TestMethod]
    [DynamicData(nameof(Cells))]
    public void Numbers_EveryCellAndPooling_SameInOnnxRuntime(RecurrentCell cell, bool bidirectional, SequencePooling pooling)
    {
        var rows = Rows(20, empty: true);
        var given = Ml.Data.LoadFromEnumerable(rows);
        using var model = Ml.Regression.Trainers.Recurrent(Options(options =>
        {
            (options.Cell, options.Bidirectional, options.Pooling) = (cell, bidirectional, pooling);
            (options.StepSize, options.NumberOfLayers) = (2, 2);
        })).Fit(given);
        AssertSame(model, given, Ml.Data.LoadFromEnumerable(rows.Select(row => row.Filled())));
    }

    [TestMethod]
    [DynamicData(nameof(Handlings))]
    public void LongSequences_SameInOnnxRuntime(LongSequenceHandling handling)
    {
        var rows = Rows(20);
        var given = Ml.Data.LoadFromEnumerable(rows);
        using var model = Ml.Regression.Trainers.Recurrent(Options(options => (options.StepSize, options.MaximumLength, options.LongSequenceHandling) = (2, 4, handling))).Fit(given);
        AssertSame(model, given, Ml.Data.LoadFromEnumerable(rows.Select(row => row.Filled())));
    }

    /// <summary>Where a long sequence is refused, the graph must not go on either.</summary>
    [TestMethod]
    public void RefusedLongSequence_StopsTheGraph()
    {
        var data = Ml.Data.LoadFromEnumerable(Rows(20));
        using var model = Ml.Regression.Trainers.Recurrent(Options(options => (options.StepSize, options.MaximumLength, options.LongSequenceHandling) = (2, Steps, LongSequenceHandling.Throw))).Fit(data);
        var longer = new Row { Features = new float[2 * (Steps + 1)], Keys = [1] };
        using var exported = new OnnxFile(Ml, model, data, "Score");
        Assert.HasCount(1, exported.Compute(Ml.Data.LoadFromEnumerable(new[] { new Row { Features = new float[2 * Steps], Keys = [1] } }), "Score"));
        Assert.Throws<OnnxRuntimeException>(() => exported.Compute(Ml.Data.LoadFromEnumerable(new[] { longer }), "Score"));
    }

    [TestMethod]
    public void VectorsOfKnownSize_SameInOnnxRuntime()
    {
        var data = Ml.Data.LoadFromEnumerable(Rows(20).Select(row => row.Filled()).Select(row => new FixedRow { Features = Array.ConvertAll(row.Features, value => float.IsNaN(value) ? 0 : value), Target = row.Target }).ToArray());
        foreach (var length in new int?[] { null, 3 })
        {
            using var model = Ml.Regression.Trainers.Recurrent(Options(options => (options.StepSize, options.MaximumLength, options.LongSequenceHandling) = (2, length, length == null ? null : LongSequenceHandling.KeepEnd))).Fit(data);
            Exported.AssertSame(Ml, model, data, ["Score"]);
        }
    }

    /// <summary>Missing keys are left out wherever they are; at the end they fill up what is shorter.</summary>
    [TestMethod]
    public void Keys_MissingOnesLeftOut_SameInOnnxRuntime()
    {
        var rows = Rows(20, missing: true);
        var given = Ml.Data.LoadFromEnumerable(rows);
        foreach (var length in new int?[] { null, 3 })
        {
            using var model = Ml.Regression.Trainers.Recurrent(Options(options => (options.FeatureColumnName, options.EmbeddingSize, options.MaximumLength, options.LongSequenceHandling) = (nameof(Row.Keys), 4, length, length == null ? null : LongSequenceHandling.KeepEnd))).Fit(given);
            AssertSame(model, given, Ml.Data.LoadFromEnumerable(rows.Select(row => row.Filled())));
        }
    }

    [TestMethod]
    public void MissingKeyThatIsRefused_StopsTheGraph()
    {
        var rows = Rows(20);
        var given = Ml.Data.LoadFromEnumerable(rows);
        using var model = Ml.Regression.Trainers.Recurrent(Options(options => (options.FeatureColumnName, options.EmbeddingSize, options.MissingKeyHandling) = (nameof(Row.Keys), 4, MissingKeyHandling.Throw))).Fit(given);
        AssertSame(model, given, Ml.Data.LoadFromEnumerable(rows.Select(row => row.Filled())));
        using var exported = new OnnxFile(Ml, model, given, "Score");
        Assert.Throws<OnnxRuntimeException>(() => exported.Compute(Ml.Data.LoadFromEnumerable(new[] { new Row { Features = [0, 0], Keys = [1, 0, 2] } }), "Score"));
    }

    /// <summary>From words to the answer in one graph; the keys are found by their names.</summary>
    [TestMethod]
    public void WordsToKeys_WholeChain_SameInOnnxRuntime()
    {
        string[] words = ["red", "green", "blue", "round", "square"];
        var random = new Random(TestSeed.Of(3));
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 30).Select(_ => new TextRow
        {
            Words = Enumerable.Range(0, 4).Select(_ => words[random.Next(words.Length)]).ToArray(),
            Target = random.NextSingle(),
        }).ToArray());
        using var model = Ml.Transforms.Conversion.MapValueToKey(nameof(Row.Keys), nameof(TextRow.Words))
            .Append(Ml.Regression.Trainers.Recurrent(Options(options => (options.FeatureColumnName, options.EmbeddingSize) = (nameof(Row.Keys), 4)))).Fit(data);
        Exported.AssertSame(Ml, model, data, ["Score"]);
    }

    /// <summary>ML.NET declares the words of a text as one; there are as many as there are.</summary>
    [TestMethod]
    [DataRow(SequencePooling.Last)]
    [DataRow(SequencePooling.Mean)]
    [DataRow(SequencePooling.Attention)]
    public void TextToWordsToKeys_WholeChain_SameInOnnxRuntime(SequencePooling pooling)
    {
        string[] words = ["red", "green", "blue", "round", "square"];
        var random = new Random(TestSeed.Of(4));
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 30).Select(row => new TextRow
        {
            Text = string.Join(' ', Enumerable.Range(0, 1 + (row % 6)).Select(_ => words[random.Next(words.Length)])),
            Target = random.NextSingle(),
        }).ToArray());
        using var model = Ml.Transforms.Text.TokenizeIntoWords(nameof(Row.Keys), nameof(TextRow.Text))
            .Append(Ml.Transforms.Conversion.MapValueToKey(nameof(Row.Keys)))
            .Append(Ml.Regression.Trainers.Recurrent(Options(options => (options.FeatureColumnName, options.EmbeddingSize, options.Pooling) = (nameof(Row.Keys), 4, pooling)))).Fit(data);
        Exported.AssertSame(Ml, model, data, ["Score"], atOnce: false);
    }

    /// <summary>The tokens of texts come from the library itself, so that ONNX Runtime scores them; a file cannot.</summary>
    [TestMethod]
    public void Text_IsScored_AndNotExported()
    {
        var data = Ml.Data.LoadFromEnumerable(new[] { new TextRow { Text = "red round" }, new TextRow { Text = "blue", Target = 1 }, new TextRow() });
        using var model = Ml.Regression.Trainers.Recurrent(Options(options => (options.FeatureColumnName, options.EmbeddingSize) = (nameof(TextRow.Text), 4))).Fit(data);
        AssertSameScores(model, data);
        using var file = new MemoryStream();
        var exception = Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(model, data, file));
        Assert.Contains("tokenizer of column 'Text'", exception.Message);
        Assert.Contains("MapValueToKey", exception.Message);
    }

    private static void AssertSame(ITransformer model, IDataView given, IDataView filled)
    {
        AssertSameScores(model, given);
        using var exported = new OnnxFile(Ml, model, filled, "Score");
        Exported.AssertClose(Exported.Values(model.Transform(given), "Score"), exported.Compute(filled, "Score"));
    }

    /// <summary>Both engines, the last one being libtorch.</summary>
    private static void AssertSameScores(ITransformer model, IDataView data)
    {
        model.SetScoring(new ScoringOptions { Engine = ScoringEngine.OnnxRuntime });
        var runtime = Exported.Values(model.Transform(data), "Score");
        model.SetScoring(new ScoringOptions { Engine = ScoringEngine.LibTorch });
        Exported.AssertClose(Exported.Values(model.Transform(data), "Score"), runtime);
    }

    private static RecurrentRegressionTrainer.Options Options(Action<RecurrentRegressionTrainer.Options> change)
    {
        var options = new RecurrentRegressionTrainer.Options { LabelColumnName = nameof(Row.Target), HiddenUnits = 6, Epochs = 2, BatchSize = 8, ThreadCount = 1 };
        change(options);
        return options;
    }

    private static Row[] Rows(int count, bool empty = false, bool missing = false)
    {
        var random = new Random(TestSeed.Of(1));
        return Enumerable.Range(0, count).Select(row =>
        {
            var steps = empty && row == 3 ? 0 : row == 0 ? Steps : random.Next(1, Steps + 1);
            return new Row
            {
                Features = Enumerable.Range(0, 2 * steps).Select(_ => (random.NextSingle() * 2) - 1).ToArray(),
                Keys = Enumerable.Range(0, steps).Select(step => missing && step > 0 && random.Next(3) == 0 ? 0 : (uint)random.Next(1, KeyCount + 1)).ToArray(),
                Target = random.NextSingle(),
            };
        }).ToArray();
    }

    private sealed class Row
    {
        [VectorType]
        public float[] Features { get; set; } = [];

        [KeyType(KeyCount)]
        public uint[] Keys { get; set; } = [];

        public float Target { get; set; }

        /// <summary>The same row, as long as the longest.</summary>
        public Row Filled() => new()
        {
            Features = [.. Features, .. Enumerable.Repeat(float.NaN, (2 * Steps) - Features.Length)],
            Keys = [.. Keys, .. new uint[Steps - Keys.Length]],
            Target = Target,
        };
    }

    private sealed class FixedRow
    {
        [VectorType(2 * Steps)]
        public float[] Features { get; set; } = [];

        public float Target { get; set; }
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";

        [VectorType(4)]
        public string[] Words { get; set; } = ["", "", "", ""];

        public float Target { get; set; }
    }
}
