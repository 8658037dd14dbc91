using Microsoft.ML;
using Microsoft.ML.Data;
using static MLExtensions.Tests.Conversations.ConversationSample;

namespace MLExtensions.Tests.Conversations;

/// <summary>The history of conversations as a column.</summary>
[TestClass]
public sealed class ConversationHistoryTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void LastTurns_AreJoined_ConversationByConversation()
    {
        var data = View(Ml, Mixed());
        CollectionAssert.AreEqual(
            new[] { "one", "eins", "one\ntwo", "one\ntwo\nthree", "eins\nzwei", "one\ntwo\nthree\nfour" },
            Column(Ml.Transforms.Text.ConversationHistory(turnColumnName: "Turn").Fit(data).Transform(data)));
        CollectionAssert.AreEqual(
            new[] { "one", "eins", "one\ntwo", "two\nthree", "eins\nzwei", "three\nfour" },
            Column(Ml.Transforms.Text.ConversationHistory("Source", "Text", "Conversation", "Turn", numberOfTurns: 2).Fit(data).Transform(data)));
    }

    [TestMethod]
    public void Answers_AreHistoryOfLaterRowsOnly()
    {
        var data = View(Ml, Row("x", 1, "hi", "hello"), Row("x", 2, "a table", "where"), Row("x", 3, "rome", "ok"));
        var options = new ConversationHistoryEstimator.Options { AnswerColumnName = "Reply", Marker = "u: ", AnswerMarker = "b: ", Separator = " | ", NumberOfTurns = 3 };
        var model = Ml.Transforms.Text.ConversationHistory(options).Fit(data);
        CollectionAssert.AreEqual(new[] { "u: hi", "u: hi | b: hello | u: a table", "u: a table | b: where | u: rome" }, Column(model.Transform(data)));
        Assert.AreEqual("u: a table | b: where | u: rome", model.Join("hi", "hello", "a table", "where", "rome"), "as the column does");
    }

    [TestMethod]
    public void SpeakersAndEmptyTurns()
    {
        var data = View(Ml, Row("x", 1, "hi", speaker: "ann"), Row("x", 2, " "), Row("x", 3, "hello", speaker: "bob"));
        var model = Ml.Transforms.Text.ConversationHistory(new ConversationHistoryEstimator.Options { SpeakerColumnName = "Speaker" }).Fit(data);
        CollectionAssert.AreEqual(new[] { "ann: hi", "ann: hi", "ann: hi\nbob: hello" }, Column(model.Transform(data)));
    }

    [TestMethod]
    public void MaximumTokens_KeepsTheEnd_AndCountsWhatIsCutOnce()
    {
        var ml = new MLContext(1);
        var said = new List<string>();
        ml.Log += (_, log) => said.AddRange(log.Message.Contains("were cut") ? [log.Message] : []);
        var data = View(ml, Row("x", 1, "one two  three"), Row("x", 2, "four"), Row("x", 3, "five six"));
        var model = ml.Transforms.Text.ConversationHistory(new ConversationHistoryEstimator.Options { MaximumTokens = 3 }).Fit(data);
        for (var pass = 0; pass < 2; pass++)
            CollectionAssert.AreEqual(new[] { "one two  three", "two  three\nfour", "four\nfive six" }, Column(model.Transform(data)));
        Assert.HasCount(1, said);
        Assert.Contains("4 words at the beginning of 2 histories", said[0]);
    }

    [TestMethod]
    public void History_IsTheSame_WhateverElseIsRead()
    {
        var data = View(Ml, Mixed());
        var scored = Ml.Transforms.Text.ConversationHistory(turnColumnName: "Turn").Fit(data).Transform(data);
        CollectionAssert.AreEqual(Mixed().Select(row => row.Text).ToArray(), Column(scored, "Text"));
        Assert.IsFalse(scored.CanShuffle);
        Assert.HasCount(1, scored.GetRowCursorSet(scored.Schema, 4));
        var kept = Ml.Data.FilterByCustomPredicate<ConversationSample>(scored, row => row.Turn < 4);
        CollectionAssert.AreEqual(new[] { "one\ntwo\nthree", "one\ntwo\nthree\nfour" }, Column(kept), "rows that are left out later were read");
    }

    [TestMethod]
    public void SavedModel_GivesTheSame()
    {
        using var folder = new TemporaryFolder();
        var data = View(Ml, Mixed());
        var options = new ConversationHistoryEstimator.Options { TurnColumnName = "Turn", NumberOfTurns = 3, MaximumTokens = 2, Separator = "", Marker = " <t> ", IncludeRow = false };
        var model = Ml.Transforms.Text.ConversationHistory(options).Fit(data);
        Ml.Model.Save(model, data.Schema, folder.File("history.zip"));
        var loaded = new MLContext(2).Model.Load(folder.File("history.zip"), out _);
        CollectionAssert.AreEqual(Column(model.Transform(data)), Column(loaded.Transform(data)));
        Assert.AreEqual("<t> three", Column(loaded.Transform(data))[^1]);
        Assert.AreEqual(TextDataViewType.Instance, loaded.GetOutputSchema(data.Schema)["Source"].Type);
    }

    [TestMethod]
    public void PredictionEngine_RemembersItsConversations()
    {
        var data = View(Ml, Mixed());
        var model = Ml.Transforms.Text.ConversationHistory(turnColumnName: "Turn", numberOfTurns: 2)
            .Append(Ml.Transforms.CopyColumns("Copy", "Source")).Fit(data);
        using var engine = Ml.Model.CreatePredictionEngine<ConversationSample, HistoryResult>(model);
        var expected = Column(model.Transform(data));
        CollectionAssert.AreEqual(expected, Mixed().Select(row => engine.Predict(row).Source).ToArray());
        using var other = Ml.Model.CreatePredictionEngine<ConversationSample, HistoryResult>(model);
        Assert.AreEqual("four", other.Predict(Row("x", 5, "four")).Source, "another engine is another memory");
    }

    [TestMethod]
    public void TurnsOutOfOrder_AreRefused_WithWhatWouldBeRight()
    {
        Assert.Contains("Turn column 'Turn', row 2 (the first row is 0), conversation 'x': turn 2 comes too late; it must be above 3", Message(keys: false, Row("x", 3, "a"), Row("y", 1, "b"), Row("x", 2, "c")));
        Assert.Contains("row 1 (the first row is 0), conversation 'x': turn 3 is there twice; it must be above 3", Message(keys: false, Row("x", 3, "a"), Row("x", 3, "b")));
        Assert.Contains("Conversation column 'Conversation', row 1 (the first row is 0): the value is missing", Message(keys: false, Row("x", 3, "a"), Row("", 4, "b")));

        Assert.Contains("conversation 'x'", Message(keys: true, Row("y", 1, "a"), Row("x", 3, "a"), Row("x", 3, "b")));

        static string Message(bool keys, params ConversationSample[] rows)
        {
            var data = View(Ml, rows);
            if (keys)
                data = Ml.Transforms.Conversion.MapValueToKey("Conversation").Fit(data).Transform(data);
            var scored = Ml.Transforms.Text.ConversationHistory(turnColumnName: "Turn").Fit(data).Transform(data);
            return Assert.Throws<FormatException>(() => Column(scored)).Message;
        }
    }

    [TestMethod]
    public void BadColumnsAndOptions_AreRefusedBeforeReading()
    {
        var data = View(Ml, Mixed());
        Assert.Contains("'Missing' is not in the data", Refusal(o => o.InputColumnName = "Missing"));
        Assert.Contains("Conversation column 'Chat' is not in the data", Refusal(o => o.ConversationColumnName = "Chat"));
        Assert.Contains("Turn column 'Text' has type", Refusal(o => o.TurnColumnName = "Text"));
        Assert.Contains("NumberOfTurns is 0; it must be at least 1", Refusal(o => o.NumberOfTurns = 0));
        Assert.Contains("MaximumTokens is -1; it must be at least 1", Refusal(o => o.MaximumTokens = -1));
        Assert.Contains("OutputColumnName is empty", Refusal(o => o.OutputColumnName = " "));

        string Refusal(Action<ConversationHistoryEstimator.Options> change)
        {
            var options = new ConversationHistoryEstimator.Options();
            change(options);
            return Assert.Throws<ArgumentException>(() => Ml.Transforms.Text.ConversationHistory(options).Fit(data)).Message;
        }
    }

    [TestMethod]
    public void AnswerPairs_LeaveOutWhatAnswersNothing()
    {
        var pairs = Ml.Data.ToAnswerPairs(View(Ml, Mixed()), turnColumnName: "Turn");
        CollectionAssert.AreEqual(new[] { "one", "two", "eins", "three" }, Column(pairs));
        CollectionAssert.AreEqual(new[] { "two", "three", "zwei", "four" }, Column(pairs, "Text"));
        CollectionAssert.AreEqual(new[] { "one", "one\ntwo", "eins", "one\ntwo\nthree" }, Column(Ml.Data.ToAnswerPairs(View(Ml, Mixed()), numberOfTurns: null)));
        Assert.IsNull(pairs.GetRowCount());
        CollectionAssert.AreEqual(new[] { "c" }, Column(Ml.Data.ToAnswerPairs(View(Ml, Row("x", 1, "a"), Row("x", 2, ""), Row("x", 3, "c"))), "Text"), "an empty row is no answer");
    }
}
