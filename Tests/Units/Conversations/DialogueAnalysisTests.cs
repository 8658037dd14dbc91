using Microsoft.ML;

namespace MLExtensions.Tests.Conversations;

/// <summary>What can be reached on conversations.</summary>
[TestClass]
public sealed class DialogueAnalysisTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Ceilings_AreThoseOfTheBestFunction()
    {
        var train = ConversationSample.View(Ml, ConversationSample.Row("t", 1, "a", "1"), ConversationSample.Row("t", 2, "b", "2"));
        var test = ConversationSample.View(
            Ml,
            ConversationSample.Row("x", 1, "a", "1"),
            ConversationSample.Row("y", 1, "a", "3"),
            ConversationSample.Row("x", 2, "b", "2"),
            ConversationSample.Row("y", 2, "b", "4"),
            ConversationSample.Row("z", 1, "a", "1"));
        var analysis = Ml.SequenceToSequence.AnalyzeDialogues(train, test, "Text", "Reply", "Conversation", numberOfTurns: 2);
        Assert.AreEqual(5, analysis.Responses);
        Assert.AreEqual(2.0 / 5, analysis.UnseenResponses, 1e-12, "3 and 4");
        CollectionAssert.AreEqual(new[] { 3.0 / 5, 4.0 / 5 }, analysis.LastTurns.ToArray(), "who knows what was answered before knows x from y, but not in the first turn");
        Assert.AreEqual(4.0 / 5, analysis.AllTurns, 1e-12);
        Assert.AreEqual(3.0 / 5, analysis.Lookup, 1e-12);
        Assert.AreEqual(2, analysis.LookupConversations, "x and z");
        Assert.AreEqual(4, analysis.Vocabulary);
        Assert.Throws<ArgumentException>(() => Ml.SequenceToSequence.AnalyzeDialogues(train, ConversationSample.View(Ml), "Text", "Reply"));
    }

    /// <summary>Figures that another program computed.</summary>
    [TestMethod]
    [DataRow("task1-API-calls", 5936, 0.1685, 0.6589, 0.7786, 0.9127, 0.5507, 78)]
    [DataRow("task5-full-dialogs", 18398, 0.0444, 0.6102, 0.7364, 0.9196, 0.5707, 1101)]
    public void BAbI_HasItsKnownCeilings(string task, int responses, double unseen, double one, double two, double three, double lookup, int vocabulary)
    {
        var (train, test) = (Ml.Data.LoadDialogues(Path($"{task}-trn")), Ml.Data.LoadDialogues(Path($"{task}-tst")));
        var analysis = Ml.SequenceToSequence.AnalyzeDialogues(train, test);
        Assert.AreEqual(responses, analysis.Responses);
        Assert.AreEqual(unseen, analysis.UnseenResponses, 5e-5);
        Assert.AreEqual(one, analysis.LastTurns[0], 5e-5);
        Assert.AreEqual(two, analysis.LastTurns[1], 5e-5);
        Assert.AreEqual(three, analysis.LastTurns[2], 5e-5);
        Assert.AreEqual(1, analysis.AllTurns);
        Assert.AreEqual(lookup, analysis.Lookup, 5e-5);
        Assert.AreEqual(0, analysis.LookupConversations);
        Assert.AreEqual(9, analysis.LongestResponse);
        Assert.IsLessThanOrEqualTo(vocabulary, analysis.Vocabulary);

        static string Path(string part) => DataFolder.PathOf($"babi_dialog/dialog-babi-{part}.txt.gz");
    }
}
