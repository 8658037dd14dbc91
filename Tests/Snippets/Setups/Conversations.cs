using System.IO.Compression;
using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about questions and answers.</summary>
internal static class Conversations
{
    public static void Questions(Snippet snippet)
    {
        string[] questions = ["where is the station?", "how are you?", "who is it?"];
        string[] answers = ["over there .", "fine , thanks .", "it is me ."];
        train = Tables.View(Enumerable.Range(0, 40).Select(i => new Turn { Question = questions[i % 3], Answer = answers[i % 3] }));
        test = ml.Data.TakeRows(train, 6);
    }

    public static void Data(Snippet snippet)
    {
        const string Dialogue = "1 hi\thello what can i help you with today\n2 a table for two please\ti'm on it\n"
            + "3 resto_1 R_phone 123\n4 thanks\tyou're welcome\n\n";
        foreach (var name in (string[])["task5-full-dialogs-trn", "task1-API-calls-trn", "task1-API-calls-tst"])
            Write($"dialog-babi-{name}.txt.gz", string.Concat(Enumerable.Repeat(Dialogue, 3)));
        var lines = Enumerable.Range(0, 40).Select(i => $"music\tdo you like it {i} ?\tyes , i do .\tgood for you .\n");
        Write("dialogues.tsv.gz", string.Concat(lines));
        train = Tables.View(Enumerable.Range(0, 40).Select(i => new Turn
        {
            Conversation = $"{i / 4}",
            Target = $"yes , {i % 3} of them .",
            Answer = "no , none .",
            Text = $"some text with number {i % 7} .",
        }));
        test = ml.Data.TakeRows(train, 8);
    }

    private static void Write(string path, string text)
    {
        using var writer = new StreamWriter(new GZipStream(File.Create(path), CompressionLevel.Fastest));
        writer.Write(text);
    }

    private sealed class Turn
    {
        public string Conversation { get; set; } = "";

        public string Question { get; set; } = "";

        public string Answer { get; set; } = "";

        public string Target { get; set; } = "";

        public string Text { get; set; } = "";
    }
}
