using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tests.Gan;

/// <summary>Holes in images of a bright and a dark half, filled by a small GAN.</summary>
[TestClass]
public sealed class InpaintingTests
{
    private const int Side = GanSample.Side;
    private const int Pixels = Side * Side;
    private static readonly MLContext Ml = new(1);
    private static readonly Lazy<GanTransformer> Plain = new(() => Train(1));
    private static readonly Lazy<GanTransformer> Conditional = new(() => Train(1, conditional: true));

    [ClassCleanup]
    public static void Free()
    {
        foreach (var gan in new[] { Plain, Conditional }.Where(gan => gan.IsValueCreated))
            gan.Value.Dispose();
    }

    /// <summary>The right half of unseen images is seen from the left one; the mean image is gray there.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    [DataRow(5)]
    public void Half_IsNearerToTheTruthThanTheMeanImage(int seed)
    {
        using var gan = Train(TestSeed.Of(seed));
        var training = GanSample.Halves(Ml).GetColumn<float[]>("Features").ToArray();
        var mean = Enumerable.Range(0, Pixels).Select(p => training.Average(image => image[p])).ToArray();
        foreach (var fill in new[] { InpaintingFill.WeightedMean, InpaintingFill.Best })
        {
            using var inpainting = Ml.Transforms.Inpaint(gan, Half(options => (options.Fill, options.Seed) = (fill, seed))).Fit(Images(8));
            var view = inpainting.Transform(Images(8));
            var (truths, filled) = (view.GetColumn<float[]>("Features").ToArray(), view.GetColumn<float[]>("Whole").ToArray());
            Floor.Below(0.3, Error(truths, filled) / Error(truths, truths.Select(_ => mean)), $"{fill}, seed {seed}: squared error in the hole, of that of the mean image");
        }
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void KnownPixels_ComeBackBitForBit(bool blend)
    {
        using var inpainting = Ml.Transforms.Inpaint(Plain.Value, Half(options =>
        {
            (options.MaskShape, options.UsedMaskColumnName, options.PoissonBlend, options.Steps) = (InpaintingMaskShape.Random, "Holes", blend, 10);
        })).Fit(Images(4));
        var view = inpainting.Transform(Images(4));
        var images = view.GetColumn<float[]>("Features").ToArray();
        var (filled, masks) = (view.GetColumn<float[]>("Whole").ToArray(), view.GetColumn<float[]>("Holes").ToArray());
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 1, Side, Side), view.Schema["Whole"].Type);
        for (var row = 0; row < 4; row++)
        {
            Assert.AreEqual(51, masks[row].Count(x => x == 1), "80 % of 64");
            for (var p = 0; p < Pixels; p++)
            {
                if (masks[row][p] == 0)
                    Assert.AreEqual(BitConverter.SingleToInt32Bits(images[row][p]), BitConverter.SingleToInt32Bits(filled[row][p]));
                else
                    Assert.IsTrue(filled[row][p] is >= 0 and <= 1 && filled[row][p] != images[row][p], "filled, in the range");
            }
        }
    }

    [TestMethod]
    public void Row_DoesNotDependOnOthers()
    {
        using var inpainting = Ml.Transforms.Inpaint(Conditional.Value, Half(options => options.LatentColumnName = "Noise")).Fit(Images(6));
        var (all, noises) = (inpainting.Transform(Images(6)).GetColumn<float[]>("Whole").ToArray(), inpainting.Transform(Images(6)).GetColumn<float[]>("Noise").ToArray());
        for (var row = 0; row < 6; row++)
        {
            var alone = inpainting.Transform(Ml.Data.TakeRows(Ml.Data.SkipRows(GanSample.Halves(Ml, 128 + 6), 128 + row), 1));
            AssertClose(all[row], alone.GetColumn<float[]>("Whole").Single(), 1e-4f);
            AssertClose(noises[row], alone.GetColumn<float[]>("Noise").Single(), 1e-4f);
        }
        var together = new float[6][][];
        Parallel.For(0, 6, thread => together[thread] = inpainting.Transform(Images(6)).GetColumn<float[]>("Whole").ToArray());
        foreach (var thread in together)
        {
            for (var row = 0; row < 6; row++)
                AssertClose(all[row], thread[row], 1e-4f);
        }
    }

    /// <summary>Noise and class say what the best candidate is: the GAN generates it from them. The search finds the class.</summary>
    [TestMethod]
    public void LatentColumn_GivesTheImageAgain()
    {
        using var inpainting = Ml.Transforms.Inpaint(Conditional.Value, Half(options =>
        {
            (options.LatentColumnName, options.ClassColumnName, options.LossColumnName) = ("Noise", "Found", "Loss");
            options.Fill = InpaintingFill.Best;
        })).Fit(Images(8));
        var view = inpainting.Transform(Images(8));
        var (noises, classes) = (view.GetColumn<float[]>("Noise").ToArray(), view.GetColumn<uint>("Found").ToArray());
        var filled = view.GetColumn<float[]>("Whole").ToArray();
        for (var row = 0; row < 8; row++)
        {
            var again = Conditional.Value.Sample(noises[row], GanSample.Names[classes[row] - 1]);
            AssertClose(Hole(again), Hole(filled[row]), 1e-4f);
        }
        CollectionAssert.AreEqual(view.GetColumn<uint>("Class").ToArray(), classes);
        Assert.IsTrue(view.GetColumn<float>("Loss").All(loss => loss > 0));
        VBuffer<ReadOnlyMemory<char>> names = default;
        view.Schema["Found"].GetKeyValues(ref names);
        CollectionAssert.AreEqual(GanSample.Names, names.DenseValues().Select(name => name.ToString()).ToArray());
    }

    /// <summary>More steps find smaller losses, and the class that is given is the class that is found.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Options_DoWhatTheySay()
    {
        Floor.Below(0.9, Losses(options => options.Steps = 100).Average() / Losses(options => options.Steps = 1).Average(), "loss after 100 steps, of that after 1");
        Assert.IsLessThanOrEqualTo(Losses(options => options.Restarts = 1).Average(), Losses(options => options.Restarts = 8).Average());
        Assert.IsGreaterThan(Losses(_ => { }).Average(), Losses(options => options.DiscriminatorWeight = 1).Average());
        using var given = Ml.Transforms.Inpaint(Conditional.Value, Half(options => (options.LabelColumnName, options.ClassColumnName, options.Steps) = ("Class", "Found", 3))).Fit(Images(8));
        var view = given.Transform(Images(8));
        CollectionAssert.AreEqual(view.GetColumn<uint>("Class").ToArray(), view.GetColumn<uint>("Found").ToArray());

        static float[] Losses(Action<InpaintingEstimator.Options> change)
        {
            using var inpainting = Ml.Transforms.Inpaint(Plain.Value, Half(options =>
            {
                (options.LossColumnName, options.Steps) = ("Loss", 20);
                change(options);
            })).Fit(Images(4));
            return inpainting.Transform(Images(4)).GetColumn<float>("Loss").ToArray();
        }
    }

    [TestMethod]
    public void Saved_AndLoaded_FillsTheSame()
    {
        using var inpainting = Ml.Transforms.Inpaint(Conditional.Value, Half(options =>
        {
            (options.LatentColumnName, options.LossColumnName, options.ClassColumnName, options.UsedMaskColumnName) = ("Noise", "Loss", "Found", "Holes");
            (options.MaskShape, options.HoleSide, options.Restarts, options.Temperature, options.PoissonBlend, options.Steps) = (InpaintingMaskShape.Center, 3, 2, 0.2, true, 20);
        })).Fit(Images(3));
        using var stream = new MemoryStream();
        Ml.Model.Save(inpainting, Images(3).Schema, stream);
        using var loaded = (InpaintingTransformer)new MLContext(9).Model.Load(stream, out _);
        var (expected, actual) = (inpainting.Transform(Images(3)), loaded.Transform(Images(3)));
        foreach (var column in new[] { "Whole", "Noise", "Holes" })
            CollectionAssert.AreEqual(expected.GetColumn<float[]>(column).SelectMany(x => x).ToArray(), actual.GetColumn<float[]>(column).SelectMany(x => x).ToArray(), column);
        CollectionAssert.AreEqual(expected.GetColumn<float>("Loss").ToArray(), actual.GetColumn<float>("Loss").ToArray());
        CollectionAssert.AreEqual(expected.GetColumn<uint>("Found").ToArray(), actual.GetColumn<uint>("Found").ToArray());
        Assert.AreEqual(expected.Schema["Found"].Annotations.Schema.Count, actual.Schema["Found"].Annotations.Schema.Count);
    }

    /// <summary>Masks of numbers and of flags are the same; nothing missing gives the image back, and its noise still.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Masks_AsNumbersAndAsFlags()
    {
        var mask = Enumerable.Range(0, Pixels).Select(p => p % Side >= Side / 2 ? 1f : 0).ToArray();
        using var made = Ml.Transforms.Inpaint(Plain.Value, Half(options => (options.Steps, options.Restarts) = (120, null))).Fit(Images(1));
        using var numbers = Ml.Transforms.Inpaint("Whole", "Features", "Mask", Plain.Value).Fit(Masked(mask));
        using var flags = Ml.Transforms.Inpaint("Whole", "Features", "Flags", Plain.Value).Fit(Masked(mask));
        var expected = made.Transform(Masked(mask)).GetColumn<float[]>("Whole").Single();
        CollectionAssert.AreEqual(expected, numbers.Transform(Masked(mask)).GetColumn<float[]>("Whole").Single());
        CollectionAssert.AreEqual(expected, flags.Transform(Masked(mask)).GetColumn<float[]>("Whole").Single());

        var whole = Masked(new float[Pixels]);
        CollectionAssert.AreEqual(whole.GetColumn<float[]>("Features").Single(), numbers.Transform(whole).GetColumn<float[]>("Whole").Single());
        using var inversion = Ml.Transforms.Inpaint(Plain.Value, Half(options => (options.MaskShape, options.LatentColumnName) = (InpaintingMaskShape.None, "Noise"))).Fit(whole);
        var noise = inversion.Transform(whole).GetColumn<float[]>("Noise").Single();
        Floor.Below(0.2, Plain.Value.Sample(noise).Zip(whole.GetColumn<float[]>("Features").Single(), (a, b) => Math.Abs(a - b)).Average(), "mean difference of the image that is generated again");
    }

    [TestMethod]
    public void PixelsInTheHole_AreNotUsed()
    {
        var mask = Enumerable.Range(0, Pixels).Select(p => p % Side >= Side / 2 ? 1f : 0).ToArray();
        using var inpainting = Ml.Transforms.Inpaint("Whole", "Features", "Mask", Plain.Value).Fit(Masked(mask));
        CollectionAssert.AreEqual(
            inpainting.Transform(Masked(mask)).GetColumn<float[]>("Whole").Single(),
            inpainting.Transform(Masked(mask, image => image[Side - 1] = 3e38f)).GetColumn<float[]>("Whole").Single());
    }

    [TestMethod]
    public void ImagesColumn_GivesImages()
    {
        var pixels = GanSample.Halves(Ml, scale: 255);
        var images = Ml.Transforms.ConvertToImage(Side, Side, "Image", "Features", ImagePixelExtractingEstimator.ColorBits.Red, interleavedColors: false)
            .Fit(pixels).Transform(pixels);
        var options = TrainingOptions(1);
        (options.FeatureColumnName, options.ImageShape, options.OutputImages, options.Epochs) = ("Image", new ImageShape(1, Side, Side), true, 2);
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(images);
        using var inpainting = Ml.Transforms.Inpaint(gan, Half(inpaint => (inpaint.ImageColumnName, inpaint.Steps) = ("Image", 5))).Fit(images);
        var first = inpainting.Transform(Ml.Data.TakeRows(images, 1));
        var filled = first.GetColumn<MLImage>("Whole").Single();
        Assert.AreEqual((Side, Side), (filled.Height, filled.Width));
    }

    /// <summary>The networks are those of the GAN: it frees them, and what fills holes with them does not.</summary>
    [TestMethod]
    public void NetworksBelongToTheGan()
    {
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(new DcganEstimator.Options { Networks = GanSample.SmallImages(), Epochs = 1, ThreadCount = 1 }).Fit(GanSample.Halves(Ml));
        var inpainting = Ml.Transforms.Inpaint(gan, Half(options => options.Steps = 1)).Fit(Images(1));
        var filled = inpainting.Transform(Images(2)).GetColumn<float[]>("Whole").ToArray();
        inpainting.Dispose();
        Assert.HasCount(Pixels, gan.Sample(new float[6]));
        CollectionAssert.AreEqual(filled[1], inpainting.Transform(Images(2)).GetColumn<float[]>("Whole").Last());
        var view = inpainting.Transform(Images(2));
        gan.Dispose();
        foreach (Action use in new Action[]
        {
            () => view.GetColumn<float[]>("Whole").ToArray(), () => inpainting.Transform(Images(1)), () => Ml.Model.Save(inpainting, Images(1).Schema, new MemoryStream()),
        })
            Assert.AreEqual(nameof(GanTransformer), Assert.ThrowsExactly<ObjectDisposedException>(use).ObjectName);
    }

    [TestMethod]
    public void BadInput_IsNamed()
    {
        Throws<FormatException>(Masked(Enumerable.Repeat(1f, Pixels).ToArray()), "row 0", "all pixels are missing");
        Throws<FormatException>(Masked(Mask(m => m[10] = 0.5f)), "Mask column 'Mask'", "row 0", "slot 10", "0.5");
        Throws<FormatException>(Masked(Mask(m => m[10] = float.NaN)), "Mask column 'Mask'", "slot 10", "NaN");
        Throws<FormatException>(Masked(Mask(_ => { }), image => image[3] = 200), "Image column 'Features'", "slot 3", "200", "[0, 1]");
        Throws<FormatException>(Masked(Mask(_ => { }), image => image[3] = float.NaN), "'Features'", "slot 3", "NaN");
        Throws<ArgumentException>(Masked(new float[10]), "Mask column 'Mask' has 10 values", "64");
        Throws<ArgumentException>(GanSample.Halves(Ml), "'Mask' is not in the data");
        Throws<ArgumentException>(GanSample.Halves(Ml, channels: 3), "Image column 'Features' has 192 values", "64 values");

        using var points = Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options { Networks = GanSample.SmallPoints(), Epochs = 1 }).Fit(GanSample.Points(Ml));
        Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.Transforms.Inpaint("Whole", "Features", "Mask", points)), "no images");
        foreach (var (change, name) in new (Action<InpaintingEstimator.Options>, string)[]
        {
            (options => options.MaskColumnName = "Mask", "MaskColumnName"), (options => options.MaskShape = null, "MaskShape"), (options => options.LabelColumnName = "Class", "LabelColumnName"),
            (options => options.Steps = 0, "Steps"), (options => options.Restarts = 0, "Restarts"), (options => options.LearningRate = 0, "LearningRate"), (options => options.Temperature = double.NaN, "Temperature"),
            (options => options.PriorWeight = -1, "PriorWeight"), (options => options.MissingShare = 1, "MissingShare"), (options => options.HoleSide = 9, "HoleSide"),
            (options => (options.MaskShape, options.HoleSide) = (InpaintingMaskShape.Center, 8), "MaskShape"), (options => options.LossColumnName = "Whole", "LossColumnName"),
        })
            Contains(Assert.Throws<ArgumentException>(() => Ml.Transforms.Inpaint(Plain.Value, Half(change))), name);

        using var labeled = Ml.Transforms.Inpaint(Conditional.Value, Half(options => options.LabelColumnName = "Class")).Fit(Images(1));
        Contains(Refusal<Exception>(labeled, Named("middle")), "middle");
        Contains(Refusal<FormatException>(labeled, Named("left", "right", "")), "'Class'", "row 2");
        Contains(Refusal<ArgumentException>(labeled, Ml.Transforms.DropColumns("Class").Fit(Images(1)).Transform(Images(1))), "'Class' is not in the data");
        Contains(Refusal<ArgumentException>(labeled, Ml.Transforms.CopyColumns("Class", "Features").Fit(Images(1)).Transform(Images(1))), "'Class'", "key");

        // Columns that do not say the size of their values tell it in each row.
        using var masked = Ml.Transforms.Inpaint("Whole", "Features", "Mask", Plain.Value).Fit(Masked(new float[Pixels]));
        using var flagged = Ml.Transforms.Inpaint("Whole", "Features", "Flags", Plain.Value).Fit(Masked(new float[Pixels]));
        Contains(Refusal<FormatException>(masked, Masked(new float[10], maskSize: 0)), "Mask column 'Mask', row 0", "10 values", "8 x 8");
        Contains(Refusal<FormatException>(flagged, Masked(new float[10], maskSize: 0)), "Mask column 'Flags', row 0", "10 values", "8 x 8");
        Contains(Refusal<ArgumentException>(masked, Images(1)), "'Mask' is not in the data");
        Contains(Refusal<ArgumentException>(masked, Ml.Transforms.DropColumns("Features").Fit(Masked(new float[Pixels])).Transform(Masked(new float[Pixels]))), "'Features' is not in the data");

        static T Refusal<T>(InpaintingTransformer inpainting, IDataView data)
            where T : Exception
        {
            return Assert.Throws<T>(() => inpainting.Transform(data).GetColumn<float[]>("Whole").ToArray());
        }

        static void Throws<T>(IDataView data, params string[] words)
            where T : Exception
        {
            Contains(Assert.Throws<T>(() => Ml.Transforms.Inpaint("Whole", "Features", "Mask", Plain.Value).Fit(data).Transform(data).GetColumn<float[]>("Whole").ToArray()), words);
        }

        static void Contains(Exception error, params string[] words)
        {
            foreach (var word in words)
                Assert.Contains(word, error.Message);
        }
    }

    /// <summary>Dark images and the names of their classes; an empty name is a missing one.</summary>
    private static IDataView Named(params string[] names)
    {
        var schema = SchemaDefinition.Create(typeof(NamedRow));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Pixels);
        var rows = Ml.Data.LoadFromEnumerable(names.Select(name => new NamedRow { Features = new float[Pixels], Class = name }).ToList(), schema);
        return Ml.Transforms.Conversion.MapValueToKey("Class").Fit(rows).Transform(rows);
    }

    private static GanTransformer Train(int seed, bool conditional = false)
    {
        var options = TrainingOptions(seed, conditional);
        return Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml));
    }

    private static DcganEstimator.Options TrainingOptions(int seed, bool conditional = false) => new()
    {
        Networks = GanSample.SmallImages(conditional),
        LabelColumnName = conditional ? "Class" : null,
        LearningRate = 2e-3,
        LearningRateSchedule = LearningRateSchedule.Constant(),
        EmaDecay = 0.9,
        Epochs = 30,
        BatchSize = 16,
        Seed = seed,
        ThreadCount = 1,
    };

    private static InpaintingEstimator.Options Half(Action<InpaintingEstimator.Options> change)
    {
        var options = new InpaintingEstimator.Options { OutputColumnName = "Whole", MaskShape = InpaintingMaskShape.RightHalf, Steps = 60, Restarts = 4 };
        change(options);
        return options;
    }

    /// <summary>Images that the GAN has not seen.</summary>
    private static IDataView Images(int rows) => Ml.Data.SkipRows(GanSample.Halves(Ml, 128 + rows), 128);

    private static float[] Mask(Action<float[]> change)
    {
        var mask = new float[Pixels];
        mask[1] = 1;
        change(mask);
        return mask;
    }

    private static IDataView Masked(float[] mask, Action<float[]>? change = null, int? maskSize = null)
    {
        var image = Images(1).GetColumn<float[]>("Features").Single();
        change?.Invoke(image);
        var schema = SchemaDefinition.Create(typeof(MaskedRow));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Pixels);
        schema["Mask"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, maskSize ?? mask.Length);
        schema["Flags"].ColumnType = new VectorDataViewType(BooleanDataViewType.Instance, maskSize ?? mask.Length);
        return Ml.Data.LoadFromEnumerable(new[] { new MaskedRow { Features = image, Mask = mask, Flags = mask.Select(x => x == 1).ToArray() } }, schema);
    }

    private static IEnumerable<float> Hole(float[] image) => image.Where((_, p) => p % Side >= Side / 2);

    private static double Error(IEnumerable<float[]> truths, IEnumerable<float[]> images) =>
        truths.Zip(images, (truth, image) => Hole(truth).Zip(Hole(image), (a, b) => (double)(a - b) * (a - b)).Average()).Average();

    private static void AssertClose(IEnumerable<float> expected, IEnumerable<float> actual, float tolerance)
    {
        foreach (var (a, b) in expected.Zip(actual))
            Assert.AreEqual(a, b, tolerance);
    }

    private sealed class NamedRow
    {
        public float[] Features { get; set; } = [];

        public string Class { get; set; } = "";
    }

    private sealed class MaskedRow
    {
        public float[] Features { get; set; } = [];

        public float[] Mask { get; set; } = [];

        public bool[] Flags { get; set; } = [];
    }
}
