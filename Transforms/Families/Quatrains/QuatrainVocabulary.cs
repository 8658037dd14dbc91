using System.Text;

namespace MLExtensions.Families.Quatrains;

/// <summary>
/// How a language model reads poems: a mark of the form, then lines that each end in a mark of their own, so that the network always knows
/// where it is.
/// </summary>
internal sealed class QuatrainVocabulary
{
    public const string FiveMark = "5";
    public const string SevenMark = "7";

    /// <summary>After the first three lines; the fourth ends with the row.</summary>
    public const string LineMarks = "，。；";

    private readonly Dictionary<int, int> _tokens = [];
    private readonly int[] _lineMarks;
    private readonly int _five;
    private readonly int _seven;

    public QuatrainVocabulary(TextTokenizer tokenizer, RhymeTable table)
    {
        (Tokenizer, Table) = (tokenizer, table);
        Characters = new int[tokenizer.VocabularySize];
        Readings = new Reading[tokenizer.VocabularySize];
        for (var token = 0; token < Characters.Length; token++)
        {
            var status = Rune.DecodeFromUtf16(tokenizer.TokenOf(token), out var character, out var length);
            if (status != System.Buffers.OperationStatus.Done || length != tokenizer.TokenOf(token).Length || token == tokenizer.UnknownId || !QuatrainText.IsCharacter(character))
                continue;
            Characters[token] = character.Value;
            Readings[token] = table.Of(character.Value);
            _tokens.Add(character.Value, token);
        }
        RhymingCharacters = [.. Enumerable.Range(0, RhymeTable.MaximumLevelGroups).Select(group => _tokens.Where(pair => ((Readings[pair.Value].LevelGroups >> group) & 1) == 1).Select(pair => pair.Key).ToArray())];
        (_five, _seven) = (Mark(FiveMark), Mark(SevenMark));
        _lineMarks = [.. LineMarks.Select(mark => Mark(mark.ToString()))];
    }

    public TextTokenizer Tokenizer { get; }

    public RhymeTable Table { get; }

    /// <summary>The character of each token; 0 for what is none.</summary>
    public int[] Characters { get; }

    /// <summary>The readings of each token.</summary>
    public Reading[] Readings { get; }

    /// <summary>Whether any token is a character.</summary>
    public bool HasCharacters => _tokens.Count > 0;

    /// <summary>The characters of each rhyme group of the level tone.</summary>
    public int[][] RhymingCharacters { get; }

    /// <summary>The token of a character: that of unknown ones if there is none of its own.</summary>
    public int TokenOf(int character) => _tokens.TryGetValue(character, out var token) ? token : Tokenizer.UnknownId ?? Tokenizer.EndOfSequenceId;

    /// <summary>The mark after a line but the last.</summary>
    public int LineMark(int line) => _lineMarks[line];

    /// <summary>What is read before a poem: the end of a row, what it is about, and its form.</summary>
    public int[] Prefix(ReadOnlySpan<char> about, int lineLength)
    {
        var tokens = new List<int> { Tokenizer.EndOfSequenceId };
        foreach (var character in About(about).EnumerateRunes())
            tokens.Add(TokenOf(character.Value));
        if (tokens.Count > 1)
            tokens.Add(Tokenizer.EndOfSequenceId);
        tokens.Add(lineLength == 5 ? _five : _seven);
        return [.. tokens];
    }

    /// <summary>The letters of what a poem is about.</summary>
    public static string About(ReadOnlySpan<char> text)
    {
        var letters = new StringBuilder();
        foreach (var character in text.EnumerateRunes())
        {
            if (QuatrainText.IsCharacter(character))
                letters.Append(character.ToString());
        }
        return letters.ToString();
    }

    /// <summary>A poem as a language model reads it.</summary>
    public static string RowOf(List<int[]> lines) =>
        (lines[0].Length == 5 ? FiveMark : SevenMark) + string.Concat(lines.Select((line, i) => QuatrainText.Text(line) + (i < LineMarks.Length ? LineMarks[i].ToString() : "")));

    /// <summary>The features of a token: its tones and rhyme groups.</summary>
    public static IEnumerable<string> FeaturesOf(string token, RhymeTable table)
    {
        if (Rune.DecodeFromUtf16(token, out var character, out _) != System.Buffers.OperationStatus.Done || !QuatrainText.IsCharacter(character))
            return [];
        var reading = table.Of(character.Value);
        var tone = (reading.IsLevel, reading.IsOblique) switch { (true, true) => "any tone", (true, false) => "level", (false, true) => "oblique", _ => "unknown" };
        return [tone, .. table.ReadingsOf(token).Select(one => one.Tone + one.RhymeGroup)];
    }

    private int Mark(string mark) => Enumerable.Range(0, Tokenizer.VocabularySize).Where(token => Tokenizer.TokenOf(token) == mark).Cast<int?>().FirstOrDefault()
        ?? Tokenizer.UnknownId ?? Tokenizer.EndOfSequenceId; // there are poems of one length only
}
