using Microsoft.ML;

namespace MLExtensions.Tests.Conversations;

/// <summary>Metrics of texts that were written.</summary>
[TestClass]
public sealed class ResponseMetricsTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>Against counts by hand and the formula of Papineni et al., computed by another program.</summary>
    [TestMethod]
    public void Bleu_IsThatOfTheWholeCorpus()
    {
        var metrics = Evaluate(
            ("the cat sat on the red mat today", "the cat sat on the mat today"),
            ("i am going to the house", "i am going to the big old house"),
            ("yes it is so", "yes"));
        CollectionAssert.AreEqual(new[] { 14.0 / 16, 9.0 / 13, 6.0 / 11, 4.0 / 9 }, metrics.NGramPrecisions.ToArray());
        Assert.AreEqual(0.8824969025845955, metrics.BrevityPenalty, 1e-12);
        Assert.AreEqual(0.5463035266217207, metrics.Bleu, 1e-12);
    }

    /// <summary>The example of Papineni et al. (2002) for why counts are clipped.</summary>
    [TestMethod]
    public void RepeatedWords_CountAsOftenAsInTheTarget()
    {
        var metrics = Evaluate(("the cat is on the mat", "the the the the the the the"));
        Assert.AreEqual(2.0 / 7, metrics.NGramPrecisions[0], 1e-12);
        Assert.AreEqual(0, metrics.Bleu, "no pair in common, and no smoothing");
        Assert.AreEqual(1, metrics.BrevityPenalty);
    }

    [TestMethod]
    public void EqualTexts_AreExact()
    {
        var metrics = Evaluate(("Hello, how are you?", "Hello , how are you ?"), ("a b c d", "a b c d"));
        Assert.AreEqual(1, metrics.Bleu, 1e-12);
        Assert.AreEqual(1, metrics.ExactMatch, "white space is no token");
    }

    [TestMethod]
    public void VarietyAndLengths()
    {
        var metrics = Evaluate(("x", "i do not know"), ("y z", "no idea"), ("w", "I do not know"), ("v", "i do not know"));
        Assert.AreEqual(14 / 4.0, metrics.MeanLength);
        Assert.AreEqual(5 / 4.0, metrics.MeanTargetLength);
        Assert.AreEqual(7.0 / 14, metrics.Distinct1, 1e-12, "i I do not know no idea");
        Assert.AreEqual(5.0 / 14, metrics.Distinct2, 1e-12, "i do, I do, do not, not know, no idea");
        Assert.AreEqual("i do not know", metrics.CommonestResponse);
        Assert.AreEqual(0.5, metrics.CommonestResponseShare);
        Assert.AreEqual(3, metrics.DistinctResponses);
        var lower = Ml.SequenceToSequence.Evaluate(View(("I KNOW", "i know"), ("b", "B")), "Target", "Answer", ignoreCase: true);
        Assert.AreEqual(1, lower.ExactMatch);
    }

    [TestMethod]
    public void ConversationsAreExact_IfAllTheirResponsesAre()
    {
        var data = Ml.Data.LoadFromEnumerable(new[] { Pair("a", "a", 1), Pair("b", "b", 2), Pair("c", "d", 1), Pair("e", "e", 3), Pair("f", "f", 2) });
        var metrics = Ml.SequenceToSequence.Evaluate(data, conversationColumnName: "Conversation");
        Assert.AreEqual(0.8, metrics.ExactMatch, 1e-12);
        Assert.AreEqual(3, metrics.Conversations);
        Assert.AreEqual(2.0 / 3, metrics.ConversationExactMatch!.Value, 1e-12);
        Assert.Contains("exact 80.0 % of 5 (66.7 % of 3 conversations)", metrics.ToString());
        Assert.IsNull(Ml.SequenceToSequence.Evaluate(data).ConversationExactMatch);
    }

    [TestMethod]
    public void Perplexity_IsThatOfTheColumns_WithNGramsBesideIt()
    {
        var rows = new[] { Pair("a b", "a", 1), Pair("b", "b", 2) };
        (rows[0].TargetLogProbability, rows[0].TargetTokens, rows[1].TargetLogProbability, rows[1].TargetTokens) = (-3, 3, -2, 2);
        var data = Ml.Data.LoadFromEnumerable(rows);
        var reference = Ml.LanguageModels.Trainers.KneserNey("Target", order: 2).Fit(data);
        var metrics = Ml.SequenceToSequence.Evaluate(data, reference: reference);
        Assert.AreEqual(Math.E, metrics.Perplexity!.Value, 1e-9);
        Assert.AreEqual(Ml.LanguageModels.Evaluate(reference.Transform(data)).Perplexity, metrics.Reference!.Perplexity, 1e-5);
        Assert.IsNull(Ml.SequenceToSequence.Evaluate(data, "Answer", "Target").Perplexity, "no columns for that target");
        Assert.AreEqual(Math.E, Ml.SequenceToSequence.Evaluate(data, "Answer", "Target", logProbabilityColumnName: "TargetLogProbability", tokensColumnName: "TargetTokens").Perplexity!.Value, 1e-9);
    }

    [TestMethod]
    public void BadInput_IsRefused()
    {
        var data = View(("a", "a"));
        Assert.Contains("'Missing' is not in the data", Message(() => Ml.SequenceToSequence.Evaluate(data, "Missing")));
        Assert.Contains("no rows", Message(() => Ml.SequenceToSequence.Evaluate(View())));
        Assert.Contains("must be a key, text or a whole number", Message(() => Ml.SequenceToSequence.Evaluate(data, conversationColumnName: "TargetLogProbability")));
        Assert.Contains("needs both", Message(() => Ml.SequenceToSequence.Evaluate(data, logProbabilityColumnName: "TargetLogProbability")));
        Assert.Contains("must be Int32", Message(() => Ml.SequenceToSequence.Evaluate(data, logProbabilityColumnName: "TargetLogProbability", tokensColumnName: "TargetLogProbability")));
        var bad = Pair("a", "a", 1);
        bad.TargetLogProbability = 0.5f;
        Assert.Contains("row 0", Assert.Throws<FormatException>(() => Ml.SequenceToSequence.Evaluate(Ml.Data.LoadFromEnumerable(new[] { bad }))).Message);

        static string Message(Action action) => Assert.Throws<ArgumentException>(action).Message;
    }

    private static SequenceToSequenceMetrics Evaluate(params (string Target, string Answer)[] pairs) => Ml.SequenceToSequence.Evaluate(View(pairs));

    private static IDataView View(params (string Target, string Answer)[] pairs) => Ml.Data.LoadFromEnumerable(pairs.Select(pair => Pair(pair.Target, pair.Answer, 1)));

    private static ResponsePair Pair(string target, string answer, int conversation) => new() { Target = target, Answer = answer, Conversation = conversation };
}

/// <summary>A text that was written, and the one that should have been.</summary>
internal sealed class ResponsePair
{
    public string Target { get; set; } = "";

    public string Answer { get; set; } = "";

    public int Conversation { get; set; }

    public float TargetLogProbability { get; set; }

    public int TargetTokens { get; set; }
}
