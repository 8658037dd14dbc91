using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using TorchSharp;

namespace MLExtensions.Tests.Autoencoder;

/// <summary>The codes and reconstructions of a trained model, however they are asked for.</summary>
[TestClass]
public sealed class AutoencoderTransformerTests
{
    /// <summary>More rows than a block has, and an odd rest.</summary>
    [TestMethod]
    public void Columns_AgreeWithEncodeAndDecode()
    {
        var rows = AutoencoderSample.Create(1333);
        using var model = AutoencoderSample.Fit();
        var view = model.Transform(AutoencoderSample.View(rows));
        var codes = AutoencoderSample.Column(view, "Code");
        var again = AutoencoderSample.Column(view, "Again");
        Assert.HasCount(1333, codes);
        foreach (var at in new[] { 0, 31, 32, 700, 1332 })
        {
            Outcome.AssertClose(model.Encode(rows[at].Features), codes[at], 1e-6);
            Outcome.AssertClose(model.Decode(codes[at]), again[at], 1e-6);
            Outcome.AssertClose(model.Reconstruct(rows[at].Features), again[at], 1e-6);
        }
        var error = rows.Zip(again, (row, other) => row.Features.Zip(other, (x, y) => Math.Pow(x - y, 2)).Average()).Average();
        Assert.AreEqual(error, model.ReconstructionError(AutoencoderSample.View(rows)), 1e-7);
        Assert.IsTrue(again.SelectMany(row => row).All(value => value is > 0 and < 1), "probabilities");
    }

    [TestMethod]
    public void PredictionEngine_SameAsTransform()
    {
        var rows = AutoencoderSample.Create(100, seed: 3);
        using var model = AutoencoderSample.Fit();
        var view = model.Transform(AutoencoderSample.View(rows));
        var (codes, again) = (AutoencoderSample.Column(view, "Code"), AutoencoderSample.Column(view, "Again"));
        using var engine = new MLContext().Model.CreatePredictionEngine<AutoencoderSample, Result>(model, new PredictionEngineOptions { OwnsTransformer = false });
        for (var i = 0; i < rows.Length; i++)
        {
            var result = engine.Predict(rows[i]);
            Outcome.AssertClose(codes[i], result.Code, 1e-6);
            Outcome.AssertClose(again[i], result.Again, 1e-6);
        }
    }

    /// <summary>By default the code takes the place of the features, for a trainer behind it.</summary>
    [TestMethod]
    public void Code_TakesThePlaceOfTheFeatures()
    {
        var ml = new MLContext(1);
        var data = AutoencoderSample.View(100);
        var estimator = ml.Transforms.Autoencoder("Features", latentSize: 3, hiddenLayers: [4], epochs: 1);
        using var model = estimator.Fit(data);
        Assert.AreEqual(3, ((VectorDataViewType)model.Transform(data).Schema["Features"].Type).Size);
        Assert.IsNull(model.ReconstructionColumnName);
        Assert.AreEqual(3, model.LatentSize);
        var clusters = estimator.Append(ml.Clustering.Trainers.KMeans(numberOfClusters: 2)).Fit(data).Transform(data);
        Assert.HasCount(100, clusters.GetColumn<uint>("PredictedLabel"));
    }

    [TestMethod]
    public void Schema_IsWhatTransformGives()
    {
        var data = AutoencoderSample.View(50);
        var estimator = AutoencoderSample.Estimator();
        using var model = estimator.Fit(data);
        Assert.AreEqual(model.Transform(data).Schema.ToString(), model.GetOutputSchema(data.Schema).ToString());
        var promised = estimator.GetOutputSchema(SchemaShape.Create(data.Schema));
        foreach (var column in SchemaShape.Create(model.GetOutputSchema(data.Schema)))
        {
            Assert.IsTrue(promised.TryFindColumn(column.Name, out var promise), column.Name);
            Assert.AreEqual(column.GetTypeString(), promise.GetTypeString(), column.Name);
        }
        Assert.IsTrue(((ITransformer)model).IsRowToRowMapper);
    }

    [TestMethod]
    public void Load_InAFreshProcess_SameCodes()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = AutoencoderSample.View(70);
        using var model = AutoencoderSample.Fit(o => (o.HiddenLayers, o.Output) = ([5, 3], AutoencoderOutput.Gaussian));
        ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        using var loaded = (AutoencoderTransformer)ml.Model.Load(folder.File("model.zip"), out _);
        Assert.AreEqual(model.Architecture, loaded.Architecture);
        Assert.AreEqual(model.History, loaded.History);
        Outcome.AssertSameBits(AutoencoderSample.Weights(model), AutoencoderSample.Weights(loaded));
        ChildProcess.Run(TransformInChild, folder.Path).AssertSuccess();
        var codes = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(folder.File("codes.bin"))).ToArray();
        Outcome.AssertClose(Values(model.Transform(data)), codes, 1e-6);
    }

    [TestMethod]
    public void Tensors_DoNotLeak()
    {
        using var folder = new TemporaryFolder();
        var rows = AutoencoderSample.Create(200);
        AutoencoderTransformer Fit(Action<AutoencoderEstimator.Options>? change = null) => AutoencoderSample.Fit(o =>
        {
            (o.ValidationFraction, o.EarlyStopping, o.EmaDecay) = (0.2, new EarlyStopping(), 0.9);
            change?.Invoke(o);
        });
        AssertNoGrowth(() => Fit().Dispose());
        AssertNoGrowth(() => Fit(o => (o.Buffering, o.Precision) = (Buffering.Streaming, Precision.BFloat16)).Dispose());
        var before = Live;
        using var model = Fit();
        Assert.AreEqual(model.Model.WeightShapes.Count, Live - before, "the model's own tensors");
        AssertNoGrowth(() => Fit(o => o.InitialModel = model).Dispose());
        AssertNoGrowth(() => Values(model.Transform(AutoencoderSample.View(rows))));
        AssertNoGrowth(() => model.Reconstruct(rows[0].Features));
        AssertNoGrowth(() => model.ReconstructionError(AutoencoderSample.View(rows)));
        rows[150].Features[1] = 3;
        AssertNoGrowth(() => Assert.Throws<FormatException>(() => AutoencoderSample.Estimator().Fit(AutoencoderSample.View(rows))));
        AssertNoGrowth(() => Assert.Throws<TrainingDivergedException>(() => Fit(o => (o.LearningRate, o.Optimizer, o.Output, o.Activation) = (1e30, new SgdOptimizer(), AutoencoderOutput.Gaussian, Activation.Identity))));
        AssertNoGrowth(() => Assert.Throws<OperationCanceledException>(() =>
        {
            using var source = new CancellationTokenSource();
            Fit(o => (o.CancellationToken, o.Progress) = (source.Token, new Listener(_ => source.Cancel())));
        }));
        AssertNoGrowth(() =>
        {
            new MLContext().Model.Save(model, AutoencoderSample.View(1).Schema, folder.File("model.zip"));
            ((IDisposable)new MLContext().Model.Load(folder.File("model.zip"), out _)).Dispose();
        });
    }

    private static long Live => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    /// <summary>No type of this library is touched here: ML.NET finds them through the file.</summary>
    private static void TransformInChild(string[] args)
    {
        var model = new MLContext().Model.Load(Path.Combine(args[0], "model.zip"), out _);
        File.WriteAllBytes(Path.Combine(args[0], "codes.bin"), MemoryMarshal.AsBytes<float>(Values(model.Transform(AutoencoderSample.View(70)))).ToArray());
    }

    private static float[] Values(IDataView view) =>
        AutoencoderSample.Column(view, "Code").Concat(AutoencoderSample.Column(view, "Again")).SelectMany(row => row).ToArray();

    /// <summary>Once to warm up what is kept for the process, then again.</summary>
    private static void AssertNoGrowth(Action action)
    {
        action();
        var before = Live;
        action();
        action();
        Assert.AreEqual(before, Live);
    }

    private sealed class Result
    {
        public float[] Code { get; set; } = [];

        public float[] Again { get; set; } = [];
    }
}
