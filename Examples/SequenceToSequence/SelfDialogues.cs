using System.IO.Compression;

namespace MLExtensions.Examples.SequenceToSequence;

/// <summary>A turn of a conversation and what was said before it.</summary>
internal sealed class ChatTurn
{
    /// <summary>The last turns, one a line.</summary>
    public string Source { get; set; } = "";

    public string Target { get; set; } = "";
}

/// <summary>Reads the conversations of the Self-dialogue Corpus (Fainberg et al., 2018).</summary>
internal static class SelfDialogues
{
    // As the data's description suggests: of 20 conversations one to validate and one to test.
    private const int Parts = 20;

    public static (List<ChatTurn> Train, List<ChatTurn> Validation, List<ChatTurn> Test) Read(string path, int turns)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var parts = (Train: new List<ChatTurn>(), Validation: new List<ChatTurn>(), Test: new List<ChatTurn>());
        for (var line = 0; reader.ReadLine() is { } text; line++)
        {
            var said = text.Split('\t')[1..];
            var part = (line % Parts) switch { 0 => parts.Validation, 1 => parts.Test, _ => parts.Train };
            for (var i = 1; i < said.Length; i++)
                part.Add(new ChatTurn { Source = Join(said[..i], turns), Target = said[i] });
        }
        return parts;
    }

    /// <summary>The last turns, one a line.</summary>
    public static string Join(IReadOnlyList<string> said, int turns) => string.Join('\n', said.Skip(Math.Max(0, said.Count - turns)));
}
