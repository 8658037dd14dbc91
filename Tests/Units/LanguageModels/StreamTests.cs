using Microsoft.ML;
using MLExtensions.Distribution;
using MLExtensions.Families.LanguageModels;
using static TorchSharp.torch;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>The parallel streams of a text: nothing of it is left out, and none is shorter than a window.</summary>
[TestClass]
public sealed class StreamTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(147, 50, 50, 2)]
    [DataRow(41, 20, 35, 1)]
    [DataRow(2, 20, 35, 1)]
    [DataRow(1000, 20, 35, 20)]
    [DataRow(701, 20, 35, 20)]
    [DataRow(700, 20, 35, 19)]
    [DataRow(96, 7, 3, 7)]
    public void EveryTokenButTheFirst_IsPredictedAfterItsPredecessor(int count, int lanes, int steps, int expectedStreams)
    {
        using var store = TokenStore.Create(Buffering.InMemory);
        store.Append(Enumerable.Range(0, count + 3).ToArray());
        var windows = new TokenWindows(store, 3, count, lanes, steps, CPU, null, Share.Whole);
        Assert.AreEqual(expectedStreams, windows.Streams);
        var predicted = new List<long>();
        var batches = 0;
        foreach (var batch in windows.ReadEpoch(1))
        {
            using (batch)
            {
                var inputs = batch.Inputs.view(-1).data<long>().ToArray();
                var targets = batch.Targets.data<long>().ToArray();
                CollectionAssert.AreEqual(inputs.Select(input => input + 1).ToArray(), targets);
                predicted.AddRange(targets);
                batches++;
            }
        }
        Assert.AreEqual(windows.BatchCount, batches);
        Assert.AreEqual(windows.RowCount, predicted.Count);
        CollectionAssert.AreEqual(Enumerable.Range(4, count - 1).Select(token => (long)token).ToArray(), predicted.Distinct().Order().ToArray());
        Assert.IsLessThan(expectedStreams, predicted.Count - predicted.Distinct().Count(), "read twice");
    }

    /// <summary>Forty words in one stream: what training says of them is what a continuous evaluation says.</summary>
    [TestMethod]
    public void ShortText_SamePerplexityInTrainingAndEvaluation()
    {
        string[] text = [string.Join(' ', Enumerable.Range(0, 40).Select(i => $"w{i * i % 11}"))];
        using var model = LanguageSample.Fit(Ml, text, o => (o.Tokenization, o.BatchSize, o.WindowLength, o.Epochs) = (Tokenization.Words(), 20, 35, 8));
        using var next = LanguageSample.Fit(Ml, text, o => (o.BatchSize, o.WindowLength, o.Epochs, o.LearningRate, o.InitialModel) = (20, 35, 1, 1e-9, model));
        Assert.AreEqual(Ml.LanguageModels.EvaluateContinuous(model, LanguageSample.View(Ml, text)).Perplexity, next.History.Epochs[0].Training["perplexity"], 1e-3);
    }

    [TestMethod]
    public void UnknownTokens_AreCounted()
    {
        using var model = Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => (o.Tokenization, o.Epochs) = (Tokenization.Words(maximumVocabulary: 4), 1)))
            .Fit(LanguageSample.View(Ml, "a a a b b c", "", "a b d"), LanguageSample.View(Ml, "x y a"));
        var counts = model.History.DataCounts;
        Assert.AreEqual((9, 2, 1), (counts["tokens"], counts["unknown tokens"], counts["empty texts"]));
        Assert.AreEqual((3, 2), (counts["validation: tokens"], counts["validation: unknown tokens"]));
    }
}
