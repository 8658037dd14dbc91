using System.IO.Compression;

namespace MLExtensions.Examples.SequenceToSequence;

/// <summary>A turn of a bAbI dialog: what was said before, and what the bot says.</summary>
internal sealed class BabiTurn
{
    public int Dialog { get; set; }

    /// <summary>The whole dialog so far, results of the knowledge base included.</summary>
    public string Source { get; set; } = "";

    public string Target { get; set; } = "";
}

/// <summary>Reads the files of the bAbI dialog tasks (Bordes et al., 2017).</summary>
internal static class BabiDialogs
{
    private const string UserMark = "<user>";
    private const string BotMark = "<bot>";
    private const string FactMark = "<fact>";

    public static List<BabiTurn> Read(string folder, int task, string part)
    {
        var path = Directory.GetFiles(folder, $"dialog-babi-task{task}-*-{part}.txt.gz").Single();
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var turns = new List<BabiTurn>();
        var history = new List<string>();
        var dialog = 0;
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0)
            {
                history.Clear();
                dialog++;
                continue;
            }
            var words = line[(line.IndexOf(' ') + 1)..].Split('\t');
            if (words.Length == 1)
            {
                history.Add($"{FactMark} {words[0]}");
                continue;
            }
            history.Add($"{UserMark} {words[0]}");
            turns.Add(new BabiTurn { Dialog = dialog, Source = string.Join(' ', history), Target = words[1] });
            history.Add($"{BotMark} {words[1]}");
        }
        return turns;
    }
}
