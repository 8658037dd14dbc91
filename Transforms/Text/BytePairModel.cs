using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace MLExtensions.Text;

/// <summary>The tokens and merges of a byte-level byte-pair encoding, parsed and checked.</summary>
internal sealed class BytePairModel
{
    private static readonly string[] EndOfRowTokens = ["<|endoftext|>", "</s>", "<eos>", "\u010A"];

    private readonly Vocabulary _vocabulary;
    private readonly BpeTokenizer _tokenizer;

    /// <exception cref="FormatException">A text is invalid; the message says which one and why.</exception>
    public BytePairModel(string vocabularyJson, string merges)
    {
        var numbers = ParseVocabulary(vocabularyJson);
        _vocabulary = new Vocabulary(InOrder(numbers));
        TokenCount = numbers.Count;
        var endOfRow = EndOfRowTokens.FirstOrDefault(numbers.ContainsKey)
            ?? throw new FormatException($"vocabularyJson has no token that can end a row; it needs one of {string.Join(", ", EndOfRowTokens)}.");
        EndOfSequenceId = numbers[endOfRow];
        foreach (var symbol in ByteSymbols.All)
            _vocabulary.Require(symbol.ToString(), "symbol of a byte");
        _tokenizer = CreateTokenizer(numbers, ParseMerges(merges, _vocabulary), endOfRow);
    }

    public int TokenCount { get; }

    public int EndOfSequenceId { get; }

    public int? Find(string token) => _vocabulary.Find(token);

    public string TokenOf(int id) => _vocabulary.TokenOf(id);

    public void Encode(ReadOnlySpan<char> text, List<int> ids) =>
        ids.AddRange(text.ContainsAnyInRange('\ud800', '\udfff') ? _tokenizer.EncodeToIds(WithoutLoneSurrogates(text)) : _tokenizer.EncodeToIds(text));

    /// <summary>Lone surrogates have no UTF-8 bytes; U+FFFD has.</summary>
    private static string WithoutLoneSurrogates(ReadOnlySpan<char> text)
    {
        var valid = new StringBuilder(text.Length);
        foreach (var character in text.EnumerateRunes())
            valid.Append(character);
        return valid.ToString();
    }

    private static BpeTokenizer CreateTokenizer(Dictionary<string, int> numbers, IReadOnlyList<string> merges, string endOfRow)
    {
        var special = new Dictionary<string, int>();
        if (endOfRow.Length > 1)
            special.Add(endOfRow, numbers[endOfRow]);
        return BpeTokenizer.Create(new BpeOptions(numbers)
        {
            Merges = merges,
            ByteLevel = true,
            SpecialTokens = special,
            PreTokenizer = new RegexPreTokenizer(BytePairPattern.Regex, special),
        });
    }

    private static Dictionary<string, int> ParseVocabulary(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, int>>(json) ?? throw new FormatException("vocabularyJson is null.");
        }
        catch (JsonException e)
        {
            throw new FormatException("vocabularyJson is not an object of tokens and numbers: " + e.Message, e);
        }
    }

    private static string[] InOrder(Dictionary<string, int> numbers)
    {
        var tokens = new string[numbers.Count];
        foreach (var (token, id) in numbers)
        {
            if ((uint)id >= (uint)tokens.Length)
                throw new FormatException(FormattableString.Invariant($"vocabularyJson gives '{token}' the number {id}; its {tokens.Length} tokens must have the numbers 0 to {tokens.Length - 1}."));
            if (tokens[id] != null)
                throw new FormatException(FormattableString.Invariant($"vocabularyJson gives '{tokens[id]}' and '{token}' the same number, {id}."));
            tokens[id] = token;
        }
        return tokens;
    }

    private static List<string> ParseMerges(string text, Vocabulary vocabulary)
    {
        var merges = new List<string>();
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            if (line.IsWhiteSpace() || (number == 1 && line.StartsWith("#version")))
                continue;
            var space = line.IndexOf(' ');
            if (space < 1 || space == line.Length - 1 || line[(space + 1)..].Contains(' '))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"merges, line {number}, is '{line}'; it must be two tokens separated by a space."));
            Require(line[..space], vocabulary, number);
            Require(line[(space + 1)..], vocabulary, number);
            Require(string.Concat(line[..space], line[(space + 1)..]), vocabulary, number);
            merges.Add(line.ToString());
        }
        return merges;
    }

    private static void Require(ReadOnlySpan<char> token, Vocabulary vocabulary, int line)
    {
        if (vocabulary.Find(token) == null)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"merges, line {line}, has '{token}', which is not in vocabularyJson."));
    }
}

/// <summary>Converts bytes to text; incomplete characters are held back.</summary>
internal sealed class BytePairDecoder(BytePairModel model) : TextDecoder
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    public override string Append(int id)
    {
        var token = model.TokenOf(id);
        return id == model.EndOfSequenceId ? Finish() + "\n" : Decode(Bytes(token), flush: false);
    }

    public override string Finish() => Decode([], flush: true);

    private static byte[] Bytes(string token)
    {
        var bytes = new List<byte>(token.Length);
        foreach (var symbol in token)
        {
            if (!ByteSymbols.TryGetByte(symbol, out var value))
                return Encoding.UTF8.GetBytes(token); // a token of another kind, kept unchanged
            bytes.Add(value);
        }
        return [.. bytes];
    }

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[_utf8.GetCharCount(bytes, flush)];
        _utf8.GetChars(bytes, characters, flush);
        return new string(characters);
    }
}

/// <summary>
/// The printable characters that represent bytes in a byte-level vocabulary: those of Latin-1, and characters from U+0100 for the others.
/// </summary>
internal static class ByteSymbols
{
    private static readonly char[] Symbols = CreateSymbols();
    private static readonly Dictionary<char, byte> Bytes = Enumerable.Range(0, 256).ToDictionary(value => Symbols[value], value => (byte)value);

    /// <summary>The symbols of the bytes 0 to 255.</summary>
    public static ReadOnlySpan<char> All => Symbols;

    public static bool TryGetByte(char symbol, out byte value) => Bytes.TryGetValue(symbol, out value);

    private static char[] CreateSymbols()
    {
        var symbols = new char[256];
        var next = '\u0100';
        for (var value = 0; value < symbols.Length; value++)
        {
            var isPrintable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xFF and not 0xAD);
            symbols[value] = isPrintable ? (char)value : next++;
        }
        return symbols;
    }
}

/// <summary>Boundaries that no token crosses: the pattern of GPT-2 (Radford et al., 2019).</summary>
internal static partial class BytePairPattern
{
    [GeneratedRegex(@"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    public static partial Regex Regex { get; }
}
