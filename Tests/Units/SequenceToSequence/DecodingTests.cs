using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.SequenceToSequence;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.SequenceToSequence;

/// <summary>What is written is what an exhaustive search over all possible answers finds.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class DecodingTests
{
    private const int Words = 3;
    private const int Longest = 3;

    public static IEnumerable<object[]> Networks =>
        from attention in Enum.GetValues<AttentionKind>()
        from copies in attention == AttentionKind.None ? [false] : new[] { false, true }
        select new object[] { attention, copies };

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void BeamOverEverything_FindsTheBestAnswers(AttentionKind attention, bool copies)
    {
        using var model = Model(attention, copies);
        foreach (var source in new[] { "", copies ? "w1 other w0" : "w1 w1 w0" })
        {
            var all = All(model, source);
            foreach (var penalty in new[] { 0, 0.6, 2 })
            {
                var expected = all.OrderByDescending(answer => answer.LogProbability / Math.Pow((5 + answer.Length) / 6.0, penalty)).ToArray();
                var found = model.Answers(source, Wide(expected.Length) with { LengthPenalty = penalty });
                Assert.HasCount(expected.Length, found, "every answer");
                Outcome.AssertClose([.. expected.Select(answer => (float)answer.LogProbability)], [.. found.Select(answer => (float)answer.LogProbability)], 1e-4);
                Assert.AreEqual(expected[0].Text, found[0].Text);
            }
        }
    }

    /// <summary>Nothing but what can be written has a probability: all answers, and all that go on after three tokens, are 1 together.</summary>
    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void ProbabilitiesOfTheFirstToken_SumTo1(AttentionKind attention, bool copies)
    {
        using var model = Model(attention, copies);
        var found = model.Answers("w1 other w0", Wide(10) with { MaximumTokens = 1, LengthPenalty = 0 });
        using var batch = new DecodingBatch(model.Model, model.Writer.Tokenizer, [model.Writer.Tokenizer.ReadSource("w1 other w0", "", 0)], beams: 1);
        batch.Read([], first =>
        {
            Assert.AreEqual(Words + 2 + (copies ? 1 : 0), first.shape[1]);
            Assert.AreEqual(1, first.exp().sum().item<float>(), 1e-5);
        });
        Assert.HasCount(copies ? 6 : 5, found);
    }

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void Greedy_IsTheChainOfTheMostLikelyTokens(AttentionKind attention, bool copies)
    {
        using var model = Model(attention, copies);
        var options = new DecodingOptions { MaximumTokens = Longest, AllowUnknown = true };
        foreach (var source in new[] { "w0 w1", "w2 w0 w0 w1", "", "w1 w2 other" })
        {
            string[] chain = [];
            while (chain.Length < Longest)
            {
                string[] words = [.. Enumerable.Range(0, Words).Select(i => $"w{i}"), "<unk>", .. copies ? source.Split(' ').Where(word => word == "other") : []];
                var ends = Score(model, source, chain);
                // The probability of a beginning is that of all that it can become.
                var next = words.Select(word => (word, value: Beginning(model, source, [.. chain, word]))).MaxBy(pair => pair.value);
                if (ends >= next.value)
                    break;
                chain = [.. chain, next.word];
            }
            var greedy = model.Answers(source, options)[0];
            Assert.AreEqual(string.Join(' ', chain), greedy.Text, $"'{source}'");
            Assert.AreEqual(Score(model, source, chain), greedy.LogProbability, 1e-4);
            Assert.AreEqual(greedy.Text, string.Concat(model.Generate(source, options)), "piece by piece");
        }
    }

    /// <summary>The rows of a block share their tensors, of different lengths and with other beams: nothing of it shows.</summary>
    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void RowsOfABlock_AreAnsweredAsAlone(AttentionKind attention, bool copies)
    {
        using var model = Model(attention, copies);
        var pairs = PairSample.Reversed(90, longest: 9, seed: 4);
        foreach (var i in new[] { 3, 50 })
            pairs[i].Source += " other";
        foreach (var options in new[] { new DecodingOptions { AddLogProbabilities = true }, new() { BeamWidth = 4, NumberOfAnswers = 3, AddLogProbabilities = true, CoveragePenalty = attention == AttentionKind.None ? 0 : 0.2 }, new() { Temperature = 1, NumberOfAnswers = 2, Seed = 5, AddLogProbabilities = true } })
        {
            using var other = model.With(options with { MaximumTokens = 6 });
            var scored = other.Transform(PairSample.View(pairs));
            var texts = scored.GetColumn<string>("Answer").ToArray();
            var values = scored.GetColumn<float>("AnswerLogProbability").ToArray();
            var alone = pairs.Select(pair => other.Answers(pair.Source)).ToArray();
            CollectionAssert.AreEqual(alone.Select(answers => answers[0].Text).ToArray(), texts);
            Outcome.AssertClose([.. alone.Select(answers => (float)answers[0].LogProbability)], values, 1e-4);
            Assert.IsGreaterThan(30, values.Distinct().Count());
            var targets = scored.GetColumn<float>("TargetLogProbability").ToArray();
            var tokens = scored.GetColumn<int>("TargetTokens").ToArray();
            for (var i = 0; i < pairs.Length; i += 30)
                Assert.AreEqual(Score(model, pairs[i].Source, pairs[i].Target.Split(' ')), targets[i], 1e-4 * tokens[i]);
            if (options.NumberOfAnswers == 1)
                continue;
            var lists = scored.GetColumn<string[]>("AnswerCandidates").ToArray();
            CollectionAssert.AreEqual(alone.SelectMany(answers => answers.Select(answer => answer.Text)).ToArray(), lists.SelectMany(list => list).ToArray());
            Outcome.AssertClose([.. alone.SelectMany(answers => answers.Select(answer => (float)answer.LogProbability))], [.. scored.GetColumn<float[]>("AnswerCandidateLogProbabilities").SelectMany(list => list)], 1e-4);
        }
    }

    [TestMethod]
    public void Limits_AreKept()
    {
        using var model = Model(AttentionKind.Luong, copies: true);
        foreach (var source in PairSample.Reversed(20, seed: 2).Select(pair => pair.Source))
        {
            var found = model.Answers(source, new DecodingOptions { BeamWidth = 6, NumberOfAnswers = 6, MinimumTokens = 4, MaximumTokens = 7, NoRepeatLength = 2 });
            foreach (var answer in found)
            {
                var words = answer.Text.Split(' ');
                Assert.AreEqual(words.Length, answer.Tokens);
                Assert.IsTrue(words.Length is >= 4 and <= 7, answer.Text);
                Assert.HasCount(words.Length - 1, words.Zip(words.Skip(1)).ToHashSet(), answer.Text);
                Assert.DoesNotContain("<unk>", words);
            }
        }
    }

    [TestMethod]
    public void Repetitions_AreTheTokensThatCompleteASequenceAgain()
    {
        CollectionAssert.AreEquivalent(new[] { 1, 2 }, AnswerLimits.Repetitions([0, 1, 0, 2, 0], 2).ToArray());
        CollectionAssert.AreEquivalent(new[] { 3 }, AnswerLimits.Repetitions([1, 2, 3, 1, 2], 3).ToArray());
        CollectionAssert.AreEquivalent(new[] { 4, 5 }, AnswerLimits.Repetitions([4, 5], 1).ToArray());
        Assert.IsEmpty(AnswerLimits.Repetitions([1], 3).ToArray());
    }

    /// <summary>The coverage of each answer, from its attention.</summary>
    [TestMethod]
    public void CoveragePenalty_IsThatOfTheAttention()
    {
        using var model = Model(AttentionKind.Luong, copies: false);
        foreach (var answer in model.Answers("w0 w1 w2", Wide(20) with { LengthPenalty = 0.5, CoveragePenalty = 0.3 }))
        {
            var map = model.Attention("w0 w1 w2", answer.Text);
            var coverage = Enumerable.Range(0, 4).Sum(i => Math.Log(Math.Min(1, map.Weights.Sum(row => row[i]))));
            Assert.AreEqual((answer.LogProbability / Math.Pow((5 + map.TargetTokens.Count) / 6.0, 0.5)) + (0.3 * coverage), answer.Score, 1e-4, answer.Text);
        }
    }

    [TestMethod]
    public void Draws_FollowTheProbabilities()
    {
        using var model = Model(AttentionKind.Bahdanau, copies: false);
        var drawn = model.Answers("w0 w2", new DecodingOptions { Temperature = 1, NumberOfAnswers = 1000, MaximumTokens = Longest, Seed = TestSeed.Of(1), AllowUnknown = true });
        foreach (var group in drawn.GroupBy(answer => answer.Text).Where(group => group.Count() > 60 && group.First().Tokens < Longest))
        {
            var share = Math.Exp(group.First().LogProbability);
            Assert.AreEqual(share, group.Count() / 1000.0, 5 * Math.Sqrt(share * (1 - share) / 1000), group.Key);
        }
        Assert.HasCount(1, model.Answers("w0 w2", new DecodingOptions { Temperature = 1, TopK = 1, NumberOfAnswers = 50, Seed = 1 }).Select(answer => answer.Text).Distinct().ToArray());
    }

    private static DecodingOptions Wide(int count) => new() { BeamWidth = 400, NumberOfAnswers = count, MaximumTokens = Longest, AllowUnknown = true };

    private static SequenceToSequenceTransformer Model(AttentionKind attention, bool copies) =>
        PairSample.Random(PairSample.Architecture(Words, o => (o.HiddenUnits, o.Attention, o.CopyWords) = (8, attention, copies)), seed: 3);

    /// <summary>All answers of up to three tokens.</summary>
    private static (string Text, double LogProbability, int Length)[] All(SequenceToSequenceTransformer model, string source)
    {
        string[] words = [.. Enumerable.Range(0, Words).Select(i => $"w{i}"), "<unk>", .. model.Architecture.CopiesWords && source.Contains("other", StringComparison.Ordinal) ? ["other"] : Array.Empty<string>()];
        var answers = new List<string[]> { Array.Empty<string>() };
        for (var first = 0; answers[first].Length < Longest; first++)
            answers.AddRange(words.Select(word => (string[])[.. answers[first], word]));
        var read = model.Writer.Tokenizer.ReadSource(source, "", 0);
        var scores = model.Writer.Score([.. answers.Select(_ => read)], [.. answers.Select(answer => model.Writer.Tokenizer.ReadTarget(string.Join(' ', answer), read, "", 0))]);
        return [.. answers.Zip(scores, (answer, score) => (string.Join(' ', answer), score, answer.Length + 1))];
    }

    private static double Score(SequenceToSequenceTransformer model, string source, string[] target)
    {
        var read = model.Writer.Tokenizer.ReadSource(source, "", 0);
        return model.Writer.Score([read], [model.Writer.Tokenizer.ReadTarget(string.Join(' ', target), read, "", 0, isCut: false)])[0];
    }

    /// <summary>The log probability of the first tokens, whatever follows.</summary>
    private static double Beginning(SequenceToSequenceTransformer model, string source, string[] words)
    {
        var read = model.Writer.Tokenizer.ReadSource(source, "", 0);
        var target = model.Writer.Tokenizer.ReadTarget(string.Join(' ', words), read, "", 0, isCut: false);
        return model.Writer.Score([read], [target[..^1]])[0];
    }
}
