using System.Collections.Concurrent;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Loading;

namespace MLExtensions.Tests.Scoring;

/// <summary>What docs/serving.md says.</summary>
[TestClass]
public sealed class ServingTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void ScoringScope_NeedsNoLabel()
    {
        using var folder = new TemporaryFolder();
        var pipeline = new EstimatorChain<ITransformer>()
            .Append(Ml.Transforms.Conversion.MapValueToKey("Label"), TransformerScope.TrainTest)
            .Append(Ml.MulticlassClassification.Trainers.Mlp(hiddenLayers: [4], epochs: 1))
            .Append(Ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var rows = Rows(30);
        using var model = pipeline.Fit(Ml.Data.LoadFromEnumerable(rows));
        Assert.AreEqual(2, Ml.MulticlassClassification.Evaluate(model.Transform(Ml.Data.LoadFromEnumerable(rows), TransformerScope.TrainTest)).ConfusionMatrix.NumberOfClasses);
        Ml.Model.Save(model.GetModelFor(TransformerScope.Scoring), null, folder.File("model.zip"));
        var loaded = Ml.Model.Load(folder.File("model.zip"), out _);
        using var engine = Ml.Model.CreatePredictionEngine<Request, Answer>(loaded);
        Assert.Contains(engine.Predict(new Request { Features = rows[0].Features }).PredictedLabel, new[] { "even", "odd" });
    }

    /// <summary>Engines of a pool come and go on several threads; the model stays.</summary>
    [TestMethod]
    public void PoolOfEngines_ManyThreads_OneModel()
    {
        using var model = Ml.Transforms.Conversion.MapValueToKey("Label").Append(Ml.MulticlassClassification.Trainers.Mlp(hiddenLayers: [4], epochs: 1)).Fit(Ml.Data.LoadFromEnumerable(Rows(30)));
        var scoring = model.LastTransformer;
        var options = new PredictionEngineOptions { OwnsTransformer = false };
        var pool = new ConcurrentBag<PredictionEngine<Request, Scores>>();
        var rows = Rows(64);
        var scores = new float[rows.Length];
        Parallel.For(0, rows.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            var engine = pool.TryTake(out var kept) ? kept : Ml.Model.CreatePredictionEngine<Request, Scores>(scoring, options);
            scores[i] = engine.Predict(new Request { Features = rows[i].Features }).Score[0];
            if (i % 3 == 0)
                engine.Dispose();
            else
                pool.Add(engine);
        });
        foreach (var engine in pool)
            engine.Dispose();
        var expected = scoring.Transform(Ml.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("Score").Select(score => score[0]).ToArray();
        for (var i = 0; i < rows.Length; i++)
            Assert.AreEqual(expected[i], scores[i], 1e-6);
    }

    [TestMethod]
    public void OneImageFile_IsPredicted()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "dark", "light" })
        {
            Directory.CreateDirectory(folder.File(name));
            var gray = (byte)(name == "dark" ? 10 : 240);
            using var image = TestImages.Solid(6, 6, gray, gray, gray);
            for (var i = 0; i < 3; i++)
                image.Save(Path.Combine(folder.File(name), $"{i}.png"));
        }
        var pipeline = Ml.Transforms.ResizeImages("Image", 4, 4)
            .Append(Ml.MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options { FeatureColumnName = "Image", Layers = [new DenseLayer()], Epochs = 1 }))
            .Append(Ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        using var model = pipeline.Fit(Ml.Data.LoadFromImageFolder(folder.Path));
        using var engine = Ml.Model.CreatePredictionEngine<Photo, Answer>(model, new PredictionEngineOptions { OwnsTransformer = false });
        using var photo = MLImage.CreateFromFile(Path.Combine(folder.File("dark"), "0.png"));
        Assert.Contains(engine.Predict(new Photo { Image = photo }).PredictedLabel, new[] { "dark", "light" });
    }

    [TestMethod]
    public void EmptyCells_AreMissingIfAskedFor()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder.File("rows.csv"), ["a,b,Label", "1,,1", "3,5,2", ",7,3"]);
        float[] Read(bool missing) => Ml.Data.LoadFromTextFile(folder.File("rows.csv"), new TextLoader.Options
        {
            Separators = [','],
            HasHeader = true,
            MissingRealsAsNaNs = missing,
            Columns = [new TextLoader.Column("Features", DataKind.Single, 0, 1)],
        }).GetColumn<float[]>("Features").SelectMany(row => row).ToArray();
        CollectionAssert.AreEqual(new float[] { 1, 0, 3, 5, 0, 7 }, Read(missing: false));
        CollectionAssert.AreEqual(new[] { 1, float.NaN, 3, 5, float.NaN, 7 }, Read(missing: true));
    }

    private static Row[] Rows(int count) =>
        Enumerable.Range(0, count).Select(i => new Row { Features = [i % 2, i / (float)count], Label = i % 2 == 0 ? "even" : "odd" }).ToArray();

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Request
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Answer
    {
        public string PredictedLabel { get; set; } = "";
    }

    private sealed class Scores
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class Photo
    {
        [ImageType(1, 1)]
        public MLImage? Image { get; set; }
    }
}
