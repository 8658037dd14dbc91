using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.BadInput;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Forecasting;
using MLExtensions.Tests.LanguageModels;
using MLExtensions.Training;
using static MLExtensions.Tests.Data.TrainingDataSample;

namespace MLExtensions.Tests.Data;

/// <summary>Rows of a group are for training, or they are for validation.</summary>
[TestClass]
public sealed class ValidationGroupTests
{
    private const int Users = 50;
    private const int RowsPerUser = 20;
    private const int Width = 8;

    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void Groups_AreNotDivided_AndAreTheFraction(Buffering buffering)
    {
        foreach (var column in new[] { nameof(Visit.User), nameof(Visit.Number), "Key" })
        {
            var (training, validation) = Split(buffering, column, seed: 1);
            Assert.IsEmpty(training.Intersect(validation));
            Assert.HasCount(Users, training.Concat(validation).Distinct());
            Assert.HasCount(10, validation.Distinct());
            CollectionAssert.AreEquivalent(validation, Split(buffering == Buffering.InMemory ? Buffering.Streaming : Buffering.InMemory, column, seed: 1).Validation, "streamed or not");
            CollectionAssert.AreNotEquivalent(validation, Split(buffering, column, seed: 2).Validation);
        }
    }

    /// <summary>Near-equal rows of one user in both parts make a network that knows the users look like one that knows the answer.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void NearEqualRows_ValidationIsNotTooGood()
    {
        // Of two divisions: one has few users.
        double Accuracy(string? column) => new[] { 1, 2 }.Average(seed => AccuracyOf(column, seed));

        double AccuracyOf(string? column, int seed) => Ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            LabelColumnName = nameof(Visit.Label),
            HiddenLayers = [64],
            Epochs = 40,
            BatchSize = 20,
            LearningRate = 0.01,
            ValidationFraction = 0.3,
            ValidationGroupColumnName = column,
            Seed = TestSeed.Of(seed),
            ThreadCount = 1,
        }).Fit(Visits()).History.Epochs[^1].Validation["accuracy"];
        Floor.Above(0.95, Accuracy(null), "rows");
        Floor.Below(0.85, Accuracy(nameof(Visit.User)), "users");
    }

    [TestMethod]
    public void Column_IsNamedWhereItIsWrong()
    {
        string Refusal(Action<MlpBinaryTrainer.Options> change)
        {
            var options = new MlpBinaryTrainer.Options { LabelColumnName = nameof(Visit.Label), Epochs = 1, ValidationFraction = 0.2 };
            change(options);
            return Assert.Throws<ArgumentException>(() => Ml.BinaryClassification.Trainers.Mlp(options).Fit(Visits())).Message;
        }
        Assert.Contains("'Nobody' is not in the data", Refusal(o => o.ValidationGroupColumnName = "Nobody"));
        Assert.Contains("'Features' has type", Refusal(o => o.ValidationGroupColumnName = "Features"));
        Assert.Contains("all 1000 rows have the same value in column 'Same'", Refusal(o => o.ValidationGroupColumnName = nameof(Visit.Same)));
        Assert.Contains("ValidationFraction is 0", Refusal(o => (o.ValidationGroupColumnName, o.ValidationFraction) = ("User", 0)));
        Assert.Contains("ValidationGroupColumnName", Refusal(o => o.ValidationGroupColumnName = " "));
    }

    /// <summary>Other groups make another training, whatever the rows are.</summary>
    [TestMethod]
    public void Groups_AreInTheFingerprint()
    {
        using var folder = new TemporaryFolder();
        void Train(string? column, int users, bool resume) => Ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            LabelColumnName = nameof(Visit.Label),
            Epochs = resume ? 2 : 1,
            ValidationFraction = 0.2,
            ValidationGroupColumnName = column,
            CheckpointFolder = folder.Path,
            ResumeFromCheckpoint = resume,
            Seed = 1,
        }).Fit(Visits(users)).Dispose();
        Train(nameof(Visit.User), Users, resume: false);
        Assert.Contains("ValidationGroupColumnName", Assert.Throws<InvalidOperationException>(() => Train(null, Users, resume: true)).Message);
        Assert.Contains("training data", Assert.Throws<InvalidOperationException>(() => Train(nameof(Visit.User), Users / 2, resume: true)).Message);
        Train(nameof(Visit.User), Users, resume: true);
    }

    [TestMethod]
    public void FeaturesWithoutLabels_AreDividedByGroups()
    {
        foreach (var estimator in new IEstimator<ITransformer>[]
        {
            Ml.Transforms.Rbm(new RbmEstimator.Options { VisibleUnits = VisibleUnitType.Gaussian, HiddenLayers = [2], Epochs = 1, ValidationFraction = 0.2, ValidationGroupColumnName = nameof(Visit.Same) }),
            Ml.Transforms.Autoencoder(new AutoencoderEstimator.Options { HiddenLayers = [], LatentSize = 2, Output = AutoencoderOutput.Gaussian, Epochs = 1, ValidationFraction = 0.2, ValidationGroupColumnName = nameof(Visit.Same) }),
        })
            Assert.Contains("the same value in column 'Same'", Assert.Throws<ArgumentException>(() => estimator.Fit(Visits())).Message);
    }

    /// <summary>Each document says one letter over and over: those held out are of letters that no training row has.</summary>
    [TestMethod]
    public void Texts_AreDividedByGroups()
    {
        var rows = Enumerable.Range(0, 60).Select(i => new Document { Text = new string((char)('a' + (i % 6)), 10), Author = i % 6 }).ToArray();
        var options = LanguageSample.Options(o => (o.Epochs, o.ValidationFraction, o.ValidationGroupColumnName) = (8, 0.3, nameof(Document.Author)));
        var model = Ml.LanguageModels.Trainers.Lstm(options).Fit(Ml.Data.LoadFromEnumerable(rows));
        var last = model.History.Epochs[^1];
        Assert.AreEqual(40 * 11, last.Examples + 4, 8, "four of six authors are left, less what streams leave over");
        Assert.IsGreaterThan(2 * last.TrainingLoss, last.ValidationLoss!.Value);
    }

    [TestMethod]
    public void Series_AreDividedByGroups()
    {
        var rows = Enumerable.Range(0, 6).SelectMany(series => SeriesSample.Sine(40, $"{series}")).ToArray();
        void Set(LstmForecastingEstimator.Options o, string group) => (o.GroupColumnName, o.ValidationFraction, o.ValidationGroupColumnName, o.Epochs) = (nameof(SeriesSample.Series), 0.34, group, 1);
        var model = SeriesSample.Forecaster(o => Set(o, nameof(SeriesSample.Series))).Fit(SeriesSample.View(rows));
        Assert.AreEqual(4 * (40 - SeriesSample.Period - 3 + 1), model.History.Epochs[0].Examples, "windows of four whole series");
        Assert.IsNotNull(model.History.Epochs[0].ValidationLoss);
        Assert.Contains("the series '0' has several values", Assert.Throws<ArgumentException>(() => SeriesSample.Forecaster(o => Set(o, "Number")).Fit(Numbered(rows))).Message);
        Assert.Contains("all rows are one series", Assert.Throws<ArgumentException>(() => SeriesSample.Forecaster(o =>
        {
            Set(o, nameof(SeriesSample.Series));
            o.GroupColumnName = null;
        }).Fit(SeriesSample.View(rows))).Message);
    }

    /// <summary>Where order decides, every family that reads again sees that another pass has another.</summary>
    [TestMethod]
    public void OtherOrderInALaterPass_IsRefused()
    {
        var series = SeriesSample.Mixed(SeriesSample.Sine(40), SeriesSample.Sine(40, "b", seed: 2));
        var forecaster = SeriesSample.Forecaster(o => (o.GroupColumnName, o.ValidationFraction, o.ValidationGroupColumnName, o.Epochs) = ("Series", 0.5, "Series", 1));
        var documents = Enumerable.Range(0, 60).Select(i => new Document { Text = $"text {i}", Author = i % 6 }).ToArray();
        var language = Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => (o.Epochs, o.ValidationFraction, o.ValidationGroupColumnName) = (1, 0.3, nameof(Document.Author))));
        var rows = BadRow.Create(24);
        foreach (var (name, fit) in new (string, Action)[]
        {
            ("series", () => forecaster.Fit(Turning(series)).Dispose()),
            ("language model", () => language.Fit(Turning(documents)).Dispose()),
            ("labels, groups", () => Bad.Binary(o => (o.ValidationFraction, o.ValidationGroupColumnName, o.Buffering) = (0.2, "Group", Buffering.Streaming)).Fit(Turning(rows)).Dispose()),
            ("labels, fraction", () => Bad.Regression(o => (o.ValidationFraction, o.Buffering) = (0.2, Buffering.Streaming)).Fit(Turning(rows)).Dispose()),
            ("RBM, groups", () => Bad.Rbm(o => (o.ValidationFraction, o.ValidationGroupColumnName, o.Buffering) = (0.2, "Group", Buffering.Streaming)).Fit(Turning(rows)).Dispose()),
            ("autoencoder, fraction", () => Bad.Autoencoder(o => (o.ValidationFraction, o.Buffering) = (0.2, Buffering.Streaming)).Fit(Turning(rows)).Dispose()),
        })
        {
            // Where only the rows of one part are read, they are other rows.
            var message = Assert.Throws<InvalidOperationException>(fit, name).Message;
            Assert.IsTrue(message.Contains("in another order in pass", StringComparison.Ordinal) || message.Contains("has other values of column", StringComparison.Ordinal), $"{name}: {message}");
        }

        // Each pass begins one row later.
        static IDataView Turning<T>(T[] rows)
            where T : class
        {
            var pass = 0;
            IEnumerable<T> Read() => rows.Skip(++pass).Concat(rows.Take(pass));
            return Ml.Data.LoadFromEnumerable(Deferred(Read));
        }

        static IEnumerable<T> Deferred<T>(Func<IEnumerable<T>> read)
        {
            foreach (var row in read())
                yield return row;
        }
    }

    /// <summary>A column that is not there is a mistake even where it is not needed; one that is there is said to have no effect.</summary>
    [TestMethod]
    public void ValidationData_ColumnMustExist_AndHasNoEffect()
    {
        var subjects = new (string Name, Func<string?, double, Action<IDataView, IDataView>> Fit)[]
        {
            ("supervised", (column, fraction) => (rows, other) => Bad.Binary(o => (o.ValidationGroupColumnName, o.ValidationFraction) = (column, fraction)).Fit(rows, other).Dispose()),
            ("sequences", (column, fraction) => (rows, other) => Bad.Recurrent("Text", o => (o.ValidationGroupColumnName, o.ValidationFraction) = (column, fraction)).Fit(rows, other).Dispose()),
            ("RBM", (column, fraction) => (rows, other) => Bad.Rbm(o => (o.ValidationGroupColumnName, o.ValidationFraction, o.VisibleUnits) = (column, fraction, VisibleUnitType.Gaussian)).Fit(rows, other).Dispose()),
            ("autoencoder", (column, fraction) => (rows, other) => Bad.Autoencoder(o => (o.ValidationGroupColumnName, o.ValidationFraction) = (column, fraction)).Fit(rows, other).Dispose()),
            ("forecaster", (column, fraction) => (rows, other) => Bad.Forecaster(o => (o.ValidationGroupColumnName, o.ValidationFraction) = (column, fraction)).Fit(rows, other).Dispose()),
            ("language model", (column, fraction) => (rows, other) => Bad.Language(o => (o.ValidationGroupColumnName, o.ValidationFraction) = (column, fraction)).Fit(rows, other).Dispose()),
        };
        var lines = new List<string>();
        Bad.Ml.Log += Listen;
        try
        {
            foreach (var (name, fit) in subjects)
            {
                foreach (var fraction in new[] { 0, 0.2 })
                    Assert.Contains("ValidationGroupColumnName: column 'Nobody' is not in the data", Assert.Throws<ArgumentException>(() => fit("Nobody", fraction)(Bad.View(), Bad.View())).Message, name);
                lines.Clear();
                fit("Group", 0.2)(Bad.View(), Bad.View());
                Assert.HasCount(1, lines.Where(line => line.Contains("ValidationGroupColumnName 'Group' has no effect", StringComparison.Ordinal)), name);
                Assert.HasCount(1, lines.Where(line => line.Contains("ValidationFraction 0.2 has no effect", StringComparison.Ordinal)), name);
            }
        }
        finally
        {
            Bad.Ml.Log -= Listen;
        }

        void Listen(object? sender, LoggingEventArgs line) => lines.Add(line.Message);
    }

    private static IDataView Numbered(SeriesSample[] rows) =>
        Ml.Data.LoadFromEnumerable(rows.Select((row, i) => new NumberedSeries { Value = row.Value, Series = row.Series, Number = i }));

    private static (int[] Training, int[] Validation) Split(Buffering buffering, string column, int seed)
    {
        var data = Ml.Transforms.Conversion.MapValueToKey("Key", nameof(Visit.User)).Fit(Visits()).Transform(Visits());
        var columns = Columns(data, nameof(Visit.Label)) with { Format = new MLExtensions.Tensors.DenseFormat(Width) };
        using var set = RowSet.Open(data, columns, new RowSetSettings(buffering, 10, 0.2, seed, GroupColumnName: column), () => { });
        return (Of(RowPart.Training), Of(RowPart.Validation));

        int[] Of(RowPart part)
        {
            var users = new List<int>();
            foreach (var batch in set.CreateBatches(part, Settings(1000, shuffle: false)).ReadEpoch(1))
            {
                using (batch)
                using (TorchSharp.torch.NewDisposeScope())
                    users.AddRange(batch.Features.select(1, 0).contiguous().data<float>().ToArray().Select(value => (int)Math.Round(value * Users)));
            }
            return [.. users];
        }
    }

    /// <summary>Users of random features and a random label, and rows that are nearly them; the first feature says which user.</summary>
    private static IDataView Visits(int users = Users)
    {
        var random = new Random(TestSeed.Of(4));
        var rows = new List<Visit>();
        for (var user = 0; user < Users; user++)
        {
            var label = random.Next(2) == 0;
            var person = Enumerable.Range(0, Width).Select(_ => (2 * random.NextSingle()) - 1).ToArray();
            for (var i = 0; i < RowsPerUser; i++)
            {
                var features = Array.ConvertAll(person, value => value + (random.NextSingle() * 0.01f));
                features[0] = (float)user / Users;
                rows.Add(new Visit { Features = features, Label = label, User = $"user {user % users}", Number = user % users });
            }
        }
        return Ml.Data.LoadFromEnumerable(rows);
    }

    private sealed class Visit
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }

        public string User { get; set; } = "";

        public int Number { get; set; }

        public string Same { get; set; } = "same";
    }

    private sealed class Document
    {
        public string Text { get; set; } = "";

        public int Author { get; set; }
    }

    private sealed class NumberedSeries
    {
        public float Value { get; set; }

        public string Series { get; set; } = "";

        public int Number { get; set; }
    }
}
