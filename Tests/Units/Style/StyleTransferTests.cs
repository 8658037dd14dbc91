using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Loading;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Style;

/// <summary>Style transfer by optimization: what is known of the result.</summary>
[TestClass]
public sealed class StyleTransferTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    public void ContentAlone_FromNoise_ComesBack()
    {
        using var sample = new StyleSample();
        var losses = new List<StyleTransferProgress>();
        StyleSample.Paint(_ml, sample.Options(o => (o.StyleWeight, o.TotalVariationWeight, o.Start, o.Iterations, o.Progress) = (0, 0, StyleTransferStart.Noise, 300, new Recorder(losses))), StyleSample.Scene());
        Assert.HasCount(300, losses);
        Floor.Below(.06, losses[^1].ContentLoss / losses[0].ContentLoss, "content left");
    }

    [TestMethod]
    public void StyleIsContent_PictureStays()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var painted = StyleSample.Paint(_ml, sample.Options(o => (o.StyleImages, o.TotalVariationWeight) = ([scene], 0)), scene);
        Assert.IsLessThanOrEqualTo(1, StyleSample.Distance(scene, painted[0]));
    }

    [TestMethod]
    public void NoStyle_ContentStays()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var painted = StyleSample.Paint(_ml, sample.Options(o => (o.StyleWeight, o.TotalVariationWeight) = (0, 0)), scene);
        Assert.AreEqual(0, StyleSample.Distance(scene, painted[0]));
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(false)]
    [DataRow(true)]
    public void Loss_Falls(bool lbfgs)
    {
        using var sample = new StyleSample();
        var losses = new List<StyleTransferProgress>();
        StyleSample.Paint(_ml, sample.Options(o => (o.Iterations, o.Optimizer, o.Progress) = (60, lbfgs ? new LbfgsOptimizer() : new AdamOptimizer(), new Recorder(losses))), StyleSample.Scene());
        Floor.Below(lbfgs ? .5 : .35, losses.Min(report => report.Loss) / losses[0].Loss, lbfgs ? "L-BFGS" : "Adam");
    }

    [TestMethod]
    public void PreserveColors_ChromaStays()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var painted = StyleSample.Paint(_ml, sample.Options(o => o.PreserveColors = true), scene)[0];
        var (before, after) = (StyleSample.Bytes(scene), StyleSample.Bytes(painted));
        var changed = 0;
        for (var i = 0; i < before.Length; i += 4)
        {
            Assert.IsLessThanOrEqualTo(1, Math.Abs(after[i] - after[i + 1] - (before[i] - before[i + 1])), "red minus green");
            Assert.IsLessThanOrEqualTo(1, Math.Abs(after[i + 2] - after[i + 1] - (before[i + 2] - before[i + 1])), "blue minus green");
            changed = Math.Max(changed, Math.Abs(after[i + 1] - before[i + 1]));
        }
        Assert.IsGreaterThan(10, changed, "the luminance changes");
    }

    [TestMethod]
    public void Mask_BlackStays_WhiteChanges()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var mask = TestImages.Create(PictureSample.Width, PictureSample.Height, (_, x) => x < 16 ? ((byte)0, (byte)0, (byte)0) : ((byte)255, (byte)255, (byte)255));
        var data = _ml.Data.LoadFromEnumerable([new PictureSample { Image = scene, Mask = mask }]);
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => o.MaskColumnName = "Mask")).Fit(data);
        using var painted = StyleSample.Read(transformer.Transform(data), "Styled")[0];
        var differences = StyleSample.Bytes(scene).Zip(StyleSample.Bytes(painted)).Select((pair, i) => (X: i / 4 % PictureSample.Width, Value: Math.Abs(pair.First - pair.Second))).ToArray();
        Assert.AreEqual(0, differences.Where(entry => entry.X < 16).Max(entry => entry.Value));
        Assert.IsGreaterThan(10, differences.Where(entry => entry.X >= 16).Max(entry => entry.Value));
    }

    [TestMethod]
    public void TwoStyles_OneWithoutShare_SameAsTheOtherAlone()
    {
        using var sample = new StyleSample();
        using var gray = TestImages.Solid(30, 30, 128, 128, 128);
        var both = StyleSample.Paint(_ml, sample.Options(o => (o.StyleImages, o.StyleBlendWeights) = ([StyleSample.Stripes(), gray], [3, 0])), StyleSample.Scene())[0];
        var one = StyleSample.Paint(_ml, sample.Options(), StyleSample.Scene())[0];
        Assert.IsLessThanOrEqualTo(1, StyleSample.Distance(one, both));
    }

    [TestMethod]
    public void SavedAndLoaded_SamePicture_EvenFromNoise()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var data = StyleSample.View(_ml, scene);
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => (o.Start, o.Iterations, o.Optimizer) = (StyleTransferStart.Noise, 5, new LbfgsOptimizer { HistorySize = 3 }))).Fit(data);
        using var file = new MemoryStream();
        _ml.Model.Save(transformer, null, file);
        file.Position = 0;
        using var loaded = (StyleTransferTransformer)new MLContext(7).Model.Load(file, out _);
        var (before, after) = (StyleSample.Read(transformer.Transform(data), "Styled")[0], StyleSample.Read(loaded.Transform(data), "Styled")[0]);
        Assert.AreEqual(0, StyleSample.Distance(before, after));
    }

    /// <summary>The part of the network that is saved need not have all the layers by which the usual ones are known.</summary>
    [TestMethod]
    public void SavedWithUsualContentLayers_AndEarlyStyleLayers_IsLoaded()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        LossNetworkSample.Write(sample.WeightsPath, 5, LossNetworkSample.NamedLikeVgg);
        var data = StyleSample.View(_ml, scene);
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => (o.Architecture, o.ContentLayers, o.StyleLayers, o.Iterations) = (LossNetworkSample.NamedLikeVgg, null, ["relu1_1"], 3))).Fit(data);
        using var file = new MemoryStream();
        _ml.Model.Save(transformer, null, file);
        file.Position = 0;
        using var loaded = (StyleTransferTransformer)new MLContext(7).Model.Load(file, out _);
        Assert.AreEqual(0, StyleSample.Distance(StyleSample.Read(transformer.Transform(data), "Styled")[0], StyleSample.Read(loaded.Transform(data), "Styled")[0]));
    }

    [TestMethod]
    public void Noise_IsTheSameInEveryRow()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var painted = StyleSample.Paint(_ml, sample.Options(o => (o.Start, o.Iterations) = (StyleTransferStart.Noise, 3)), scene, scene);
        Assert.AreEqual(0, StyleSample.Distance(painted[0], painted[1]));
    }

    /// <summary>Colors of images are multiplied by their opacity: what is missing to 255 is white, and taken away again.</summary>
    [TestMethod]
    public void HalfTransparent_PaintedAsOnWhite()
    {
        using var sample = new StyleSample();
        var opaque = StyleSample.Bytes(StyleSample.Scene());
        var (on, over) = (opaque.ToArray(), opaque.ToArray());
        for (var i = 0; i < opaque.Length; i++)
        {
            var alpha = i % 8 < 4 ? 255 : 100;
            (on[i], over[i]) = i % 4 == 3 ? ((byte)alpha, (byte)255) : ((byte)(opaque[i] * alpha / 255), (byte)((opaque[i] * alpha / 255) + 255 - alpha));
        }
        using var transparent = MLImage.CreateFromPixels(PictureSample.Width, PictureSample.Height, MLPixelFormat.Rgba32, on);
        using var flat = MLImage.CreateFromPixels(PictureSample.Width, PictureSample.Height, MLPixelFormat.Rgba32, over);
        var (seen, white) = (StyleSample.Bytes(StyleSample.Paint(_ml, sample.Options(), transparent)[0]), StyleSample.Bytes(StyleSample.Paint(_ml, sample.Options(), flat)[0]));
        for (var i = 0; i < seen.Length; i++)
        {
            var alpha = i % 8 < 4 ? 255 : 100;
            Assert.AreEqual(i % 4 == 3 ? alpha : Math.Clamp(white[i] - (255 - alpha), 0, alpha), seen[i]);
        }
        using var unchanged = StyleSample.Paint(_ml, sample.Options(o => (o.StyleWeight, o.TotalVariationWeight) = (0, 0)), transparent)[0];
        Assert.IsLessThanOrEqualTo(1, StyleSample.Distance(transparent, unchanged));
    }

    [TestMethod]
    public void Rows_DoNotDependOnEachOther_AndThreadsNeither()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        using var other = StyleSample.Stripes();
        var data = StyleSample.View(_ml, other, scene);
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => o.Iterations = 5)).Fit(data);
        var expected = StyleSample.Read(transformer.Transform(data), "Styled");
        Parallel.For(0, 4, _ =>
        {
            var alone = StyleSample.Read(transformer.Transform(StyleSample.View(new MLContext(2), scene)), "Styled")[0];
            Assert.AreEqual(0, StyleSample.Distance(expected[1], alone));
        });
    }

    [TestMethod]
    public void Transparency_Stays()
    {
        using var sample = new StyleSample();
        var bytes = StyleSample.Scene().Pixels.ToArray();
        for (var i = 3; i < bytes.Length / 2; i += 4)
            bytes[i] = 0;
        using var transparent = MLImage.CreateFromPixels(PictureSample.Width, PictureSample.Height, MLPixelFormat.Bgra32, bytes);
        using var painted = StyleSample.Paint(_ml, sample.Options(), transparent)[0];
        var values = StyleSample.Bytes(painted);
        for (var i = 3; i < values.Length; i += 4)
            Assert.AreEqual(i < bytes.Length / 2 ? 0 : 255, values[i]);
    }

    [TestMethod]
    public void Cancelled_Throws_AndLeavesNoTensor()
    {
        using var sample = new StyleSample();
        using var source = new CancellationTokenSource();
        var seen = 0;
        var options = sample.Options(o => (o.CancellationToken, o.Progress) = (source.Token, new Recorder([], () =>
        {
            if (++seen == 3)
                source.Cancel();
        })));
        using var scene = StyleSample.Scene();
        var data = StyleSample.View(_ml, scene);
        using var transformer = _ml.Transforms.StyleTransfer(options).Fit(data);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Assert.ThrowsExactly<OperationCanceledException>(() => StyleSample.Read(transformer.Transform(data), "Styled"));
        Assert.AreEqual(3, seen);
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [TestMethod]
    public void LossColumn_IsTheLeastLoss()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var reports = new List<StyleTransferProgress>();
        var data = StyleSample.View(_ml, scene);
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => (o.LossColumnName, o.Progress) = ("Loss", new Recorder(reports)))).Fit(data);
        var loss = transformer.Transform(data).GetColumn<float>("Loss").Single();
        Assert.IsLessThanOrEqualTo((float)reports.Min(report => report.Loss), loss);
        Assert.IsGreaterThan(.5 * reports.Min(report => report.Loss), loss);
        Assert.HasCount(30, reports);
    }

    [TestMethod]
    public void Progress_HasLossesAndPictures()
    {
        using var sample = new StyleSample();
        var reports = new List<StyleTransferProgress>();
        StyleSample.Paint(_ml, sample.Options(o => (o.Iterations, o.PictureInterval, o.Progress) = (10, 4, new Recorder(reports))), StyleSample.Scene());
        CollectionAssert.AreEqual(Enumerable.Range(1, 10).ToArray(), reports.Select(report => report.Iteration).ToArray());
        CollectionAssert.AreEqual(new[] { 4, 8 }, reports.Where(report => report.Picture != null).Select(report => report.Iteration).ToArray());
        CollectionAssert.AreEqual(new[] { "features.1", "features.4", "features.6" }, reports[0].StyleLossByLayer.Keys.ToArray());
        foreach (var report in reports)
        {
            Assert.AreEqual(report.ContentLoss + (20 * report.StyleLoss) + report.TotalVariation, report.Loss, 1e-4 * report.Loss);
            Assert.AreEqual(report.StyleLossByLayer.Values.Sum(), report.StyleLoss, 1e-5 * report.StyleLoss);
        }
        Assert.AreEqual(PictureSample.Width, reports[3].Picture!.Width);
    }

    [TestMethod]
    [DataRow(false, 2)]
    [DataRow(true, 3)]
    public void StyleIsMeasuredOnce_UnlessItDependsOnTheRow(bool preserveColors, int passesBesideSteps)
    {
        using var sample = new StyleSample();
        var data = StyleSample.View(_ml, StyleSample.Scene(), StyleSample.Scene(), StyleSample.Scene());
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => (o.Iterations, o.PreserveColors) = (4, preserveColors))).Fit(data);
        var passes = 0;
        var first = (nn.Module<Tensor, Tensor>)transformer.LossNetwork.Network.named_modules().Single(entry => entry.name == "features.0").module;
        first.register_forward_hook((_, _, output) =>
        {
            passes++;
            return output;
        });
        var pictures = StyleSample.Read(transformer.Transform(data), "Styled");
        // In each row the content, the steps, and the loss of the last one; the style once, or in each row.
        Assert.AreEqual(preserveColors ? 3 * (4 + passesBesideSteps) : (3 * (4 + passesBesideSteps)) + 1, passes);
        Assert.AreEqual(0, StyleSample.Distance(pictures[0], pictures[2]));
    }

    [TestMethod]
    public void Log_SaysOnceThatRowsAreOptimized_AndNothingOfEachPicture()
    {
        using var sample = new StyleSample();
        var lines = new List<string>();
        var ml = new MLContext(1);
        ml.Log += (_, e) => lines.Add(e.Message);
        var data = StyleSample.View(ml, StyleSample.Scene(), StyleSample.Scene());
        var pipeline = ml.Transforms.StyleTransfer(sample.Options(o => o.Iterations = 1)).Append(ml.Transforms.CopyColumns("Copy", "Styled"));
        using var model = pipeline.Fit(data);
        StyleSample.Read(model.Transform(data), "Styled");
        Assert.HasCount(1, lines.Where(line => line.Contains("is optimized in 1 steps", StringComparison.Ordinal)).ToArray());
        Assert.IsEmpty(lines.Where(line => line.Contains("epoch 1", StringComparison.Ordinal)).ToArray());
    }

    [TestMethod]
    public void HostsTorchState_ChangesNothing_AndStays()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var data = StyleSample.View(_ml, scene);
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => (o.Iterations, o.Optimizer) = (6, new LbfgsOptimizer()))).Fit(data);
        var expected = StyleSample.Read(transformer.Transform(data), "Styled")[0];
        using (torch.no_grad())
        using (torch.inference_mode())
        {
            Assert.AreEqual(0, StyleSample.Distance(expected, StyleSample.Read(transformer.Transform(data), "Styled")[0]));
            Assert.IsTrue(torch.is_inference_mode_enabled());
            Assert.IsFalse(torch.is_grad_enabled());
        }
        Assert.IsTrue(torch.is_grad_enabled());
    }

    [TestMethod]
    public void Painted_LeavesNoTensor_AndPredictionEngineDoesTheSame()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var data = StyleSample.View(_ml, scene);
        using var transformer = _ml.Transforms.StyleTransfer(sample.Options(o => o.Iterations = 3)).Fit(data);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        var expected = StyleSample.Read(transformer.Transform(data), "Styled")[0];
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        using var engine = _ml.Model.CreatePredictionEngine<PictureSample, Painted>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(0, StyleSample.Distance(expected, engine.Predict(new PictureSample { Image = StyleSample.Scene() }).Styled!));
    }

    [TestMethod]
    public void Disposed_SaysSo()
    {
        using var sample = new StyleSample();
        using var scene = StyleSample.Scene();
        var data = StyleSample.View(_ml, scene);
        var transformer = _ml.Transforms.StyleTransfer(sample.Options()).Fit(data);
        var view = transformer.Transform(data);
        transformer.Dispose();
        var e = Assert.ThrowsExactly<ObjectDisposedException>(() => StyleSample.Read(view, "Styled"));
        StringAssert.Contains(e.Message, nameof(StyleTransferTransformer));
    }

    private sealed class Painted
    {
        [Microsoft.ML.Transforms.Image.ImageType(PictureSample.Height, PictureSample.Width)]
        public MLImage? Styled { get; set; }
    }

    private sealed class Recorder(List<StyleTransferProgress> reports, Action? then = null) : IProgress<StyleTransferProgress>
    {
        public void Report(StyleTransferProgress value)
        {
            reports.Add(value);
            then?.Invoke();
        }
    }
}
