using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Gan;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Gan;

/// <summary>What is easily set wrong with generative networks is said, or does not matter.</summary>
[TestClass]
public sealed class GanMistakeTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>An epoch of 2 batches has no fifth step of the discriminator: the generator has its turn in the third epoch.</summary>
    [TestMethod]
    public void DiscriminatorSteps_AreCountedOverEpochs()
    {
        using var folder = new TemporaryFolder();
        var data = GanSample.Halves(Ml, 32);
        using var whole = Ml.GenerativeModels.Trainers.Dcgan(Steps(6)).Fit(data);
        CollectionAssert.AreEqual(new[] { 3, 5 }, whole.History.Epochs.Where(epoch => epoch.Training.ContainsKey("generatorLoss")).Select(epoch => epoch.Epoch).ToArray());
        for (var epochs = 4; epochs <= 6; epochs += 2)
        {
            var options = Steps(epochs);
            (options.CheckpointFolder, options.ResumeFromCheckpoint) = (folder.Path, true);
            using var resumed = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(data);
            if (epochs < 6)
                continue;
            foreach (var name in whole.Generator.WeightShapes.Keys)
                CollectionAssert.AreEqual(whole.Generator.GetWeights(name), resumed.Generator.GetWeights(name), name);
        }

        static DcganEstimator.Options Steps(int epochs)
        {
            var options = Options(epochs);
            (options.DiscriminatorSteps, options.Loss, options.LearningRateSchedule) = (5, AdversarialLoss.WassersteinGradientPenalty, LearningRateSchedule.Constant());
            return options;
        }
    }

    /// <summary>Between a sample of 3 values and one of 1, with labels of other slopes, the slope by the samples is 5.</summary>
    [TestMethod]
    public void GradientPenalty_IsOfTheSamples()
    {
        var slopes = tensor([3f, 4f, 7f, -9f]).unsqueeze(1);
        var real = tensor([1f, 2f, 1f, 0f]).unsqueeze(0);
        var generated = tensor([0f, 0f, 1f, 0f]).unsqueeze(0);
        var penalty = AdversarialLosses.GradientPenalty(input => input.matmul(slopes), real, generated, 2, null);
        Assert.AreEqual(16, penalty.item<float>(), 1e-4);
    }

    [TestMethod]
    public void DiscriminatorFeatures_RefuseWhatIsOutsideOfTheRange()
    {
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(Options(1)).Fit(GanSample.Halves(Ml));
        var pixels = GanSample.Halves(Ml, scale: 255);
        var features = Ml.Transforms.DiscriminatorFeatures("Deep", "Features", gan).Fit(pixels).Transform(pixels);
        var message = Assert.ThrowsExactly<FormatException>(() => features.GetColumn<float[]>("Deep").First()).Message;
        foreach (var word in new[] { "'Features'", "row 0", "slot 0", "[0, 1]", "as in its training" })
            Assert.Contains(word, message);
        // Scaled as in the training, rows that were not in it can lie a little outside.
        var near = GanSample.Halves(Ml, scale: 1.5f);
        Assert.IsTrue(Ml.Transforms.DiscriminatorFeatures("Deep", "Features", gan).Fit(near).Transform(near).GetColumn<float[]>("Deep").All(row => row.All(float.IsFinite)));
    }

    [TestMethod]
    [DataRow(Activation.Sigmoid)]
    [DataRow(Activation.Tanh)]
    [DataRow(Activation.Softsign)]
    public void DiscriminatorThatLimitsItsLogit_RefusedByName(Activation activation)
    {
        var small = GanSample.SmallImages();
        var options = Options(1);
        options.Networks = new GanNetworks { LatentSize = small.LatentSize, Generator = small.Generator, Discriminator = [new SequenceLayer([.. small.Discriminator, new ActivationLayer(activation)])] };
        var e = Assert.ThrowsExactly<ArgumentException>(() => Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml)));
        Assert.AreEqual("Networks", e.ParamName);
        StringAssert.Contains(e.Message, $"Networks: the discriminator ends with ActivationLayer(Activation.{activation}), which limits what it returns; all losses take logits, any number. End it with the DenseLayer before");
    }

    [TestMethod]
    public void SamplesThatAreNotImages_CannotBeDrawn_AndTheMessageSaysWhatTheyAre()
    {
        using var folder = new TemporaryFolder();
        using var gan = Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options { Networks = GanSample.SmallPoints(), Epochs = 1, Seed = 1, ThreadCount = 1 }).Fit(GanSample.Points(Ml, 64));
        var e = Assert.ThrowsExactly<ArgumentException>(() => gan.SaveSamplesPng(folder.File("samples.png")));
        StringAssert.Contains(e.Message, "The samples of this GAN cannot be drawn: they are 2 numbers, not images. Vectors that hold images need ImageShape in the training.");
    }

    [TestMethod]
    public void DataInASmallPartOfTheRange_IsSaid()
    {
        var options = Options(1);
        options.ValueRange = ValueRange.Pixels;
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml));
        Assert.ContainsSingle(gan.History.Warnings.Where(warning => warning.Contains("0.4 % of ValueRange, [0, 255]")));
    }

    [TestMethod]
    public void ClassWithoutRows_IsNamed()
    {
        var options = Options(1, conditional: true);
        var data = GanSample.Halves(Ml, 60);
        var left = Ml.Data.FilterRowsByKeyColumnFraction(data, "Class", 0, 0.5);
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(left);
        Assert.ContainsSingle(gan.History.Warnings.Where(warning => warning.Contains("no rows of right in column 'Class'")));
    }

    /// <summary>They are counted, and the training is that of the other rows.</summary>
    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void RowsWithoutALabel_AreLeftOutWithOneWarning(Buffering buffering)
    {
        var options = Options(2, conditional: true);
        options.Buffering = buffering;
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml, 40, unlabeled: 8));
        Assert.ContainsSingle(gan.History.Warnings.Where(warning => warning.Contains("8 rows have no label in column 'Class' and were skipped.")));
        Assert.AreEqual(32, gan.History.Epochs[^1].Examples);
        using var others = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(Ml.Data.SkipRows(GanSample.Halves(Ml, 40), 8));
        Assert.IsFalse(others.History.Warnings.Any(warning => warning.Contains("no label")));
        if (buffering == Buffering.InMemory)
            Outcome.AssertSameBits(Outcome.Weights(others.Generator), Outcome.Weights(gan.Generator));
        Assert.Contains("None of the 8 rows", Assert.ThrowsExactly<ArgumentException>(() => Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml, 8, unlabeled: 8))).Message);
    }

    [TestMethod]
    public void RowWithoutALabel_HasNoSample_AndIsNamed()
    {
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(Options(1, conditional: true)).Fit(GanSample.Halves(Ml, 32));
        var message = Assert.ThrowsExactly<FormatException>(() => gan.Transform(GanSample.Halves(Ml, 5, unlabeled: 1)).GetColumn<float[]>("Sample").ToArray()).Message;
        foreach (var word in new[] { "Label column 'Class'", "row 0", "the value is missing", "left, right" })
            Assert.Contains(word, message);
    }

    [TestMethod]
    public void NoiseColumnOfAnotherSize_IsNamedBeforeTraining()
    {
        var options = Options(1000);
        options.NoiseColumnName = "Features";
        Assert.Contains("Noise column 'Features'", Assert.ThrowsExactly<ArgumentException>(() => Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml))).Message);
    }

    [TestMethod]
    public void PlaceForALabel_WithoutALabel_IsRefused()
    {
        var options = Options(1, conditional: true);
        options.LabelColumnName = null;
        Assert.Contains("LabelColumnName is not set", Assert.ThrowsExactly<ArgumentException>(() => Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml))).Message);
    }

    [TestMethod]
    public void ImagesInAPlainVector_NeedAShape()
    {
        var flat = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(_ => new Flat()).ToArray());
        Assert.Contains("set ImageShape", Assert.ThrowsExactly<ArgumentException>(() => Ml.GenerativeModels.Trainers.Dcgan(Options(1)).Fit(flat)).Message);
    }

    /// <summary>An arc between corners of the noise's square would leave it.</summary>
    [TestMethod]
    public void WayOfUniformNoise_IsALine()
    {
        var networks = GanSample.SmallPoints() with { LatentSize = 2, LatentDistribution = LatentDistribution.Uniform };
        using var gan = Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options { Networks = networks, Epochs = 1, Seed = 1, ThreadCount = 1 }).Fit(GanSample.Points(Ml, 64));
        var close = Comparer<float>.Create((a, b) => MathF.Abs(a - b) < 1e-5f ? 0 : a.CompareTo(b));
        CollectionAssert.AreEqual(gan.Sample([1, 0]), gan.Interpolate([1, 1], [1, -1], 3)[1], close);
        CollectionAssert.AreEqual(gan.Sample([MathF.Sqrt(2), 0]), gan.Interpolate([1, 1], [1, -1], 3, spherical: true)[1], close);
    }

    /// <summary>A critic's outputs have no zero: that all are greater for real samples and positive for all says nothing.</summary>
    [TestMethod]
    public void SurePassOfACritic_IsNoWarning()
    {
        foreach (var loss in new[] { AdversarialLoss.WassersteinGradientPenalty, AdversarialLoss.NonSaturating })
        {
            var options = Options(2);
            (options.Loss, options.LearningRate, options.DiscriminatorLearningRate, options.LearningRateSchedule) = (loss, 1e-9, 1e-2, LearningRateSchedule.Constant());
            options.Networks = GanSample.SmallImages() with { Discriminator = [new DenseLayer(16), new ActivationLayer(), new DenseLayer()] };
            options.Epochs = 20;
            using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml));
            Assert.AreEqual(loss == AdversarialLoss.NonSaturating, gan.History.Warnings.Any(warning => warning.Contains("recognized all real", StringComparison.Ordinal)), $"{loss}: {string.Join("; ", gan.History.Warnings)}");
        }
    }

    /// <summary>The moving average of a vector that turns is shorter than the vectors; the weights are still divided by their norm.</summary>
    [TestMethod]
    public void SpectralNormalization_DoesNotDependOnTheLengthOfItsVector()
    {
        using var scope = NewDisposeScope();
        var layer = new SpectralNormalizationLayer(new DenseLayer(3));
        using var network = layer.CreateModule(LayerShape.OfVector(2), new LayerSite("a", 3));
        network.eval();
        using var noGradient = no_grad();
        var x = ones(1, 2);
        var before = network.call(x).clone();
        network.named_buffers().Single(buffer => buffer.name.EndsWith('u')).buffer.mul_(0.25f);
        Assert.IsLessThan(1e-5f, (network.call(x) - before).abs().max().item<float>());
    }

    /// <summary>The float nearest to 0.3 is greater than 0.3; training takes it, so that inpainting must.</summary>
    [TestMethod]
    public void PixelsAtTheLimit_CanBeInpainted()
    {
        var options = Options(1);
        options.ValueRange = new ValueRange(0, 0.3);
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml, scale: 0.3f));
        var image = Ml.Data.LoadFromEnumerable([new Flat { Features = Enumerable.Repeat(0.3f, 64).ToArray() }]);
        var search = new InpaintingEstimator.Options { ImageColumnName = "Features", OutputColumnName = "Whole", MaskShape = InpaintingMaskShape.Center, HoleSide = 2, Restarts = 1, Steps = 1 };
        Assert.AreEqual(0.3f, Ml.Transforms.Inpaint(gan, search).Fit(image).Transform(image).GetColumn<float[]>("Whole").Single()[0]);
    }

    [TestMethod]
    public void NamedLayers_AreCopied()
    {
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(Options(1)).Fit(GanSample.Halves(Ml));
        var layers = new List<string> { "layers.1" };
        var estimator = Ml.Transforms.DiscriminatorFeatures(gan, new() { Layers = layers, OutputColumnName = "Deep" });
        layers[0] = "nowhere";
        Assert.IsNotNull(estimator.Fit(GanSample.Halves(Ml)));
    }

    [TestMethod]
    public void RowsWithoutAClass_AreSaidWhereModesAreCounted()
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning ? [log.Message] : []);
        Assert.AreEqual(5, ml.GenerativeModels.EvaluateModes(GanSample.Halves(Ml, 20, unlabeled: 5), ["Class"]).RowsWithoutClass);
        StringAssert.Contains(warnings.Single(), "5 of 20 generated rows have no class");
    }

    [TestMethod]
    public void SearchThatLeavesAllNumbers_IsSaid()
    {
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(Options(1)).Fit(GanSample.Halves(Ml));
        var options = new InpaintingEstimator.Options { ImageColumnName = "Features", OutputColumnName = "Whole", MaskShape = InpaintingMaskShape.Center, HoleSide = 2, LearningRate = 1e30, DiscriminatorWeight = 1, Restarts = 2, Steps = 5 };
        var whole = Ml.Transforms.Inpaint(gan, options).Fit(GanSample.Halves(Ml, 1)).Transform(GanSample.Halves(Ml, 1));
        try
        {
            Assert.IsTrue(whole.GetColumn<float[]>("Whole").Single().All(float.IsFinite));
        }
        catch (ArithmeticException e)
        {
            Assert.Contains("smaller LearningRate", e.Message);
        }
    }

    private static DcganEstimator.Options Options(int epochs, bool conditional = false) => new()
    {
        LabelColumnName = conditional ? "Class" : null, Networks = GanSample.SmallImages(conditional), Epochs = epochs, BatchSize = 16, Seed = TestSeed.Of(1), ThreadCount = 1,
    };

    private sealed class Flat
    {
        [VectorType(64)]
        public float[] Features { get; set; } = new float[64];
    }
}
