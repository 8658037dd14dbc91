using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Loading;

/// <summary>Dialogues of numbered lines, and conversations of one line each.</summary>
[TestClass]
public sealed class ConversationLoaderTests
{
    private const string Dialogues = "1 hi\thello\n2 <SILENCE>\tapi_call rome\n3 resto R_phone 12\n4 <SILENCE>\there is 12\n\n1 hey\tyes\n1 you\tno\n";
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Dialogues_HaveTheirWholeHistory(bool gzip)
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadDialogues(Write(folder, Dialogues, gzip));
        CollectionAssert.AreEqual(new[] { 0, 0, 0, 1, 2 }, data.GetColumn<int>("Conversation").ToArray());
        CollectionAssert.AreEqual(new[] { 1, 2, 4, 1, 1 }, data.GetColumn<int>("Turn").ToArray());
        CollectionAssert.AreEqual(new[] { "hi", "<SILENCE>", "<SILENCE>", "hey", "you" }, Texts(data, "User"));
        CollectionAssert.AreEqual(new[] { "hello", "api_call rome", "here is 12", "yes", "no" }, Texts(data, "Target"));
        for (var pass = 0; pass < 2; pass++)
        {
            var sources = Texts(data, "Source");
            Assert.AreEqual("hi\nhello\n<SILENCE>\napi_call rome\nresto R_phone 12\n<SILENCE>", sources[2]);
            Assert.AreEqual("you", sources[4]);
        }
        Assert.AreEqual("hi\nhello\n<SILENCE>\napi_call rome\n<SILENCE>", Texts(Ml.Data.LoadDialogues([Write(folder, Dialogues, gzip)], new DialogueLoadingOptions { KeepFacts = false }), "Source")[2]);
        var options = new DialogueLoadingOptions { NumberOfTurns = 3, UserMarker = "u:", AnswerMarker = "b:", FactMarker = "f:", Separator = " " };
        Assert.AreEqual("b:api_call rome f:resto R_phone 12 u:<SILENCE>", Texts(Ml.Data.LoadDialogues([Write(folder, Dialogues, gzip)], options), "Source")[2]);
    }

    [TestMethod]
    public void SeveralFiles_GoOnCounting()
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, "1 a\tb");
        var data = Ml.Data.LoadDialogues([path, path], new DialogueLoadingOptions());
        CollectionAssert.AreEqual(new[] { 0, 1 }, data.GetColumn<int>("Conversation").ToArray());
        CollectionAssert.AreEqual(new[] { "a", "a" }, Texts(data, "Source"));
    }

    [TestMethod]
    [DataRow("1 a\tb\n3 c\td\n2 e\tf", "line 3: its number is 2, after 3; it must be 4, or 1 in a new dialogue")]
    [DataRow("1 a\tb\nhello there\tyou", "line 2: it begins with 'hello there")]
    [DataRow("1 a\tb\tc", "line 1: it has 3 fields")]
    public void DialoguesOfAnotherForm_AreRefusedByLine(string content, string message)
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadDialogues(Write(folder, content));
        Assert.Contains(message, Assert.Throws<FormatException>(() => Texts(data, "Source")).Message);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Conversations_AreRowsOfTurns(bool gzip)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, "film\thi\thello\t\tbye\n\nsport\tgoal", gzip);
        var data = Ml.Data.LoadConversations(path, ["Topic"], numberOfFolds: 2);
        CollectionAssert.AreEqual(new[] { 0, 0, 0, 2 }, data.GetColumn<int>("Conversation").ToArray());
        CollectionAssert.AreEqual(new[] { 1, 2, 4, 1 }, data.GetColumn<int>("Turn").ToArray());
        CollectionAssert.AreEqual(new[] { "film", "film", "film", "sport" }, Texts(data, "Topic"));
        CollectionAssert.AreEqual(new[] { "hi", "hello", "bye", "goal" }, Texts(data, "Text"));
        Assert.IsEmpty(Texts(Ml.Data.FilterRowsByColumn(data, "Fold", lowerBound: 1), "Text"), "lines 0 and 2 are in fold 0");
        CollectionAssert.AreEqual(new[] { "hi", "hello" }, Texts(Ml.Data.ToAnswerPairs(data, turnColumnName: "Turn"), "Source"));
        Assert.AreEqual("film", Texts(Ml.Data.LoadConversations(path), "Text")[0]);
    }

    [TestMethod]
    public void BadConversationFiles_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, "film\thi\nsport");
        Assert.Contains("line 2: it has 1 fields; there must be 1 before the turns", Assert.Throws<FormatException>(() => Texts(Ml.Data.LoadConversations(path, ["Topic"]), "Text")).Message);
        Assert.Contains("numberOfFolds is 1; it must be at least 2", Assert.Throws<ArgumentException>(() => Ml.Data.LoadConversations(path, numberOfFolds: 1)).Message);
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadConversations(path, [""]));
        Assert.Contains("'Turn' is the name of another column", Assert.Throws<ArgumentException>(() => Ml.Data.LoadConversations(path, ["Topic", "Turn"])).Message);
        Assert.Contains("'Topic' is the name", Assert.Throws<ArgumentException>(() => Ml.Data.LoadConversations(path, ["Topic", "Topic"])).Message);
        Assert.Throws<FileNotFoundException>(() => Ml.Data.LoadDialogues(folder.File("none")));
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadDialogues([], new DialogueLoadingOptions()));
        Assert.Contains("NumberOfTurns is 0", Assert.Throws<ArgumentException>(() => Ml.Data.LoadDialogues([path], new DialogueLoadingOptions { NumberOfTurns = 0 })).Message);
    }

    private static string[] Texts(IDataView data, string column) => data.GetColumn<string>(column).ToArray();

    private static string Write(TemporaryFolder folder, string content, bool gzip = false)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        return folder.Write("file", gzip ? DataFiles.Gzip(bytes) : bytes);
    }
}
