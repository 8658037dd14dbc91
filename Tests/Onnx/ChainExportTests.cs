using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Onnx;

namespace MLExtensions.Tests.Onnx;

/// <summary>Networks between steps of ML.NET: whole chains, thresholds, names of columns, and what cannot be part of a graph.</summary>
[TestClass]
public sealed class ChainExportTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Classifier_FromTextLabelToTextLabel()
    {
        using var model = Chain().Fit(Data);
        Exported.AssertSame(Ml, model, Data, ["Score"]);
        using var exported = new OnnxFile(Ml, model, Data, "PredictedLabel");
        CollectionAssert.AreEqual(model.Transform(Data).GetColumn<string>("PredictedLabel").ToArray(), exported.ComputeTexts(Data, "PredictedLabel"));
    }

    /// <summary>A graph wants all columns of the data that it was made of. Without the step that reads the label it needs none.</summary>
    [TestMethod]
    public void WithoutTheLabel_FeaturesAreTheOnlyInput()
    {
        using var model = Chain().Fit(Data);
        var part = new TransformerChain<ITransformer>(model.Skip(1).ToArray());
        var features = Ml.Data.LoadFromEnumerable(Rows.Select(row => new FeatureRow { Features = row.Features }));
        using var exported = new OnnxFile(Ml, part, features, "Score");
        CollectionAssert.AreEqual(new[] { nameof(Row.Features) }, exported.Inputs.ToArray());
        Exported.AssertClose(Exported.Values(model.Transform(Data), "Score"), exported.Compute(features, "Score"));
    }

    [TestMethod]
    [DataRow(0.5)]
    [DataRow(0.3)]
    public void DecisionThreshold_IsThatOfTheModel(double threshold)
    {
        using var model = Ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options { LabelColumnName = nameof(Row.Flag), HiddenLayers = [4], Epochs = 1, DecisionThreshold = threshold }).Fit(Data);
        Exported.AssertSame(Ml, model, Data, ["PredictedLabel", "Score", "Probability"]);
    }

    /// <summary>A graph takes a value for the column of its name.</summary>
    [TestMethod]
    public void ColumnsNamedLikeValuesOfTheGraph_StayThemselves()
    {
        using var model = Ml.Transforms.CopyColumns("network.2.Gemm", nameof(Row.Features)).Append(Ml.Transforms.CopyColumns("network.0.hidden.0.linear.weight", nameof(Row.Target)))
            .Append(Ml.Regression.Trainers.Mlp(nameof(Row.Target), "network.2.Gemm", epochs: 1)).Fit(Data);
        Exported.AssertSame(Ml, model, Data, ["Score", "network.2.Gemm", "network.0.hidden.0.linear.weight", nameof(Row.Features)]);
    }

    [TestMethod]
    public void VectorsWithDimensions_AreFlattened()
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2, 3);
        var data = Ml.Data.LoadFromEnumerable(Rows, schema);
        using var model = Ml.Regression.Trainers.Mlp(nameof(Row.Target), epochs: 1).Fit(data);
        Exported.AssertSame(Ml, model, data, ["Score"]);
    }

    /// <summary>A network whose features another network makes.</summary>
    [TestMethod]
    public void TwoNetworks_InOneGraph()
    {
        using var model = Ml.Transforms.Autoencoder(new AutoencoderEstimator.Options { OutputColumnName = "Code", LatentSize = 2, Epochs = 1 })
            .Append(Ml.Regression.Trainers.Mlp(nameof(Row.Target), "Code", epochs: 1)).Fit(Data);
        Exported.AssertSame(Ml, model, Data, ["Code", "Score"]);
    }

    /// <summary>A saved model can be exported in another process, where only the file is.</summary>
    [TestMethod]
    public void LoadedModel_IsExported()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.zip");
        using (var model = Chain().Fit(Data))
            Ml.Model.Save(model, Data.Schema, path);
        var loaded = new MLContext(2).Model.Load(path, out _);
        using var disposer = (IDisposable)loaded;
        Exported.AssertSame(Ml, loaded, Data, ["Score"]);
    }

    /// <summary>VGG-19 has 143,667,240 weights, a fourth of what a file can hold.</summary>
    [TestMethod]
    public void NetworkBeyondTwoGigabytes_IsRefused()
    {
        GraphWriter.CheckSize(143_667_240, "Step");
        Assert.Contains("The step Step cannot be exported to ONNX", Assert.ThrowsExactly<NotSupportedException>(() => GraphWriter.CheckSize(1L << 29, "Step")).Message);
    }

    [TestMethod]
    public void OlderOperatorSet_IsRefused()
    {
        using var model = Ml.Regression.Trainers.Mlp(nameof(Row.Target), epochs: 1).Fit(Data);
        using var file = new MemoryStream();
        Assert.Contains("12", Assert.Throws<ArgumentException>(() => Ml.Model.ConvertToOnnx(model, Data, 11, file)).Message);
        Assert.AreEqual(0, file.Length);
    }

    [TestMethod]
    public void Images_AreRefused_TheNetworkAloneIsNot()
    {
        // Read once, an image is gone: each pass makes them anew.
        var images = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 12).Select(row =>
        {
            var pixels = new byte[8 * 8 * 4];
            new Random(TestSeed.Of(row)).NextBytes(pixels);
            return new ImageRow { Image = MLImage.CreateFromPixels(8, 8, MLPixelFormat.Bgra32, pixels), Target = row };
        }));
        using var direct = Ml.Regression.Trainers.Cnn(nameof(ImageRow.Target), nameof(ImageRow.Image), epochs: 1).Fit(images);
        var chain = Ml.Transforms.ExtractPixels("Features", nameof(ImageRow.Image)).Append(Ml.Regression.Trainers.Cnn(nameof(ImageRow.Target), epochs: 1)).Fit(images);
        foreach (var model in (ITransformer[])[direct, chain])
        {
            using var file = new MemoryStream();
            var message = Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(model, images, file)).Message;
            Assert.Contains("column 'Image' holds images", message);
            Assert.Contains("ExtractPixels", message);
        }
        var extracted = Ml.Transforms.ExtractPixels("Features", nameof(ImageRow.Image)).Fit(images).Transform(images);
        var cached = Ml.Data.LoadFromEnumerable(Ml.Data.CreateEnumerable<PixelRow>(extracted, reuseRowObject: false).ToArray());
        Exported.AssertSame(Ml, chain.LastTransformer, cached, ["Score"]);
        chain.LastTransformer.Dispose();
    }

    /// <summary>A step of ML.NET that has no graph is where the data begins for the converter: what is after it reads columns that are not there.</summary>
    [TestMethod]
    public void StepWithoutGraph_BeforeTheNetwork_IsNamed()
    {
        var custom = Ml.Transforms.CustomMapping<Row, Doubled>((row, doubled) => doubled.Twice = [row.Target, 2 * row.Target], "Doubled");
        using var model = custom.Append(Ml.Regression.Trainers.Mlp(nameof(Row.Target), nameof(Doubled.Twice), epochs: 1)).Fit(Data);
        using var file = new MemoryStream();
        Assert.Contains("its column 'Twice' comes from a step that cannot be exported", Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(model, Data, file)).Message);
        Assert.AreEqual(0, file.Length);
    }

    private static Row[] Rows
    {
        get
        {
            var random = new Random(TestSeed.Of(1));
            return Enumerable.Range(0, 40).Select(row => new Row
            {
                Features = [.. Enumerable.Range(0, 6).Select(_ => random.NextSingle())],
                Flag = random.Next(2) == 0,
                Color = ((string[])["red", "green", "blue"])[random.Next(3)],
                Target = random.NextSingle(),
            }).ToArray();
        }
    }

    private static IDataView Data => Ml.Data.LoadFromEnumerable(Rows);

    private static EstimatorChain<ITransformer> Chain() => Ml.Transforms.Conversion.MapValueToKey("Label", nameof(Row.Color))
        .Append(Ml.Transforms.NormalizeMeanVariance(nameof(Row.Features)))
        .Append(Ml.MulticlassClassification.Trainers.Mlp(epochs: 2))
        .Append(Ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Append((IEstimator<ITransformer>)Ml.Transforms.CopyColumns("Copy", "Score"));

    private sealed class Row
    {
        [VectorType(6)]
        public float[] Features { get; set; } = [];

        public bool Flag { get; set; }

        public string Color { get; set; } = "";

        public float Target { get; set; }
    }

    private sealed class FeatureRow
    {
        [VectorType(6)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Doubled
    {
        [VectorType(2)]
        public float[] Twice { get; set; } = [];
    }

    private sealed class ImageRow
    {
        [ImageType(8, 8)]
        public MLImage? Image { get; set; }

        public float Target { get; set; }
    }

    private sealed class PixelRow
    {
        [VectorType(3, 8, 8)]
        public float[] Features { get; set; } = [];
    }
}
