using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.SequenceToSequence;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.SequenceToSequence;

/// <summary>What is cut and counted, what is refused, and what transformers say besides their columns.</summary>
[TestClass]
public sealed class SequenceUseTests
{
    private static readonly PairSample[] Pairs = PairSample.Reversed(40);
    private static readonly Lazy<SequenceToSequenceTransformer> Shared = new(() => PairSample.Fit(Pairs));

    [ClassCleanup]
    public static void DisposeModel() => Shared.Value.Dispose();

    [TestMethod]
    public void LongTexts_AreCutAndCounted()
    {
        PairSample[] pairs = [.. Pairs, new() { Source = "w0 w1 w2 w3 w4 w5 w0", Target = "w0 w1 w2 w3 w4 w5 w0 w1" }, new() { Source = "", Target = "w1\nw2" }, new() { Source = "w1", Target = "" }];
        var log = new List<string>();
        var ml = new MLContext(1);
        ml.Log += (_, line) => log.AddRange(line.Kind == ChannelMessageKind.Warning ? [line.Message] : []);
        using var model = ml.SequenceToSequence.Trainers.Lstm(PairSample.Options(o => (o.Epochs, o.MaximumSourceTokens, o.MaximumTargetTokens) = (1, 5, 6))).Fit(PairSample.View(pairs));
        var counts = model.History.DataCounts;
        Assert.AreEqual((1L, 2L, 1L, 2L, 1L), (counts["cut sources"], counts["lost source tokens"], counts["cut targets"], counts["lost target tokens"], counts["line ends within targets"]));
        Assert.AreEqual((1L, 1L), (counts["empty sequences"], counts["empty texts"]));
        Assert.IsTrue(log.Any(line => line.Contains("1 of 43 sources") && line.Contains("5 tokens")), string.Join("\n", log));
        Assert.IsTrue(log.Any(line => line.Contains("1 of 43 targets") && line.Contains("6 tokens")));
        // A cut target has no end to learn.
        Assert.AreEqual(Pairs.Sum(pair => pair.Target.Split(' ').Length + 1) + 6 + 3 + 1, model.History.Epochs[0].Examples);
        // Of a source that is too long, the end is read.
        Assert.AreEqual(model.Answers("w2 w3 w4 w5 w0")[0].LogProbability, model.Answers("w0 w1 w2 w3 w4 w5 w0")[0].LogProbability, 1e-6);
    }

    [TestMethod]
    [DataRow(LongSequenceHandling.KeepEnd, "w3 other")]
    [DataRow(LongSequenceHandling.KeepBeginning, "first w1")]
    [DataRow(LongSequenceHandling.KeepBeginningAndEnd, "first other")]
    public void LongSources_KeepWhatTheOptionSays(LongSequenceHandling handling, string kept)
    {
        var architecture = PairSample.Architecture(4, o => (o.MaximumSourceTokens, o.LongSourceHandling, o.CopyWords) = (2, handling, true));
        var (cut, whole) = (new PairTokenizer(architecture).ReadSource("first w1 second w3 other", "", 0), new PairTokenizer(architecture).ReadSource(kept, "", 0));
        CollectionAssert.AreEqual(whole.Ids, cut.Ids);
        CollectionAssert.AreEqual(whole.Copies, cut.Copies);
        CollectionAssert.AreEqual(whole.Extra, cut.Extra);
    }

    [TestMethod]
    public void BadData_IsRefusedByName()
    {
        Refused("'Source', row 1", () => PairSample.Fit([new() { Source = "w1", Target = "w2" }, new() { Source = "w1 w2 w3", Target = "w2" }], o => (o.MaximumSourceTokens, o.LongSourceHandling) = (2, LongSequenceHandling.Throw)), "3 tokens", "2 (MaximumSourceTokens)");
        Refused("all 2 rows", () => PairSample.Fit([new() { Source = "w1" }, new() { Source = "w1" }]), "'Target'", "nothing to learn");
        Refused("no rows", () => PairSample.Fit([]));
        Refused("'Nowhere' is not in the data", () => PairSample.Fit(Pairs, o => o.TargetColumnName = "Nowhere"));
        Refused("NumberOfSampledTokens is 50", () => PairSample.Fit(Pairs, o => o.NumberOfSampledTokens = 50), "8 tokens");
        Refused("vocabulary has no end of row", () => PairSample.Fit(Pairs, o => o.Tokenization = Tokenization.Of(new WordTokenizer { Vocabulary = [] })), "Tokenization");
        Refused("row 1 (the first row is 0)", () => PairSample.Fit([new() { Source = "ab", Target = "ba" }, new() { Source = "ac", Target = "ba" }], o => o.Tokenization = Tokenization.Of(new CharacterTokenizer { Vocabulary = ["\n", "a", "b"] })), "'Source'", "'c'");
    }

    [TestMethod]
    public void BadDecoding_IsRefusedByName()
    {
        var model = Shared.Value;
        foreach (var (options, part) in new (DecodingOptions, string)[]
        {
            (new() { MaximumTokens = 0 }, "MaximumTokens is 0"),
            (new() { MinimumTokens = 61 }, "at most 60"),
            (new() { BeamWidth = 0 }, "BeamWidth is 0"),
            (new() { LengthPenalty = double.NaN }, "LengthPenalty is NaN"),
            (new() { CoveragePenalty = -1 }, "CoveragePenalty is -1"),
            (new() { NoRepeatLength = 0 }, "NoRepeatLength is 0"),
            (new() { NumberOfAnswers = 3 }, "BeamWidth) has at most 1"),
            (new() { Temperature = -1 }, "Temperature is -1"),
            (new() { TopK = 0 }, "TopK is 0"),
            (new() { TopP = 0 }, "TopP is 0"),
            (new() { BeamWidth = 2, Temperature = 1 }, "BeamWidth is 2 and Temperature is 1"),
        })
        {
            Refused(part, () => model.Answer("w1", options));
            Refused(part, () => model.With(options));
        }
        Refused("must be 1", () => model.Generate("w1", new DecodingOptions { BeamWidth = 2 }));
        using var plain = PairSample.Fit(Pairs, o => (o.Epochs, o.Attention) = (1, AttentionKind.None));
        Refused("no attention", () => plain.Attention("w1"));
        Refused("no attention", () => plain.With(new DecodingOptions { CoveragePenalty = 1, BeamWidth = 2 }));
    }

    [TestMethod]
    public void SavedModel_AnswersTheSame()
    {
        using var folder = new TemporaryFolder();
        using var beam = Shared.Value.With(new DecodingOptions { BeamWidth = 3, NumberOfAnswers = 2, AddLogProbabilities = true, NoRepeatLength = 3, LengthPenalty = 0.9 }, "Reply");
        PairSample.Ml.Model.Save(beam, PairSample.View(Pairs).Schema, folder.File("model.zip"));
        using var loaded = (SequenceToSequenceTransformer)new MLContext(2).Model.Load(folder.File("model.zip"), out var schema);
        Assert.AreEqual(beam.Decoding, loaded.Decoding);
        CollectionAssert.AreEqual(new[] { "Source", "Target", "Reply", "ReplyLogProbability", "ReplyCandidates", "ReplyCandidateLogProbabilities", "TargetLogProbability", "TargetTokens" }, loaded.GetOutputSchema(schema).Select(column => column.Name).ToArray());
        var (before, after) = (beam.Transform(PairSample.View(Pairs)), loaded.Transform(PairSample.View(Pairs)));
        CollectionAssert.AreEqual(before.GetColumn<string>("Reply").ToArray(), after.GetColumn<string>("Reply").ToArray());
        Outcome.AssertSameBits(Outcome.Values(before, "ReplyCandidateLogProbabilities", "TargetLogProbability"), Outcome.Values(after, "ReplyCandidateLogProbabilities", "TargetLogProbability"));
        Assert.AreEqual(Shared.Value.Answer("w1 w2"), loaded.Answer("w1 w2", new DecodingOptions()), "other options after loading");
    }

    /// <summary>Words are keys, and keys are words; a missing key is an unknown word.</summary>
    [TestMethod]
    public void VectorsOfKeys_AreTextsOfTheirValues()
    {
        var text = PairSample.View(Pairs);
        var toKeys = PairSample.Ml.Transforms.Text.TokenizeIntoWords("Source").Append(PairSample.Ml.Transforms.Text.TokenizeIntoWords("Target"))
            .Append(PairSample.Ml.Transforms.Conversion.MapValueToKey("Source")).Append(PairSample.Ml.Transforms.Conversion.MapValueToKey("Target")).Fit(text);
        using var model = PairSample.Ml.SequenceToSequence.Trainers.Lstm(PairSample.Options()).Fit(toKeys.Transform(text));
        Outcome.AssertSameBits(Shared.Value.Model.GetWeights("output.weight"), model.Model.GetWeights("output.weight"));
        PairSample[] test = [new() { Source = "w1 w2 never", Target = "w2" }, new() { Source = "w3", Target = "w3 w1" }, new() { Source = "", Target = "" }];
        var (keys, texts) = (model.Transform(toKeys.Transform(PairSample.View(test))), Shared.Value.Transform(PairSample.View(test)));
        CollectionAssert.AreEqual(texts.GetColumn<string>("Answer").ToArray(), keys.GetColumn<string>("Answer").ToArray());
        Outcome.AssertSameBits(Outcome.Values(texts, "TargetLogProbability"), Outcome.Values(keys, "TargetLogProbability"));
        var chain = toKeys.Append(model);
        using var engine = PairSample.Ml.Model.CreatePredictionEngine<PairSample, AnswerRow>(chain, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(Shared.Value.Answer("w1 w2 never"), engine.Predict(test[0]).Answer);
        var spaced = PairSample.Ml.Transforms.Concatenate("Whole", "Source").Append(PairSample.Ml.Transforms.Conversion.MapValueToKey("Keys", "Whole")).Fit(text).Transform(text);
        Refused("several words", () => PairSample.Ml.SequenceToSequence.Trainers.Lstm(PairSample.Options(o => o.SourceColumnName = "Keys")).Fit(spaced), "'Keys'");
    }

    [TestMethod]
    public void Threads_GetTheirOwnAnswers()
    {
        using var beam = Shared.Value.With(new DecodingOptions { BeamWidth = 3 });
        var expected = Pairs.Select(pair => beam.Answer(pair.Source)).ToArray();
        var answers = new string[Pairs.Length];
        Parallel.For(0, Pairs.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => answers[i] = beam.Answer(Pairs[i].Source));
        CollectionAssert.AreEqual(expected, answers);
    }

    [TestMethod]
    public void Draws_DependOnSeedAndSource()
    {
        using var first = Shared.Value.With(new DecodingOptions { Temperature = 3, Seed = 1 });
        using var second = Shared.Value.With(new DecodingOptions { Temperature = 3, Seed = 2 });
        var rows = PairSample.View(Pairs);
        string[] Draw(SequenceToSequenceTransformer model, IDataView data) => [.. model.Transform(data).GetColumn<string>("Answer")];
        CollectionAssert.AreEqual(Draw(first, rows), Draw(first, rows));
        CollectionAssert.AreNotEqual(Draw(first, rows), Draw(second, rows));
        CollectionAssert.AreEqual(Draw(first, rows), Draw(first, PairSample.View(Pairs.Reverse())).Reverse().ToArray(), "the order of rows");
        Assert.AreEqual(first.Answer(Pairs[3].Source), string.Concat(first.Generate(Pairs[3].Source)));
    }

    [TestMethod]
    public void Attention_IsAMapOfTokens()
    {
        var map = Shared.Value.Attention("w1 w2 other", "w2 w1");
        CollectionAssert.AreEqual(new[] { "w1", "w2", "<unk>", "<eos>" }, map.SourceTokens.ToArray());
        CollectionAssert.AreEqual(new[] { "w2", "w1", "<eos>" }, map.TargetTokens.ToArray());
        Assert.HasCount(3, map.Weights);
        foreach (var row in map.Weights)
        {
            Assert.HasCount(4, row);
            Assert.AreEqual(1, row.Sum(), 1e-5);
        }
        using var folder = new TemporaryFolder();
        map.SavePng(folder.File("map.png"));
        Assert.IsGreaterThan(2000, new FileInfo(folder.File("map.png")).Length);
    }

    [TestMethod]
    public void Abandoned_StreamFreesItsTensors()
    {
        var model = Shared.Value;
        var before = TorchSharp.torch.Tensor.TotalCount;
        foreach (var _ in model.Generate("w1 w2 w3", new DecodingOptions { MinimumTokens = 5 }))
            break;
        model.Answers("w1 w2", new DecodingOptions { BeamWidth = 3, NumberOfAnswers = 3, CoveragePenalty = 0.1 });
        model.Attention("w1");
        model.Transform(PairSample.View(Pairs)).GetColumn<float>("TargetLogProbability").Count();
        Assert.AreEqual(before, TorchSharp.torch.Tensor.TotalCount);
    }

    private sealed class AnswerRow
    {
        public string Answer { get; set; } = "";
    }

    private static void Refused(string part, Func<object> action, params string[] parts)
    {
        var error = Assert.Throws<Exception>(() => (action() as IDisposable)?.Dispose());
        Assert.IsTrue(error is ArgumentException or FormatException or InvalidOperationException, error.ToString());
        foreach (var expected in parts.Prepend(part))
            Assert.Contains(expected, error.Message);
    }
}
