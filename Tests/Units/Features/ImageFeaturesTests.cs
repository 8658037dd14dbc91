using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Features;

/// <summary>The features are what the network's layers make of the images, however they are asked for.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class ImageFeaturesTests
{
    [TestMethod]
    [DataRow(null, true, 4)]
    [DataRow("classifier.1", true, 5)]
    [DataRow("classifier.2", true, 5)]
    [DataRow("features", true, 8)]
    [DataRow("features", false, 72)]
    [DataRow("features.1", false, 288)]
    public void Features_AreTheLayersOutputs(string? layer, bool pool, int size)
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var rows = FeatureSample.Create(3);
        var data = FeatureSample.View(ml, rows);
        var estimator = Estimator(ml, folder, layer, pool);
        using var transformer = estimator.Fit(data);
        var features = FeatureSample.Read(transformer.Transform(data));
        var type = (VectorDataViewType)transformer.GetOutputSchema(data.Schema)["Features"].Type;
        Assert.AreEqual(size, type.Size);
        CollectionAssert.AreEqual(size switch { 72 => [8, 3, 3], 288 => [8, 6, 6], _ => new[] { size } }, type.Dimensions.ToArray());
        Assert.IsTrue(estimator.GetOutputSchema(SchemaShape.Create(data.Schema)).TryFindColumn("Features", out var column));
        Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, column.Kind);
        using var scope = NewDisposeScope();
        using var module = FeatureSample.CreateModule(FeatureSample.Tiny());
        for (var i = 0; i < rows.Length; i++)
            Outcome.AssertClose(Direct(module, rows[i], layer, pool), features[i], 1e-4);
        Assert.IsFalse(features[0].SequenceEqual(features[1]));
    }

    [TestMethod]
    public void ColumnOfImages_SameAsTheirPixels()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var rows = FeatureSample.Create(40);
        var vectors = FeatureSample.View(ml, rows);
        using var images = new FeatureImages(rows);
        using var transformer = Estimator(ml, folder, "features").Fit(images.View(ml));
        var expected = FeatureSample.Read(transformer.Transform(vectors));
        var features = FeatureSample.Read(transformer.Transform(images.View(ml)));
        for (var i = 0; i < rows.Length; i++)
            Outcome.AssertSameBits(expected[i], features[i]);
        using var engine = ml.Model.CreatePredictionEngine<FeatureImage, FeatureResult>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Outcome.AssertClose(expected[7], engine.Predict(images.Rows[7]).Features, 1e-5);
    }

    [TestMethod]
    public void CropSize_TheMiddleAlone()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var small = FeatureSample.Create(1)[0];
        var large = new FeatureSample { Image = new float[3 * 8 * 8] };
        for (var i = 0; i < small.Image.Length; i++)
            large.Image[(i / 36 * 64) + (((i % 36 / 6) + 1) * 8) + (i % 6) + 1] = small.Image[i];
        var weights = FeatureSample.WriteWeights(folder, FeatureSample.Tiny());
        var shape = new ImageShape(3, 8, 8);
        var whole = FeatureSample.Tiny() with { InputCount = (int)shape.Count, Image = new ImageInput(shape) { Scaling = PixelScaling.ToUnit, CropSize = 6 } };
        float[] Of(FeatureSample row, int side, ImageArchitecture architecture)
        {
            var data = FeatureSample.View(ml, [row], side);
            using var transformer = ml.Transforms.ImageFeatures(new() { WeightsPath = weights, Architecture = architecture, PixelScaling = PixelScaling.ImageNet }).Fit(data);
            return FeatureSample.Read(transformer.Transform(data)).Single();
        }
        Outcome.AssertClose(Of(small, 6, FeatureSample.Tiny()), Of(large, 8, whole), 1e-5);
    }

    /// <summary>75 rows: three blocks of different sizes.</summary>
    [TestMethod]
    public void RowByRow_SameAsInBlocks()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var rows = FeatureSample.Create(75);
        var data = FeatureSample.View(ml, rows);
        using var transformer = Estimator(ml, folder, "classifier.1").Fit(data);
        var blocks = FeatureSample.Read(transformer.Transform(data));
        using var engine = ml.Model.CreatePredictionEngine<FeatureSample, FeatureResult>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        for (var i = 0; i < rows.Length; i++)
            Outcome.AssertClose(blocks[i], engine.Predict(rows[i]).Features, 1e-5);
    }

    [TestMethod]
    public void ManyThreads_SameValues()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = FeatureSample.View(ml, FeatureSample.Create(40));
        using var transformer = Estimator(ml, folder, "features").Fit(data);
        var expected = FeatureSample.Read(transformer.Transform(data));
        var all = new float[4][][];
        Parallel.For(0, all.Length, i => all[i] = FeatureSample.Read(transformer.Transform(data)));
        foreach (var features in all)
        {
            for (var i = 0; i < expected.Length; i++)
                Outcome.AssertSameBits(expected[i], features[i]);
        }
    }

    [TestMethod]
    public void SavedModel_SameBitsInAFreshProcess()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = FeatureSample.View(ml, FeatureSample.Create(3));
        using (var transformer = Estimator(ml, folder, "features").Fit(data))
        {
            ml.Model.Save(transformer, data.Schema, folder.File("model.zip"));
            File.WriteAllLines(folder.File("features.txt"), FeatureSample.Read(transformer.Transform(data)).SelectMany(row => row).Select(value => value.ToString("R")));
        }
        File.Delete(folder.File("weights.safetensors"));
        ChildProcess.Run(CompareSaved, folder.File("model.zip"), folder.File("features.txt")).AssertSuccess();
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void ALinearTrainerOnTop_Learns_AndTheChainIsSaved()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = FeatureSample.View(ml, FeatureSample.Create(60));
        var chain = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(Estimator(ml, folder, "features", pool: false))
            .Append(ml.Transforms.NormalizeMeanVariance("Features"))
            .AppendCacheCheckpoint(ml)
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        using var model = chain.Fit(data);
        Floor.Above(0.95, ml.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy);
        ml.Model.Save(model, data.Schema, folder.File("chain.zip"));
        using var loaded = (IDisposable)ml.Model.Load(folder.File("chain.zip"), out _);
        Floor.Above(0.95, ml.MulticlassClassification.Evaluate(((ITransformer)loaded).Transform(data)).MicroAccuracy);
    }

    [TestMethod]
    public void NothingIsLeft()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = FeatureSample.View(ml, FeatureSample.Create(40));
        var estimator = Estimator(ml, folder, "features");
        AssertNoGrowth(() =>
        {
            using var transformer = estimator.Fit(data);
            FeatureSample.Read(transformer.Transform(data));
        });
        using var transformer = estimator.Fit(data);
        using var engine = ml.Model.CreatePredictionEngine<FeatureSample, FeatureResult>(transformer);
        var row = FeatureSample.Create(1)[0];
        AssertNoGrowth(() => engine.Predict(row));
    }

    private static void AssertNoGrowth(Action action)
    {
        action();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        action();
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    private static void CompareSaved(string[] args)
    {
        TestAssembly.InitializeTorch();
        var ml = new MLContext(2);
        using var transformer = (ImageFeaturesTransformer)ml.Model.Load(args[0], out _);
        var features = FeatureSample.Read(transformer.Transform(FeatureSample.View(ml, FeatureSample.Create(3)))).SelectMany(row => row).ToArray();
        Outcome.AssertSameBits(File.ReadAllLines(args[1]).Select(float.Parse).ToArray(), features);
    }

    private static ImageFeaturesEstimator Estimator(MLContext ml, TemporaryFolder folder, string? layer, bool pool = true) => ml.Transforms.ImageFeatures(new()
    {
        WeightsPath = FeatureSample.WriteWeights(folder, FeatureSample.Tiny()),
        Architecture = FeatureSample.Tiny(),
        Layer = layer,
        Pool = pool,
    });

    /// <summary>The layers one by one, found by their names in the whole network.</summary>
    private static float[] Direct(nn.Module module, FeatureSample row, string? layer, bool pool)
    {
        var x = FeatureSample.Tiny().Image.Prepare(tensor(row.Image).view(1, 3, FeatureSample.Side, FeatureSample.Side));
        var names = new[] { "features.0", "features.1", "features.2", "features.3", "classifier.0", "classifier.1", "classifier.2", "classifier.3" };
        var last = Array.FindLastIndex(names, name => layer == null || name == layer || name.StartsWith(layer + "."));
        foreach (var name in names[..(last + 1)])
            x = ((nn.Module<Tensor, Tensor>)module.named_modules().Single(entry => entry.name == name).module).call(x);
        return (x.dim() == 4 && pool ? x.mean([2, 3]) : x).flatten().data<float>().ToArray();
    }
}
