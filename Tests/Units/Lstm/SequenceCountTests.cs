using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Tests.Contract;
using static MLExtensions.Tests.Lstm.SequenceModel;

namespace MLExtensions.Tests.Lstm;

/// <summary>What of sequences is cut, empty, missing or unknown does not stop a training; it is counted in the log and in the history.</summary>
[TestClass]
public sealed class SequenceCountTests
{
    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void CutAndEmptyAndUnknown_AreCounted(Buffering buffering)
    {
        var rows = Rows(("a b c d e f", 10), ("a b", 29), ("", 1));
        var validation = Rows(("a b", 3), ("a x y", 1));
        var (history, warnings) = Train(rows, validation, options => (options.MaximumLength, options.Buffering) = (4, buffering));
        AssertCounts(history, ("sequences", 40), ("tokens", 118), ("cut sequences", 10), ("lost time steps", 20), ("empty sequences", 1),
            ("validation: sequences", 4), ("validation: tokens", 9), ("validation: unknown tokens", 2));
        Assert.HasCount(1, warnings.Where(text => text.Contains("10 of 40 sequences of the training data in column 'Text' are longer than 4 time steps, and 20 time steps")));
        Assert.HasCount(1, warnings.Where(text => text.Contains("1 of 40 sequences of the training data in column 'Text' are empty")));
        Assert.HasCount(1, warnings.Where(text => text.Contains("2 of 9 tokens of the validation data (22.22 %)")));
    }

    [TestMethod]
    public void AllEmpty_IsRefused()
    {
        foreach (var buffering in Enum.GetValues<Buffering>())
        {
            var error = Assert.Throws<ArgumentException>(() => Train(Rows((" ", 20)), null, options => options.Buffering = buffering));
            Assert.Contains("All 20 sequences of the training data in column 'Text' are empty", error.Message);
        }
    }

    /// <summary>A word that the dictionary does not have is left out, in training and in a request.</summary>
    [TestMethod]
    public void MissingKeys_AreLeftOutAndCounted()
    {
        var rows = SequenceRow.Random(60, 6);
        var data = SequenceRow.View(Ml, rows);
        var keys = ToKeys.Fit(data);
        rows[5].Text += " never";
        using var model = Binary(Keys).Fit(keys.Transform(SequenceRow.View(Ml, rows)));
        Assert.AreEqual(1, model.History.DataCounts["missing keys"]);
        var chain = keys.Append(model);
        var scores = Scores(chain, SequenceRow.OfText("w1 never w2"), SequenceRow.OfText("w1 w2"), SequenceRow.OfText("never ever"), SequenceRow.OfText(""));
        Assert.AreEqual(scores[1], scores[0], 1e-6);
        Assert.AreEqual(scores[3], scores[2], 1e-6);
        Assert.AreEqual(scores[0], ScoresOneByOne(chain, [SequenceRow.OfText("w1 never w2")])[0], 1e-6);
        using var folder = new TemporaryFolder();
        Ml.Model.Save(chain, data.Schema, folder.File("model.zip"));
        Assert.AreEqual(scores[0], Scores(Ml.Model.Load(folder.File("model.zip"), out _), SequenceRow.OfText("w1 never w2"))[0], 1e-6);
    }

    /// <summary>Chinese by the default tokenizer: characters that training has seen, in new sentences, are known.</summary>
    [TestMethod]
    public void Chinese_IsKnownByItsCharacters()
    {
        var (history, warnings) = Train(Rows(("\u6211\u7231\u5317\u4EAC", 20), ("\u4ED6\u53BB\u4E0A\u6D77", 20)), Rows(("\u6211\u53BB\u5317\u6D77", 4)), _ => { });
        AssertCounts(history, ("sequences", 40), ("tokens", 160), ("validation: sequences", 4), ("validation: tokens", 16));
        Assert.DoesNotContain("unknown", string.Join("\n", warnings));
        Assert.DoesNotContain("Tokenization", string.Join("\n", warnings));
    }

    [TestMethod]
    public void WholeSentencesAsWords_AreWarnedOf()
    {
        var sentences = Enumerable.Range(0, 40).Select(i => new SequenceRow { Text = string.Concat(Enumerable.Range(0, 14).Select(j => (char)(0x4E00 + (17 * i) + j))), Flag = i % 2 == 0 }).ToArray();
        var (_, warnings) = Train(sentences, sentences[..1], options => options.Tokenization = Tokenization.Words());
        Assert.IsTrue(warnings.Any(text => text.Contains("without spaces") && text.Contains("Tokenization.Words(splitPunctuation: true)")));
    }

    /// <summary>The default of texts that are too long is to read both of their ends.</summary>
    [TestMethod]
    [DataRow(LongSequenceHandling.KeepBeginning, "a b c d")]
    [DataRow(LongSequenceHandling.KeepEnd, "d e f g")]
    [DataRow(LongSequenceHandling.KeepBeginningAndEnd, "a b f g")]
    [DataRow(null, "a b f g")]
    public void LongTexts_AreCutAsTheOptionSays(LongSequenceHandling? handling, string same)
    {
        using var model = Fit(
            Rows(("a b c d e f g", 20), ("g f e", 20)),
            options => (options.MaximumLength, options.LongSequenceHandling) = (4, handling),
            Texts);
        var scores = Scores(model, SequenceRow.OfText("a b c d e f g"), SequenceRow.OfText(same));
        Assert.AreEqual(scores[1], scores[0], 1e-6);
    }

    /// <summary>The rule for words is saved with the model.</summary>
    [TestMethod]
    public void SavedModel_CutsWordsInTheSameWay()
    {
        using var folder = new TemporaryFolder();
        var data = SequenceRow.View(Ml, Rows(("3.14 \u0915\u093F\u0924\u093E\u092C", 20), ("3 . 14", 20)));
        using var model = Binary(Texts).Fit(data);
        Ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        using var loaded = (BinaryNetworkTransformer)Ml.Model.Load(folder.File("model.zip"), out _);
        Assert.AreEqual(Architecture(model), Architecture(loaded));
        Assert.AreEqual(7, Architecture(loaded).Input.TokenCount);
    }

    /// <summary>Data to score is told of too, once.</summary>
    [TestMethod]
    public void ScoredData_IsWarnedOf()
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        using var model = ml.BinaryClassification.Trainers.Recurrent(Options<RecurrentBinaryTrainer.Options>(Texts, nameof(SequenceRow.Flag), options => options.MaximumLength = 4))
            .Fit(SequenceRow.View(ml, Rows(("a b c d", 20), ("d c b", 20))));
        ml.Log += (_, log) => warnings.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        var scored = model.Transform(SequenceRow.View(ml, Rows(("a b c d a", 2), ("x y z", 1), ("", 1))));
        _ = Outcome.Scores(scored);
        Assert.HasCount(3, warnings);
        Assert.IsTrue(warnings.All(text => text.Contains("scored data")));
        _ = Outcome.Scores(scored);
        Assert.HasCount(3, warnings);
    }

    private static SequenceRow[] Rows(params (string Text, int Count)[] texts) =>
        [.. texts.SelectMany((text, kind) => Enumerable.Range(0, text.Count).Select(_ => new SequenceRow { Text = text.Text, Flag = kind % 2 == 0 }))];

    private static (TrainingHistory History, List<string> Warnings) Train(SequenceRow[] rows, SequenceRow[]? validation, Action<RecurrentOptions> change)
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        var trainer = ml.BinaryClassification.Trainers.Recurrent(Options<RecurrentBinaryTrainer.Options>(Texts, nameof(SequenceRow.Flag), change));
        using var model = validation == null ? trainer.Fit(SequenceRow.View(ml, rows)) : trainer.Fit(SequenceRow.View(ml, rows), SequenceRow.View(ml, validation));
        return (model.History, warnings);
    }

    private static void AssertCounts(TrainingHistory history, params (string Name, long Count)[] expected) => CollectionAssert.AreEqual(
        expected.Select(count => $"{count.Name} {count.Count}").Order(StringComparer.Ordinal).ToArray(),
        history.DataCounts.Select(count => $"{count.Key} {count.Value}").Order(StringComparer.Ordinal).ToArray());
}
