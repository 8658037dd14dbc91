using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Quatrains;

/// <summary>A small network that has hardly learned anything writes what keeps all rules nevertheless.</summary>
[TestClass]
public sealed class QuatrainWritingTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly string[] Collection = QuatrainSample.Poems(60);
    private static QuatrainTransformer s_poet = null!;

    [ClassInitialize]
    public static void Train(TestContext context) => s_poet = QuatrainSample.Fit();

    [ClassCleanup]
    public static void Free() => s_poet.Dispose();

    [TestMethod]
    public void EveryPoem_KeepsTheRules()
    {
        var wishes = QuatrainPattern.All.SelectMany(pattern => Enumerable.Range(0, 40).Select(seed => new Wish { Title = "山水", Pattern = pattern.Name, Seed = seed })).ToArray();
        var written = Write(s_poet, wishes);
        var check = Ml.Transforms.Text.CheckQuatrain().Fit(Ml.Data.LoadFromEnumerable(new[] { new QuatrainSample() }));
        for (var i = 0; i < written.Length; i++)
        {
            var report = check.Check(written[i]);
            Assert.IsEmpty(report.Faults, written[i]);
            // With a last character of two tones, line 1 may be read as of the pattern without a rhyme there, which comes first.
            Assert.StartsWith(report.Pattern!.Name, wishes[i].Pattern, written[i]);
            Assert.IsTrue(report.IsRegulated, written[i]);
            Assert.AreEqual(0, report.RepeatedCharacters, written[i]);
        }
        Assert.HasCount(written.Length, written.Distinct());
        var novelty = Ml.LanguageModels.EvaluateQuatrainNovelty(Ml.Data.LoadFromEnumerable(written.Select(poem => new QuatrainSample { Poem = poem })), Ml.Data.LoadFromEnumerable(Collection.Select(poem => new QuatrainSample { Poem = poem })), "Poem");
        Assert.AreEqual(0L, novelty.CopiedLines);
    }

    [TestMethod]
    public void Wishes_AreFulfilled()
    {
        var poem = s_poet.Write("春", acrostic: "天下太平", pattern: "7", rhymeGroup: "東");
        var lines = poem.Split('，', '。');
        CollectionAssert.AreEqual(new[] { '天', '下', '太', '平' }, lines[..4].Select(line => line[0]).ToArray(), poem);
        var report = Ml.Transforms.Text.CheckQuatrain().Fit(Ml.Data.LoadFromEnumerable(new[] { new QuatrainSample() })).Check(poem);
        CollectionAssert.Contains(report.RhymeGroups.ToArray(), "東");
        Assert.AreEqual(7, report.LineLength);
        StringAssert.Contains(s_poet.WithOptions(s_poet.Options with { KeywordBonus = 50 }).Write("春花"), "春");
    }

    [TestMethod]
    public void SameRow_SamePoem_WhereverItIs()
    {
        var wishes = Enumerable.Range(0, 4).Select(seed => new Wish { Title = "月", Seed = seed }).ToArray();
        var written = Write(s_poet, wishes);
        Assert.HasCount(4, written.Distinct());
        CollectionAssert.AreEqual(written.Reverse().ToArray(), Write(s_poet, [.. wishes.Reverse()]));
        Assert.AreEqual(written[2], s_poet.Write("月", seed: 2));
        using var file = new MemoryStream();
        Ml.Model.Save(s_poet, Ml.Data.LoadFromEnumerable(wishes).Schema, file);
        file.Position = 0;
        using var loaded = (QuatrainTransformer)Ml.Model.Load(file, out _);
        CollectionAssert.AreEqual(written, Write(loaded, wishes));
        using var engine = Ml.Model.CreatePredictionEngine<Wish, Written>(loaded);
        Assert.AreEqual(written[3], engine.Predict(wishes[3]).NewPoem);
        Assert.AreEqual(s_poet.Evaluate(QuatrainSample.View(Collection)).Perplexity, loaded.Evaluate(QuatrainSample.View(Collection)).Perplexity, 1e-3);
    }

    /// <summary>Without noise and rules a beam of one takes the most probable characters; its probability is that of the network.</summary>
    [TestMethod]
    public void Probability_IsThatOfTheNetwork()
    {
        var free = s_poet.WithOptions(s_poet.Options with { KeepsPattern = false, KeepsRhyme = false, AllowsRepeatedCharacters = true, AllowsTrainingLines = true, BeamWidth = 1, Temperature = 0, KeywordBonus = 0, LineLength = 5 });
        var data = Ml.Data.LoadFromEnumerable(new[] { new Wish() });
        var written = Ml.Data.CreateEnumerable<Written>(free.Transform(data), reuseRowObject: false).Single();
        var measured = s_poet.Evaluate(QuatrainSample.View([written.NewPoem]));
        // The marks between the lines are in what is measured.
        Assert.IsInRange(measured.LogProbability - 1e-3, 0, written.NewPoemLogProbability);
        Assert.AreEqual(20L, measured.Tokens);
    }

    [TestMethod]
    [DataRow("天下太", "", "", "it must have 4")]
    [DataRow("天下太天", "", "", "'天' of line 4 is in line 1")]
    [DataRow("", "9Z", "", "5A, 5A'")]
    [DataRow("", "", "送", "支")]
    [DataRow("日月春秋", "5B'", "", "'日' of line 1")]
    [DataRow("天a地b", "", "", "it must have 4")]
    [DataRow("abcd", "", "", "'abcd', 0 Chinese characters; it must have 4")]
    [DataRow("", "", "abc", "'abc'; it must be one of the level tone")]
    [DataRow("", "", "江", "'江', in which 1 of the characters that the network knows rhyme; a poem needs 2. There are enough in: ")]
    public void WhatCannotBe_IsSaid(string acrostic, string pattern, string rhyme, string said)
    {
        var refused = Assert.Throws<FormatException>(() => s_poet.Write("", acrostic, pattern, rhyme));
        StringAssert.Contains(refused.Message, said);
    }

    /// <summary>5B' begins in the level tone: it says which character, where, and what would do.</summary>
    [TestMethod]
    public void ImpossibleAcrostic_NamesTheRemedy()
    {
        var message = Assert.Throws<FormatException>(() => Write(s_poet, [new Wish(), new Wish { Acrostic = "日月春秋", Pattern = "5B'" }])).Message;
        foreach (var part in new[] { "Column 'Acrostic', row 1", "'日' of line 1", "oblique tone", "level tone", "What would do", "7A" })
            StringAssert.Contains(message, part);
    }

    /// <summary>Line by line: the same promises, and what it writes has the probability that a whole pass over the poem gives it.</summary>
    [TestMethod]
    [DataRow(5)]
    [DataRow(7)]
    public void LineByLine_WritesWhatItScores(int length)
    {
        using var poet = QuatrainSample.Fit(change: o => (o.Architecture, o.Network.ContextDropout) = (QuatrainArchitecture.LineByLine, 0.5));
        Assert.IsNull(poet.LanguageModel);
        var wishes = new[] { new Wish { Title = "山水", Pattern = $"{length}", Seed = 1 }, new Wish { Acrostic = "天下太平", Pattern = $"{length}" }, new Wish() };
        using var file = new MemoryStream();
        Ml.Model.Save(poet, Ml.Data.LoadFromEnumerable(wishes).Schema, file);
        file.Position = 0;
        using var loaded = (QuatrainTransformer)Ml.Model.Load(file, out _);
        var written = Ml.Data.CreateEnumerable<Written>(loaded.Transform(Ml.Data.LoadFromEnumerable(wishes)), reuseRowObject: false).ToArray();
        CollectionAssert.AreEqual(Write(poet, wishes), written.Select(poem => poem.NewPoem).ToArray());
        var check = Ml.Transforms.Text.CheckQuatrain().Fit(Ml.Data.LoadFromEnumerable(new[] { new QuatrainSample() }));
        for (var i = 0; i < wishes.Length; i++)
        {
            Assert.IsTrue(check.Check(written[i].NewPoem) is { Pattern: not null, RepeatedCharacters: 0 }, written[i].NewPoem);
            var measured = loaded.Evaluate(Ml.Data.LoadFromEnumerable(new[] { new QuatrainSample { Poem = written[i].NewPoem, Title = wishes[i].Title } }), withTitles: true);
            Assert.AreEqual(measured.LogProbability, written[i].NewPoemLogProbability, 1e-3);
        }
    }

    /// <summary>What was computed for the validation before the training is no obstacle to the training.</summary>
    [TestMethod]
    public void LineByLine_IsValidated_OnTheLastPoems()
    {
        using var poet = QuatrainSample.Fit(change: o => (o.Architecture, o.Network.ValidationFraction) = (QuatrainArchitecture.LineByLine, 0.2));
        var measured = poet.Evaluate(QuatrainSample.View(Collection[^12..]), withTitles: true);
        Assert.AreEqual(measured.CrossEntropy, poet.History.Epochs[^1].Validation!["loss"], 1e-4);
    }

    /// <summary>Products of matrices in half precision, all else in single precision: nearly the same is learned.</summary>
    [TestMethod]
    public void LineByLine_LearnsNearlyTheSame_InBFloat16()
    {
        var perplexities = new[] { Precision.Float32, Precision.BFloat16 }.Select(precision =>
        {
            using var poet = QuatrainSample.Fit(change: o => (o.Architecture, o.Network.Precision, o.Network.ContextDropout, o.Network.Dropout) = (QuatrainArchitecture.LineByLine, precision, 0, 0));
            return poet.Evaluate(QuatrainSample.View(Collection)).Perplexity;
        }).ToArray();
        Assert.AreEqual(perplexities[0], perplexities[1], 0.02 * perplexities[0]);
    }

    [TestMethod]
    public void LineByLine_SaysWhatTheOtherTrainersSay()
    {
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => QuatrainSample.Fit(change: o => (o.Architecture, o.Network.EarlyStopping) = (QuatrainArchitecture.LineByLine, new EarlyStopping()))).Message, "EarlyStopping needs validation data");
        using var source = new CancellationTokenSource();
        var read = 0;
        var rows = Ml.Data.LoadFromEnumerable(Collection.Select(poem =>
        {
            if (++read == 3)
                source.Cancel();
            return new QuatrainSample { Poem = poem };
        }));
        Assert.Throws<OperationCanceledException>(() => QuatrainSample.Fit(change: o => o.Network.CancellationToken = source.Token, data: rows));
        Assert.IsInRange(3, 4, read);
    }

    /// <summary>Without a further epoch the poems are those of the model before.</summary>
    [TestMethod]
    [DataRow(QuatrainArchitecture.Plain)]
    [DataRow(QuatrainArchitecture.LineByLine)]
    public void InitialModel_IsWhereTrainingGoesOn(QuatrainArchitecture architecture)
    {
        using var first = QuatrainSample.Fit(change: o => (o.Architecture, o.Writing) = (architecture, new QuatrainOptions { Seed = 3 }));
        using var second = QuatrainSample.Fit(change: o => (o.Architecture, o.Writing, o.Network.InitialModel, o.Network.Epochs) = (architecture, new QuatrainOptions { Seed = 3 }, first, 0));
        Assert.AreEqual(first.Write("山水"), second.Write("山水"));
    }

    [TestMethod]
    public void OptionsThatCannotBe_AreRefused()
    {
        Refused("none of which is a single character", o => o.Network.Tokenization = Tokenization.Words());
        Refused("The vocabulary of column 'Text' is empty", o => o.Network.Tokenization = Tokenization.Characters(minimumCount: 100_000));
        Refused("Network.ValidationGroupColumnName is Group; it must be null", o => o.Network.ValidationGroupColumnName = "Group");
        Refused("Network.NumberOfSampledTokens is 5; it must be null", o => (o.Architecture, o.Network.NumberOfSampledTokens) = (QuatrainArchitecture.LineByLine, 5));
        Refused("Network.OutputPrecision is BFloat16; it must be Float32", o => (o.Architecture, o.Network.OutputPrecision) = (QuatrainArchitecture.LineByLine, Precision.BFloat16));
        Refused("ValidationFraction 0.01 of 60 poems leaves none", o => (o.Architecture, o.Network.ValidationFraction) = (QuatrainArchitecture.LineByLine, 0.01));

        static void Refused(string message, Action<QuatrainEstimator.Options> change) =>
            StringAssert.Contains(Assert.Throws<ArgumentException>(() => QuatrainSample.Fit(change: change).Dispose()).Message, message);
    }

    [TestMethod]
    public void LineByLine_ResumesBitwise()
    {
        var folder = Directory.CreateTempSubdirectory("quatrains").FullName;
        try
        {
            using var whole = QuatrainSample.Fit(change: o => Change(o, 3, null));
            QuatrainSample.Fit(change: o => Change(o, 1, folder)).Dispose();
            using var resumed = QuatrainSample.Fit(change: o => Change(o, 3, folder, resume: true));
            foreach (var name in whole.Model.WeightShapes.Keys)
                CollectionAssert.AreEqual(whole.Model.GetWeights(name).ToArray(), resumed.Model.GetWeights(name).ToArray(), name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static void Change(QuatrainEstimator.Options o, int epochs, string? folder, bool resume = false)
        {
            o.Architecture = QuatrainArchitecture.LineByLine;
            (o.Network.Epochs, o.Network.CheckpointFolder, o.Network.ResumeFromCheckpoint, o.Network.ThreadCount) = (epochs, folder, resume, 1);
            o.Network.LearningRateSchedule = LearningRateSchedule.Constant();
        }
    }

    [TestMethod]
    [DataRow(QuatrainArchitecture.Plain)]
    [DataRow(QuatrainArchitecture.LineByLine)]
    public void RowsThatAreNoQuatrains_AreLeftOutAndCounted(QuatrainArchitecture architecture)
    {
        using var poet = QuatrainSample.Fit([.. Collection, "春江潮水連海平，海上明月共潮生。"], o => o.Architecture = architecture);
        Assert.AreEqual(1L, poet.History.DataCounts["rows of another form"]);
        Assert.Contains("1 of 61 rows of the training data are no quatrains and are left out; row 60", string.Join("\n", poet.History.Warnings));
    }

    [TestMethod]
    public void NoQuatrains_AreRefused()
    {
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => QuatrainSample.Fit(["春江潮水連海平，海上明月共潮生。"])).Message, "2 lines of 7, 7");
        Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.Quatrains(new QuatrainEstimator.Options { Writing = new QuatrainOptions { LineLength = 6 } }));
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.Quatrains(epochs: 0)).Message, "Epochs");
    }

    private static string[] Write(QuatrainTransformer poet, Wish[] wishes) => [.. poet.Transform(Ml.Data.LoadFromEnumerable(wishes)).GetColumn<string>("NewPoem")];

    private sealed class Wish
    {
        public string Title { get; set; } = "";

        public string Acrostic { get; set; } = "";

        public string Pattern { get; set; } = "";

        public int Seed { get; set; }
    }

    private sealed class Written
    {
        public string NewPoem { get; set; } = "";

        public float NewPoemLogProbability { get; set; }
    }
}
