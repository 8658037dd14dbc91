using System.Text.Json;

namespace MLExtensions.Tests.Text;

/// <summary>A small byte-level byte-pair encoding: all bytes, <c>the</c>, <c> the</c>, <c> c</c>, <c>at</c> and the end token.</summary>
internal static class BytePairFiles
{
    public const string Merges = "#version: 0.2\nt h\nth e\n\u0120 the\n\u0120 c\na t\n";

    public static readonly string VocabularyJson = Json([.. Symbols(), "th", "the", "\u0120the", "\u0120c", "at", "<|endoftext|>"]);

    public static SubwordTokenizer Tokenizer => new() { VocabularyJson = VocabularyJson, Merges = Merges };

    public static string Json(IEnumerable<string> tokens) =>
        JsonSerializer.Serialize(tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id));

    /// <summary>The bytes' characters as GPT-2 has them, in the order of its vocabulary.</summary>
    public static IEnumerable<string> Symbols()
    {
        var printable = Enumerable.Range('!', '~' - '!' + 1).Concat(Enumerable.Range('¡', '¬' - '¡' + 1)).Concat(Enumerable.Range('®', 'ÿ' - '®' + 1));
        return printable.Concat(Enumerable.Range(256, 68)).Select(value => ((char)value).ToString());
    }
}
