using System.Buffers;
using System.Text;
using System.Text.Json.Serialization;
using MLExtensions.Text;
using MLExtensions.Families.LanguageModels;

namespace MLExtensions;

/// <summary>
/// Words are tokens. Words that are not in the vocabulary become <c>&lt;unk&gt;</c>. Each row, and each line within a row, ends with
/// <c>&lt;eos&gt;</c>.
/// </summary>
/// <remarks>
/// The texts <c>&lt;unk&gt;</c> and <c>&lt;eos&gt;</c> are these tokens too, as in the Penn Treebank. Decoded words are separated by one
/// space, and <c>&lt;eos&gt;</c> becomes a line feed. In languages without spaces between words, such as Chinese, Japanese and Thai, white
/// space does not separate words: with <see cref="SplitPunctuation"/> their characters are tokens (words of Katakana stay whole), which are
/// decoded without spaces between them.
/// </remarks>
public sealed record WordTokenizer : TextTokenizer
{
    internal const string KindName = "words";
    internal const string EndOfSequence = "<eos>";
    internal const string Unknown = "<unk>";

    private WordIndex? _index;

    /// <summary>Creates a tokenizer that finds words by the rules of Unicode.</summary>
    public WordTokenizer() => Segmentation = WordSegmentation.Unicode;

    // Models before 0.3.0 do not name their rule.
    [JsonConstructor]
    internal WordTokenizer(WordSegmentation segmentation = WordSegmentation.LettersAndDigits) => Segmentation = segmentation;

    /// <summary>The words; the position of each is its number. <c>&lt;unk&gt;</c> and <c>&lt;eos&gt;</c> must be included.</summary>
    public required IReadOnlyList<string> Vocabulary
    {
        get;
        init
        {
            field = value?.ToArray()!;
            _index = null; // a copy created by `with` has another vocabulary
        }
    }

    /// <summary>Whether texts are converted to lower case first.</summary>
    public bool Lowercase { get; init; }

    /// <summary>
    /// Whether each punctuation mark is a separate token; words may contain apostrophes, as in <c>don't</c>, and numbers points and commas,
    /// as in <c>1,000.5</c>. If false, words are separated by white space only.
    /// </summary>
    public bool SplitPunctuation { get; init; }

    /// <summary>
    /// Where words end if <see cref="SplitPunctuation"/> is true. Default <see cref="WordSegmentation.Unicode"/>. Saved with the model; models
    /// of earlier versions keep <see cref="WordSegmentation.LettersAndDigits"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public WordSegmentation Segmentation { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override int VocabularySize => Vocabulary.Count;

    /// <inheritdoc/>
    [JsonIgnore]
    public override int EndOfSequenceId => Index.EndOfSequenceId;

    /// <inheritdoc/>
    [JsonIgnore]
    public override int? UnknownId => Index.UnknownId;

    private WordIndex Index => LazyInitializer.EnsureInitialized(ref _index, () => new WordIndex(Vocabulary));

    /// <inheritdoc/>
    public override string TokenOf(int id) => Index.Vocabulary.TokenOf(id);

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Read(text, ids, null);
    }

    /// <inheritdoc/>
    public bool Equals(WordTokenizer? other) =>
        base.Equals(other)
        && Lowercase == other.Lowercase
        && SplitPunctuation == other.SplitPunctuation
        && Segmentation == other.Segmentation
        && Vocabulary.SequenceEqual(other.Vocabulary);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Vocabulary.Aggregate(HashCode.Combine(base.GetHashCode(), Lowercase, SplitPunctuation, Segmentation), HashCode.Combine);

    internal override void Encode(ReadOnlySpan<char> text, List<int> ids, List<string> unknown) => Read(text, ids, unknown);

    internal override int? Find(string token) => Index.Vocabulary.Find(token);

    internal override TextDecoder CreateDecoder() => new Decoder(Index, SplitPunctuation && Segmentation == WordSegmentation.Unicode);

    internal override void Check()
    {
        if (Vocabulary == null)
            throw new FormatException("vocabulary is missing.");
        if (!Enum.IsDefined(Segmentation))
            throw new FormatException($"segmentation is {Segmentation}, which is not a valid value.");
        _ = Index;
    }

    private void Read(ReadOnlySpan<char> text, List<int> ids, List<string>? unknown)
    {
        var index = Index;
        using var words = new WordReader(text, Lowercase, SplitPunctuation, Segmentation);
        while (words.MoveNext())
        {
            var id = words.IsLineEnd ? index.EndOfSequenceId : index.Vocabulary.Find(words.Current) ?? index.UnknownId;
            ids.Add(id);
            if (id == index.UnknownId)
                unknown?.Add(words.Current.ToString());
        }
    }

    private sealed class WordIndex
    {
        /// <exception cref="FormatException">A word is missing or duplicate.</exception>
        public WordIndex(IReadOnlyList<string> words)
        {
            Vocabulary = new Vocabulary(words);
            EndOfSequenceId = Vocabulary.Require(EndOfSequence, "end of row");
            UnknownId = Vocabulary.Require(Unknown, "unknown word");
        }

        public Vocabulary Vocabulary { get; }

        public int EndOfSequenceId { get; }

        public int UnknownId { get; }
    }

    /// <param name="index">The words.</param>
    /// <param name="joinsCharacters">Whether characters of scripts without spaces are tokens, and are written without spaces.</param>
    private sealed class Decoder(WordIndex index, bool joinsCharacters) : TextDecoder
    {
        private string? _before; // on the same line

        public override string Append(int id)
        {
            var token = index.Vocabulary.TokenOf(id);
            if (id != index.EndOfSequenceId)
                return AppendWord(token);
            _before = null;
            return "\n";
        }

        public override string AppendWord(string token)
        {
            var before = _before;
            _before = token;
            return before == null || (joinsCharacters && EndsUnspaced(before) && StartsUnspaced(token)) ? token : " " + token;
        }

        private static bool StartsUnspaced(string token) => Rune.DecodeFromUtf16(token, out var first, out _) == OperationStatus.Done && IsUnspaced(first.Value);

        private static bool EndsUnspaced(string token) => Rune.DecodeLastFromUtf16(token, out var last, out _) == OperationStatus.Done && IsUnspaced(last.Value);

        // The punctuation of Chinese and Japanese too.
        private static bool IsUnspaced(int character) => WordBreakProperty.HasNoSpaces(character) || character is (>= 0x3000 and <= 0x303F) or (>= 0xFF01 and <= 0xFF0F) or (>= 0xFF1A and <= 0xFF20);
    }
}

/// <summary>Where a <see cref="WordTokenizer"/> that splits off punctuation ends a word.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WordSegmentation>))]
public enum WordSegmentation
{
    /// <summary>
    /// A word is a run of letters, digits and underscores, with apostrophes between them. Vowel signs of Indic scripts end a word. The rule of
    /// models before 0.3.0.
    /// </summary>
    LettersAndDigits,

    /// <summary>
    /// The default word boundaries of Unicode (UAX #29): words keep their vowel signs, accents, apostrophes and joiners in every script,
    /// numbers their points and commas, and an emoji is one token. Ideographs, Hiragana and the letters of Thai, Lao, Khmer and Burmese are
    /// tokens of their own.
    /// </summary>
    Unicode,
}
