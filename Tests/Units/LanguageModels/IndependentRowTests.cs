using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Distribution;
using MLExtensions.Families.LanguageModels;
using static TorchSharp.torch;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>Rows that have nothing to do with each other, with something that is read before them.</summary>
[TestClass]
public sealed class IndependentRowTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>Rows of 3, 1 and 2 tokens with their ends; the second has a context of two tokens with its end.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public void EveryToken_IsPredictedAfterItsPredecessorInItsRow(int batchSize)
    {
        using var store = TokenStore.Create(Buffering.InMemory);
        store.Append([11, 12, 0, 21, 0, 22, 0, 31, 32, 0]);
        var rows = new List<TextRow> { new(0, 0, 3), new(3, 2, 4), new(7, 0, 3) };
        var batches = new TextRowBatches(store, rows, batchSize, endOfSequence: 0, new RowShuffle(TestSeed.Of(1), 0), CPU, "text", Share.Whole);
        Assert.AreEqual((8L, (3 + batchSize - 1) / batchSize), (batches.RowCount, batches.BatchCount));
        var pairs = new List<(long Before, long Token)>();
        foreach (var batch in batches.ReadEpoch(1))
        {
            using (batch)
            {
                var inputs = batch.Predicted(batch.Inputs.view(-1, 1)).data<long>().ToArray();
                pairs.AddRange(inputs.Zip(batch.Targets.data<long>().ToArray()));
                Assert.AreEqual(inputs.Length, batch.RowCount);
            }
        }
        CollectionAssert.AreEquivalent(new (long, long)[] { (0, 11), (11, 12), (12, 0), (0, 22), (22, 0), (0, 31), (31, 32), (32, 0) }, pairs);
    }

    [TestMethod]
    public void DroppedContexts_AreLeftOut_OthersInEachEpoch()
    {
        using var store = TokenStore.Create(Buffering.InMemory);
        var rows = new List<TextRow>();
        for (var row = 0; row < 200; row++)
        {
            store.Append([7, 0, 1, 0]);
            rows.Add(new(4 * row, 2, 4));
        }
        var batches = new TextRowBatches(store, rows, 200, endOfSequence: 0, new RowShuffle(TestSeed.Of(1), 0.5), CPU, null, Share.Whole);
        var kept = Enumerable.Range(1, 2).Select(epoch =>
        {
            using var batch = batches.ReadEpoch(epoch).Single();
            Assert.AreEqual(400, batch.RowCount);
            return batch.Inputs.eq(tensor(7L, ScalarType.Int64, CPU)).sum().item<long>();
        }).ToArray();
        Assert.IsTrue(kept.All(count => count is > 60 and < 140), string.Join(", ", kept));
        Assert.AreNotEqual(kept[0], kept[1]);
    }

    /// <summary>What comes after a colon is what the context says; without one there is doubt among four letters.</summary>
    [TestMethod]
    public void Context_SaysWhatTheRowIs()
    {
        var rows = Enumerable.Range(0, 400).Select(i => new Line { Title = $"t{(char)('a' + (i % 4))}", Text = $"x{(char)('a' + (i % 4))}" }).ToArray();
        using var model = Fit(rows, o => (o.ContextDropout, o.Epochs) = (0.3, 12));
        var known = model.Transform(Ml.Data.LoadFromEnumerable(rows[..4])).GetColumn<float>("Perplexity").Max();
        var unknown = model.Transform(Ml.Data.LoadFromEnumerable(rows[..4].Select(row => new Line { Text = row.Text }))).GetColumn<float>("Perplexity").Average();
        Assert.IsLessThan(1.2f, known);
        Assert.IsInRange(1.3f, 2f, unknown); // 4^(1/3) = 1.59
        Assert.AreEqual("xc", model.GenerateText("tc\n", new GenerationOptions { Temperature = 0, StopAtEndOfSequence = true }));
        CollectionAssert.AreEqual(new[] { 3, 3 }, model.Transform(Ml.Data.LoadFromEnumerable(rows[..2])).GetColumn<int>("Tokens").ToArray());
    }

    [TestMethod]
    public void SavedModel_ReadsTheContext_AndHasTheFeatures()
    {
        var rows = Enumerable.Range(0, 40).Select(i => new Line { Title = $"t{(char)('a' + (i % 4))}", Text = $"x{(char)('a' + (i % 4))}" }).ToArray();
        using var model = Fit(rows, o => (o.Epochs, o.TieEmbeddings, o.TokenFeatures) = (2, true, token => token == "x" ? ["first", "letter"] : char.IsLetter(token[0]) ? ["letter"] : []));
        var data = Ml.Data.LoadFromEnumerable(rows);
        using var file = new MemoryStream();
        Ml.Model.Save(model, data.Schema, file);
        file.Position = 0;
        using var loaded = (LanguageModelTransformer)Ml.Model.Load(file, out _);
        Assert.AreEqual("Title", loaded.ContextColumnName);
        CollectionAssert.AreEqual(new[] { "letter", "first" }.Order().ToArray(), ((LanguageModelArchitecture)loaded.Model.Architecture).TokenFeatures!.Names.Order().ToArray());
        CollectionAssert.AreEqual(model.Transform(data).GetColumn<float>("Perplexity").ToArray(), loaded.Transform(data).GetColumn<float>("Perplexity").ToArray());
        // Managed code writes what libtorch scores.
        Assert.AreEqual(model.GenerateText("ta\nx", new GenerationOptions { Temperature = 0, MaximumTokens = 5 }), loaded.GenerateText("ta\nx", new GenerationOptions { Temperature = 0, MaximumTokens = 5 }));
        using var engine = Ml.Model.CreatePredictionEngine<Line, LanguageScore>(loaded);
        Assert.AreEqual(model.Transform(data).GetColumn<float>("LogProbability").First(), engine.Predict(rows[0]).LogProbability, 1e-4);
    }

    [TestMethod]
    public void ContextOfOneText_IsRefused()
    {
        var refused = Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => o.ContextColumnName = "Title")));
        StringAssert.Contains(refused.Message, "IndependentRows");
        Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => (o.IndependentRows, o.ContextDropout) = (true, 0.5))));
    }

    private static LanguageModelTransformer Fit(Line[] rows, Action<LanguageModelEstimator.Options> change) => Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o =>
    {
        (o.IndependentRows, o.ContextColumnName, o.BatchSize, o.Tokenization) = (true, "Title", 20, Tokenization.Characters());
        change(o);
    })).Fit(Ml.Data.LoadFromEnumerable(rows));

    private sealed class Line
    {
        public string Title { get; set; } = "";

        public string Text { get; set; } = "";
    }
}
