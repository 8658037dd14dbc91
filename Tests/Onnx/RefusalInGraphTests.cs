using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MLExtensions.Models;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Onnx;

/// <summary>A graph cannot refuse a row, but it must not give an answer that Transform would not give.</summary>
[TestClass]
public sealed class RefusalInGraphTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>The cells of ONNX Runtime make numbers of NaN.</summary>
    [TestMethod]
    [DataRow(RecurrentCell.Lstm)]
    [DataRow(RecurrentCell.Gru)]
    [DataRow(RecurrentCell.Rnn)]
    public void NotANumberInASequence_IsNotANumber(RecurrentCell cell)
    {
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(row => new Row { Features = [row, 1, 2, 3], Target = row }).ToArray());
        using var model = Ml.Regression.Trainers.Recurrent(new RecurrentRegressionTrainer.Options { LabelColumnName = nameof(Row.Target), Cell = cell, StepSize = 2, HiddenUnits = 4, Epochs = 1 }).Fit(data);
        using var exported = new OnnxFile(Ml, model, data, "Score");
        var scores = exported.Compute(Ml.Data.LoadFromEnumerable(new[] { new Row { Features = [1, float.NaN, 3, 4] }, new Row { Features = [1, 2, 3, 4] } }), "Score");
        Assert.IsTrue(float.IsNaN(scores[0]));
        Assert.IsTrue(float.IsFinite(scores[1]));
    }

    [TestMethod]
    public void NotANumberInASeries_IsNotANumberInItsWindows()
    {
        var rows = Enumerable.Range(0, 40).Select(row => new Row { Target = row % 5 }).ToArray();
        using var model = Ml.Forecasting.ForecastByLstm(new LstmForecastingEstimator.Options { InputColumnName = nameof(Row.Target), WindowSize = 4, Horizon = 2, HiddenUnits = 4, Epochs = 1 }).Fit(Ml.Data.LoadFromEnumerable(rows));
        using var exported = new OnnxFile(Ml, model, Ml.Data.LoadFromEnumerable(rows), "Forecast");
        rows[10] = new Row { Target = float.NaN };
        var forecasts = exported.Compute(Ml.Data.LoadFromEnumerable(rows), "Forecast").Chunk(2).ToArray();
        for (var row = 0; row < rows.Length; row++)
            Assert.AreEqual(row < 3 || row is >= 10 and < 14, float.IsNaN(forecasts[row][1]), $"row {row}");
    }

    [TestMethod]
    public void EmptySequenceThatIsRefused_StopsTheGraph()
    {
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(row => new Row { Features = [row, 1, 2, 3], Target = row }).ToArray());
        using var model = Ml.Regression.Trainers.Recurrent(new RecurrentRegressionTrainer.Options { LabelColumnName = nameof(Row.Target), HiddenUnits = 4, Epochs = 1, EmptySequenceHandling = EmptySequenceHandling.Throw }).Fit(data);
        using var exported = new OnnxFile(Ml, model, data, "Score");
        var empty = Ml.Data.LoadFromEnumerable(new[] { new Row { Features = [float.NaN, float.NaN, float.NaN, float.NaN] } });
        Assert.Contains("empty sequence", Assert.Throws<OnnxRuntimeException>(() => exported.Compute(empty, "Score")).Message);
    }

    /// <summary>A state depends on the rows around it.</summary>
    [TestMethod]
    public void HiddenMarkovModel_IsRefused()
    {
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(row => new Row { Target = row % 4 }).ToArray());
        var model = Ml.HiddenMarkovModels.Trainers.Gaussian(2, nameof(Row.Target), sequenceColumnName: null).Fit(data);
        using var stream = new MemoryStream();
        var error = Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(model, data, stream));
        Assert.Contains("The step HiddenMarkovTransformer cannot be exported to ONNX", error.Message);
    }

    /// <summary>What is NaN has no class.</summary>
    [TestMethod]
    public void NotANumber_IsNoClass()
    {
        var subject = Subjects.Get("MlpMulticlass");
        using var model = subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        var rows = subject.Rows(4);
        using var exported = new OnnxFile(Ml, model, Example.View(Ml, rows), "PredictedLabel");
        rows[1] = subject.Spoil(rows[1], 0, float.NaN);
        var labels = exported.Compute(Example.View(Ml, rows), "PredictedLabel");
        Assert.AreEqual(0, labels[1]);
        Assert.IsGreaterThan(0, labels[0]);
    }

    [TestMethod]
    public void FeatureColumnCalledLikeAnOutput_IsRefused()
    {
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(row => new Row { Features = [row, 1, 2, 3], Target = row }).ToArray(), Fixed());
        var model = Ml.Transforms.CopyColumns("Score", nameof(Row.Features)).Append(Ml.Regression.Trainers.Mlp(nameof(Row.Target), "Score", epochs: 1)).Fit(data);
        using var file = new MemoryStream();
        Assert.Contains("feature column 'Score'", Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(model, data, file)).Message);
        Assert.AreEqual(0, file.Length);
        model.LastTransformer.Dispose();
    }

    /// <summary>Weights are written once, however often the network uses them.</summary>
    [TestMethod]
    public void WeightsAreWrittenOnce()
    {
        long Size(bool flip)
        {
            var images = SchemaDefinition.Create(typeof(Row));
            images[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1, 8, 8);
            var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(row => new Row { Features = new float[64], Target = row }).ToArray(), images);
            using var model = Ml.Regression.Trainers.Cnn(new CnnRegressionTrainer.Options { LabelColumnName = nameof(Row.Target), TestTimeFlip = flip, Epochs = 1, Layers = [new DenseLayer(500), new DenseLayer()] }).Fit(data);
            using var exported = new OnnxFile(Ml, model, data, "Score");
            return exported.Bytes.Length;
        }
        Assert.IsLessThan(Size(flip: false) + 5000, Size(flip: true));
    }

    /// <summary>A file whose checksums are right and whose weights are others is found when it is loaded, without libtorch.</summary>
    [TestMethod]
    [DataRow("output.bias", new long[] { 1, 1 }, "should have the shape [1]")]
    [DataRow("hidden.0.linear.weight", new long[] { 4, 3 }, "should have the shape [3, 4]")]
    [DataRow("more", new long[] { 1 }, "unexpected: more")]
    [DataRow("output.weight", null, "does not have the tensor 'output.weight'")]
    public void OtherWeights_AreNamed(string name, long[]? shape, string problem)
    {
        var architecture = new MlpArchitecture { InputCount = 4, OutputCount = 1, HiddenLayers = [new MlpLayer(3)] };
        var weights = new Dictionary<string, StoredTensor>
        {
            ["hidden.0.linear.weight"] = Of(3, 4), ["hidden.0.linear.bias"] = Of(3), ["output.weight"] = Of(1, 3), ["output.bias"] = Of(1),
        };
        new StoredNetwork(architecture, weights, "weights.safetensors").Check();
        if (shape == null)
            weights.Remove(name);
        else
            weights[name] = Of(shape);
        var message = Assert.ThrowsExactly<ModelFormatException>(() => new StoredNetwork(architecture, weights, "weights.safetensors").Check()).Message;
        Assert.Contains(problem, message);

        static StoredTensor Of(params long[] sizes) => new(ScalarType.Float32, sizes, new float[sizes.Aggregate(1L, (product, size) => product * size)]);
    }

    /// <summary>The threshold changes nothing that ONNX Runtime computes.</summary>
    [TestMethod]
    public void ThresholdsShareANetwork()
    {
        var subject = Subjects.Get("MlpBinary");
        using var model = (BinaryNetworkTransformer)subject.Fit(subject.Rows(30), options => options.Epochs = 1);
        for (var i = 0; i < 10; i++)
        {
            model.DecisionThreshold = i / 10.0;
            Outcome.Scores(model.Transform(subject.View(Ml, 5)));
        }
        Assert.HasCount(1, model.Model.Weights.Kept);
    }

    private static SchemaDefinition Fixed()
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 4);
        return schema;
    }

    private sealed class Row
    {
        [VectorType]
        public float[] Features { get; set; } = [];

        public float Target { get; set; }
    }
}
