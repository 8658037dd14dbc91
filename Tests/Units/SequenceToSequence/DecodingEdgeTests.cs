using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.SequenceToSequence;

namespace MLExtensions.Tests.SequenceToSequence;

/// <summary>What happens at the edges of decoding: words of other sources, nothing left to write, texts that are too long.</summary>
[TestClass]
public sealed class DecodingEdgeTests
{
    /// <summary>The sources of a block share the numbers beyond the vocabulary; each has words for as many of them as it has unknown words.</summary>
    [TestMethod]
    [DataRow(AttentionKind.Luong, 0.0)]
    [DataRow(AttentionKind.Bahdanau, 0.0)]
    [DataRow(AttentionKind.Luong, 1000.0)]
    public void WordsOfOtherSources_AreNotWritten(AttentionKind attention, double temperature)
    {
        using var model = PairSample.Random(PairSample.Architecture(2, o => (o.Attention, o.CopyWords, o.MaximumTargetTokens) = (attention, true, 2)));
        var decoding = new DecodingOptions { BeamWidth = temperature > 0 ? 1 : 50, NumberOfAnswers = 50, Temperature = temperature, Seed = 1 };
        string[] sources = ["one two three", "w0", "four w1"];
        var rows = PairSample.View(sources.Select(source => new PairSample { Source = source }));
        var answers = model.With(decoding).Transform(rows).GetColumn<string[]>("AnswerCandidates").ToArray();
        for (var i = 0; i < sources.Length; i++)
        {
            string[] own = ["w0", "w1", "", .. sources[i].Split(' ')];
            Assert.IsEmpty(answers[i].SelectMany(answer => answer.Split(' ')).Except(own));
            var alone = model.Answers(sources[i], decoding);
            CollectionAssert.AreEqual(alone.Select(answer => answer.Text).ToArray(), answers[i][..alone.Count]);
        }
    }

    /// <summary>The end is forbidden for longer than there are words that may follow: every way of writing stops with all words.</summary>
    [TestMethod]
    public void WhereNothingMayFollow_AnswersAreCut()
    {
        using var model = PairSample.Random(PairSample.Architecture(3));
        var greedy = new DecodingOptions { NoRepeatLength = 1, MinimumTokens = 20 };
        foreach (var decoding in new[] { greedy, greedy with { BeamWidth = 4, NumberOfAnswers = 4 }, greedy with { Temperature = 1, Seed = 2, NumberOfAnswers = 3 } })
        {
            foreach (var answer in model.Answers("w0 w1", decoding))
            {
                CollectionAssert.AreEquivalent(new[] { "w0", "w1", "w2" }, answer.Text.Split(' '));
                Assert.AreEqual(3, answer.Tokens);
                Assert.IsInRange(-100, 0, answer.LogProbability);
            }
        }
        Assert.AreEqual(model.Answer("w0 w1", greedy), string.Concat(model.Generate("w0 w1", greedy)));
        var drawn = greedy with { Temperature = 1, Seed = 2 };
        Assert.AreEqual(model.Answer("w0 w1", drawn), string.Concat(model.Generate("w0 w1", drawn)));
    }

    /// <summary>The largest limit is no reason to stop before a better answer is found.</summary>
    [TestMethod]
    public void LargestLimit_FindsTheSame()
    {
        using var model = PairSample.Random(PairSample.Architecture(3));
        var decoding = new DecodingOptions { BeamWidth = 3, NumberOfAnswers = 2, LengthPenalty = 2 };
        var expected = model.Answers("w0 w2", decoding with { MaximumTokens = 1000 });
        CollectionAssert.AreEqual(expected.ToArray(), model.Answers("w0 w2", decoding with { MaximumTokens = int.MaxValue }).ToArray());
    }

    [TestMethod]
    [DataRow(AttentionKind.None, false)]
    [DataRow(AttentionKind.Luong, true)]
    [DataRow(AttentionKind.Bahdanau, true)]
    public void LongTargets_AreScoredInParts(AttentionKind attention, bool copies)
    {
        using var model = PairSample.Random(PairSample.Architecture(4, o => (o.Attention, o.CopyWords) = (attention, copies)));
        var writer = new AnswerWriter(model.Model, maximumValues: 200);
        var sources = new[] { "w0 w1 new", "", "w3" }.Select(text => writer.Tokenizer.ReadSource(text, "", 0)).ToArray();
        var targets = new[] { string.Join(' ', Enumerable.Repeat("w1 w2 new w3", 50)), "w0", "" }.Select((text, i) => writer.Tokenizer.ReadTarget(text, sources[i], "", 0, isCut: false)).ToArray();
        var (parts, whole) = (writer.Score(sources, targets), model.Writer.Score(sources, targets));
        for (var i = 0; i < sources.Length; i++)
            Assert.AreEqual(whole[i], parts[i], 1e-5 * Math.Abs(whole[i]));
    }

    [TestMethod]
    public void ColumnsThatHideEachOther_AreRefused()
    {
        var decoding = new DecodingOptions { AddLogProbabilities = true };
        var refused = Assert.Throws<ArgumentException>(() => PairSample.Ml.SequenceToSequence.Trainers.Lstm(PairSample.Options(o => (o.OutputColumnName, o.Decoding) = ("Target", decoding))));
        Assert.Contains("OutputColumnName is 'Target' and TargetColumnName is 'Target': answers and targets would both add a column 'TargetLogProbability'", refused.Message);
        using var model = PairSample.Random(PairSample.Architecture(3));
        Assert.Throws<ArgumentException>(() => model.With(decoding, "Target"));
        Assert.Throws<ArgumentException>(() => model.With(decoding, ""));
        Assert.AreEqual("Target", model.With(new DecodingOptions(), "Target").OutputColumnName);
    }

    [TestMethod]
    public void CutSources_AreToldOnce_WhenTheyAreAnswered()
    {
        var ml = new MLContext(1);
        var said = new List<string>();
        ml.Log += (_, line) => said.AddRange(line.Kind == ChannelMessageKind.Warning && line.Message.Contains("MaximumSourceTokens") ? [line.Message] : []);
        using var model = ml.SequenceToSequence.Trainers.Lstm(PairSample.Options(o => (o.Epochs, o.MaximumSourceTokens, o.MaximumTargetTokens) = (1, 5, 5))).Fit(PairSample.View(PairSample.Reversed(20)));
        var rows = PairSample.View(new PairSample { Source = "w0 w1 w2 w3 w4 w5 w0" }, new PairSample { Source = "w0" });
        for (var pass = 0; pass < 2; pass++)
            _ = (model.Transform(rows).GetColumn<string>("Answer").Count(), model.Transform(rows).GetColumn<float>("TargetLogProbability").Count());
        Assert.Contains("1 of 2 sources in column 'Source' are longer than 5 tokens (MaximumSourceTokens); 2 tokens of them are not read", said.Single());
        model.Answer("w0 w1 w2 w3 w4 w5");
        Assert.Contains("1 of 1 sources", said[1]);
    }
}
