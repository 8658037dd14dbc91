using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Gan;

/// <summary>Training and use of generative adversarial networks.</summary>
[TestClass]
public sealed class GanTests
{
    /// <summary>Layers that only see the sample come first, and their features are those layers' outputs.</summary>
    [TestMethod]
    public void LayersOfTheSample_HaveFeatures()
    {
        var networks = GanSample.SmallPoints() with { DiscriminatorSample = [new MaxoutLayer(5, 2)], Discriminator = [new DenseLayer(3), new ActivationLayer(), new DenseLayer()] };
        var data = GanSample.Points(Ml, 64);
        using var gan = Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options { Networks = networks, Epochs = 1, Seed = 1, ThreadCount = 1 }).Fit(data);
        var estimator = Ml.Transforms.DiscriminatorFeatures(gan, new() { OutputColumnName = "Deep", ScoreColumnName = "Real", Layers = ["sample.0"] });
        CollectionAssert.AreEqual(new[] { "sample.0", "layers.0", "layers.1" }, estimator.LayerNames.ToArray());
        var model = estimator.Fit(data);
        var (weights, biases) = (gan.Discriminator.GetWeights("sample.0.weight"), gan.Discriminator.GetWeights("sample.0.bias"));
        var sample = data.GetColumn<float[]>("Features").First();
        var expected = Enumerable.Range(0, 5).Select(unit => Enumerable.Range(0, 2).Max(piece => biases[(piece * 5) + unit] + sample.Select((x, i) => x * weights[(((piece * 5) + unit) * 2) + i]).Sum())).ToArray();
        using var file = new MemoryStream();
        Ml.Model.Save(model, data.Schema, file);
        foreach (var each in new[] { model, Ml.Model.Load(file, out _) })
        {
            var actual = each.Transform(data).GetColumn<float[]>("Deep").First();
            for (var i = 0; i < expected.Length; i++)
                Assert.AreEqual(expected[i], actual[i], 1e-5f);
        }
        var usual = Ml.Transforms.DiscriminatorFeatures(gan, new() { OutputColumnName = "Deep", ScoreColumnName = "Real" }).Fit(data).Transform(data);
        Assert.AreEqual(5 + 3, usual.GetColumn<float[]>("Deep").First().Length);
        CollectionAssert.AreEqual(usual.GetColumn<float>("Real").ToArray(), model.Transform(data).GetColumn<float>("Real").ToArray());
    }

    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    public void Points_BothClustersAreGenerated()
    {
        using var gan = Ml.GenerativeModels.Trainers.Gan(Points(epochs: 100)).Fit(GanSample.Points(Ml));
        var samples = gan.Generate(500, seed: 3).GetColumn<float[]>("Sample").ToArray();
        Floor.Above(0.5, samples.Count(sample => sample.All(x => Math.Abs(x - 2) < 1)) / 250.0, "share of the upper cluster, of a half");
        Floor.Above(0.5, samples.Count(sample => sample.All(x => Math.Abs(x + 2) < 1)) / 250.0, "share of the lower cluster, of a half");
        var last = gan.History.Epochs[^1].Training;
        CollectionAssert.IsSubsetOf(new[] { "loss", "generatorLoss", "realRecognized", "generatedRecognized", "spread" }, last.Keys.ToArray());
        Floor.Above(0.7, last["spread"], "spread");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void ConditionalImages_AreOfTheAskedClass()
    {
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(Images(conditional: true, epochs: 30)).Fit(GanSample.Halves(Ml));
        foreach (var (name, place) in GanSample.Names.Select((name, place) => (name, place)))
        {
            var view = gan.Generate(50, seed: 3, label: name);
            Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 1, GanSample.Side, GanSample.Side), view.Schema["Sample"].Type);
            var images = view.GetColumn<float[]>("Sample").ToArray();
            Assert.IsTrue(images.All(image => image.All(x => x is >= 0 and <= 1)), "the range of the data");
            var left = images.Average(image => image.Where((_, p) => p % GanSample.Side < GanSample.Side / 2).Average());
            var right = images.Average(image => image.Where((_, p) => p % GanSample.Side >= GanSample.Side / 2).Average());
            Floor.Above(0.5, place == 0 ? left - right : right - left, name);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(AdversarialLoss.NonSaturating)]
    [DataRow(AdversarialLoss.Minimax)]
    [DataRow(AdversarialLoss.LeastSquares)]
    [DataRow(AdversarialLoss.Hinge)]
    [DataRow(AdversarialLoss.WassersteinGradientPenalty)]
    public void EveryLoss_MovesSamplesToTheData(AdversarialLoss loss)
    {
        var options = Points(epochs: 60);
        (options.Loss, options.PackSize) = (loss, 2);
        using var before = Ml.GenerativeModels.Trainers.Gan(Points(epochs: 1, learningRate: 1e-12)).Fit(GanSample.Points(Ml));
        using var gan = Ml.GenerativeModels.Trainers.Gan(options).Fit(GanSample.Points(Ml));
        Floor.Below(0.5, DistanceOf(gan) / DistanceOf(before), $"{loss}: distance from the nearest cluster, of that of untrained samples");
    }

    [TestMethod]
    public void SameSeed_SameWeights_AndSavedModelGoesOn()
    {
        var data = GanSample.Halves(Ml);
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(Images(conditional: true, epochs: 2)).Fit(data);
        using var again = Ml.GenerativeModels.Trainers.Dcgan(Images(conditional: true, epochs: 2)).Fit(data);
        CollectionAssert.AreEqual(Samples(gan), Samples(again));

        using var stream = new MemoryStream();
        Ml.Model.Save(gan, data.Schema, stream);
        using var loaded = (GanTransformer)new MLContext(5).Model.Load(stream, out _);
        CollectionAssert.AreEqual(Samples(gan), Samples(loaded));
        CollectionAssert.AreEqual(GanSample.Names, loaded.ClassNames!.ToArray());

        var more = Images(conditional: true, epochs: 0);
        more.InitialModel = loaded;
        using var kept = Ml.GenerativeModels.Trainers.Dcgan(more).Fit(data);
        CollectionAssert.AreEqual(Samples(gan), Samples(kept));
        CollectionAssert.AreEqual(gan.Discriminator.GetWeights("projection.weight"), kept.Discriminator.GetWeights("projection.weight"));
    }

    [TestMethod]
    public void DiscriminatorOfOtherSamples_IsNotLoaded()
    {
        using var folder = new TemporaryFolder();
        using var points = Ml.GenerativeModels.Trainers.Gan(Points(epochs: 1)).Fit(GanSample.Points(Ml));
        using var images = Ml.GenerativeModels.Trainers.Dcgan(Images(conditional: false, epochs: 1)).Fit(GanSample.Halves(Ml));
        Ml.Model.Save(points, null, folder.File("points.zip"));
        Ml.Model.Save(images, null, folder.File("images.zip"));
        using (var from = ZipFile.OpenRead(folder.File("points.zip")))
        using (var to = ZipFile.Open(folder.File("images.zip"), ZipArchiveMode.Update))
        {
            foreach (var entry in from.Entries.Where(entry => entry.FullName.Contains("Discriminator")))
            {
                to.Entries.Single(other => other.FullName == entry.FullName).Delete();
                using var source = entry.Open();
                using var target = to.CreateEntry(entry.FullName).Open();
                source.CopyTo(target);
            }
        }
        Exception? error = Assert.Throws<Exception>(() => Ml.Model.Load(folder.File("images.zip"), out _));
        while (error is not (null or ModelFormatException))
            error = error.InnerException;
        Assert.Contains("is not a discriminator of 64 values and 0 classes", error!.Message);
    }

    [TestMethod]
    public void Resumed_SameBitsAsInOneGo()
    {
        using var folder = new TemporaryFolder();
        var data = GanSample.Halves(Ml);
        using var whole = Ml.GenerativeModels.Trainers.Dcgan(Images(conditional: true, epochs: 4)).Fit(data);
        using (Ml.GenerativeModels.Trainers.Dcgan(Resumed(2)).Fit(data))
        {
        }
        using var resumed = Ml.GenerativeModels.Trainers.Dcgan(Resumed(4)).Fit(data);
        CollectionAssert.AreEqual(Samples(whole), Samples(resumed));
        foreach (var name in whole.Discriminator.WeightShapes.Keys)
            CollectionAssert.AreEqual(whole.Discriminator.GetWeights(name), resumed.Discriminator.GetWeights(name), name);

        DcganEstimator.Options Resumed(int epochs)
        {
            var options = Images(conditional: true, epochs);
            (options.CheckpointFolder, options.ResumeFromCheckpoint) = (folder.Path, true);
            return options;
        }
    }

    [TestMethod]
    public void Row_HasTheSameSampleWhateverIsAroundIt()
    {
        var options = Images(conditional: true, epochs: 1);
        options.SeedColumnName = "Number";
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml));
        var rows = Enumerable.Range(0, 70).Select(i => new Numbered { Number = (uint)(i % 7), Class = 0 }).ToArray();
        var images = gan.Transform(ml: Ml, rows).GetColumn<float[]>("Sample").ToArray();
        for (var i = 0; i < images.Length; i++)
            Close(images[i % 7], images[i]);
        Close(images[5], gan.Transform(ml: Ml, [rows[5]]).GetColumn<float[]>("Sample").Single());
        Assert.AreNotEqual(images[0][0], images[1][0]);
    }

    [TestMethod]
    public void Generate_IsTransformOfRows()
    {
        using var gan = Ml.GenerativeModels.Trainers.Gan(Points(epochs: 1)).Fit(GanSample.Points(Ml));
        var generated = gan.Generate(5).GetColumn<float[]>("Sample").ToArray();
        var ofRows = gan.Transform(GanSample.Points(Ml, rows: 5)).GetColumn<float[]>("Sample").ToArray();
        var ofNoise = gan.DrawNoise(5).Select(noise => gan.Sample(noise)).ToArray();
        for (var i = 0; i < 5; i++)
        {
            Close(generated[i], ofRows[i]);
            Close(generated[i], ofNoise[i]);
        }
        var ends = gan.Interpolate(gan.DrawNoise(2)[0], gan.DrawNoise(2)[1], 3);
        Close(generated[0], ends[0]);
        Close(generated[1], ends[2]);
    }

    [TestMethod]
    public void Images_ComeOutAsImages()
    {
        var options = Images(conditional: false, epochs: 1);
        options.OutputImages = true;
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml));
        var sizes = gan.Generate(3).GetColumn<MLImage>("Sample").Select(image => (image.Width, image.Height)).ToArray();
        Assert.HasCount(3, sizes);
        Assert.IsTrue(sizes.All(size => size == (GanSample.Side, GanSample.Side)));
    }

    [TestMethod]
    public void Augmentation_KeepsGradientsAndShapes()
    {
        var options = Images(conditional: false, epochs: 1, channels: 3);
        options.Augmentation = DifferentiableAugmentation.All;
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml, channels: 3));
        Assert.AreNotEqual(0, gan.History.Epochs[0].Training["generatorLoss"]);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void ValuesOutsideOfTheRange_AreRefusedWithTheScaling()
    {
        var error = Assert.ThrowsExactly<FormatException>(() => Ml.GenerativeModels.Trainers.Dcgan(Images(conditional: false, epochs: 1)).Fit(GanSample.Halves(Ml, scale: 255)));
        foreach (var word in new[] { "'Features'", "row 0", "slot 0", "[0, 1]", "ValueRange to new(0, 255)" })
            Assert.Contains(word, error.Message);
        var options = Images(conditional: false, epochs: 1);
        options.ValueRange = ValueRange.Pixels;
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml, scale: 255));
        Floor.Above(20, gan.Generate(20).GetColumn<float[]>("Sample").Average(image => image.Average()), "mean of pixels from 0 to 255");
    }

    /// <summary>Rows that fill no pack are counted, those of validation data too; so are its rows without a label.</summary>
    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void RowsThatFillNoPack_AreCounted(Buffering buffering)
    {
        var ml = new MLContext(1);
        var log = new List<string>();
        ml.Log += (_, line) => log.Add(line.Message);
        var options = Images(conditional: true, epochs: 1);
        (options.BatchSize, options.PackSize, options.Buffering) = (12, 3, buffering);
        options.Networks = options.Networks! with { ProjectsLabel = false };
        // 12 x 10 + 5 rows: the last batch has one pack, but batch normalization needs two.
        using var gan = ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(ml, 125), GanSample.Halves(ml, 1031, unlabeled: 1));
        Assert.AreEqual(
            "rows left out of each epoch 5, validation: rows left out of each epoch 1, validation: rows without a label 1",
            string.Join(", ", gan.History.DataCounts.Select(count => $"{count.Key} {count.Value}")));
        Assert.ContainsSingle(log.Where(line => line.Contains("5 of 125 rows of the training data do not fill a batch and are left out of each epoch, others each time.")));
        Assert.ContainsSingle(log.Where(line => line.Contains("1 of 1030 rows of the validation data do not fill a batch")));
        Assert.ContainsSingle(gan.History.Warnings.Where(line => line.Contains("1 rows of the validation data have no label in column 'Class'")));

        (options.BatchSize, options.PackSize) = (3, 3);
        Assert.Contains("BatchSize is 3; it must be at least 6", Assert.Throws<ArgumentOutOfRangeException>(() => ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(ml))).Message);
        (options.BatchSize, options.PackSize) = (12, 3);
        Assert.Contains("There are 2 rows to validate on; there must be at least 3, which is PackSize", Assert.Throws<ArgumentException>(() => ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(ml), GanSample.Halves(ml, 2))).Message);
    }

    [TestMethod]
    public void LabelAtFitButNotAtGeneration_IsSaid()
    {
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(Images(conditional: true, epochs: 1)).Fit(GanSample.Halves(Ml));
        var error = Assert.ThrowsExactly<ArgumentException>(() => gan.Transform(Ml.Data.LoadFromEnumerable([new Unlabeled()])));
        Assert.Contains("'Class'", error.Message);
        error = Assert.ThrowsExactly<ArgumentException>(() => gan.Generate(1, label: "middle"));
        Assert.Contains("left, right", error.Message);
    }

    [TestMethod]
    public void ImageSizesThatTheLayersCannotMake_AreRefused()
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => Ml.GenerativeModels.Trainers.Dcgan(new DcganEstimator.Options()).Fit(GanSample.Halves(Ml)));
        Assert.Contains("1 x 8 x 8", error.Message);
        Assert.Contains("28 x 28", error.Message);
        var options = Images(conditional: false, epochs: 1);
        options.Networks = options.Networks! with { Generator = [new DenseLayer(10), new ActivationLayer(Activation.Tanh)] };
        error = Assert.ThrowsExactly<ArgumentException>(() => Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml)));
        Assert.Contains("10 values", error.Message);
    }

    [TestMethod]
    public void SamplePictures_AreDrawn()
    {
        using var folder = new TemporaryFolder();
        var options = Images(conditional: true, epochs: 3);
        (options.SamplesFolder, options.SampleInterval) = (folder.Path, 2);
        using (Ml.GenerativeModels.Trainers.Dcgan(options).Fit(GanSample.Halves(Ml)))
        {
        }
        CollectionAssert.AreEqual(new[] { "samples-0002.png", "samples-0003.png" }, Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order().ToArray());
    }

    private static GanEstimator.Options Points(int epochs, double learningRate = 2e-3) => new()
    {
        Networks = GanSample.SmallPoints(),
        Epochs = epochs,
        BatchSize = 20,
        LearningRate = learningRate,
        PackSize = 2,
        Seed = TestSeed.Of(1),
        ThreadCount = 1,
    };

    private static DcganEstimator.Options Images(bool conditional, int epochs, int channels = 1) => new()
    {
        Networks = GanSample.SmallImages(conditional, channels),
        LabelColumnName = conditional ? "Class" : null,
        LearningRate = 2e-3,
        LearningRateSchedule = LearningRateSchedule.Constant(),
        EmaDecay = 0.9,
        Epochs = epochs,
        BatchSize = 16,
        Seed = TestSeed.Of(1),
        ThreadCount = 1,
    };

    private static float[] Samples(GanTransformer gan) => gan.Generate(10, seed: 7).GetColumn<float[]>("Sample").SelectMany(sample => sample).ToArray();

    private static double DistanceOf(GanTransformer gan) => gan.Generate(300, seed: 5).GetColumn<float[]>("Sample")
        .Average(sample => Math.Min(Distance(sample, 2), Distance(sample, -2)));

    private static double Distance(float[] sample, double center) => Math.Sqrt(sample.Sum(x => (x - center) * (x - center)));

    private static void Close(float[] expected, float[] actual)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-4f);
    }
}

internal static class NumberedRows
{
    public static IDataView Transform(this GanTransformer gan, MLContext ml, IEnumerable<Numbered> rows)
    {
        var schema = SchemaDefinition.Create(typeof(Numbered));
        schema[nameof(Numbered.Class)].ColumnType = new KeyDataViewType(typeof(uint), 2);
        schema[nameof(Numbered.Class)].AddAnnotation("KeyValues", new VBuffer<ReadOnlyMemory<char>>(2, GanSample.Names.Select(name => name.AsMemory()).ToArray()), new VectorDataViewType(TextDataViewType.Instance, 2));
        return gan.Transform(ml.Data.LoadFromEnumerable(rows.ToList(), schema));
    }
}

internal sealed class Numbered
{
    public uint Number { get; set; }

    public uint Class { get; set; }
}

internal sealed class Unlabeled
{
    public float Other { get; set; }
}
