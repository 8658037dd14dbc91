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
/// space, and <c>&lt;eos&gt;</c> becomes a line feed. For languages without spaces between words, use characters instead.
/// </remarks>
public sealed record WordTokenizer : TextTokenizer
{
    internal const string KindName = "words";
    internal const string EndOfSequence = "<eos>";
    internal const string Unknown = "<unk>";

    private WordIndex? _index;

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
    /// Whether each punctuation mark is a separate token; words may contain apostrophes, as in <c>don't</c>. If false, words are separated
    /// by white space only.
    /// </summary>
    public bool SplitPunctuation { get; init; }

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
        var index = Index;
        using var words = new WordReader(text, Lowercase, SplitPunctuation);
        while (words.MoveNext())
            ids.Add(words.IsLineEnd ? index.EndOfSequenceId : index.Vocabulary.Find(words.Current) ?? index.UnknownId);
    }

    /// <inheritdoc/>
    public bool Equals(WordTokenizer? other) =>
        base.Equals(other)
        && Lowercase == other.Lowercase
        && SplitPunctuation == other.SplitPunctuation
        && Vocabulary.SequenceEqual(other.Vocabulary);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Vocabulary.Aggregate(HashCode.Combine(base.GetHashCode(), Lowercase, SplitPunctuation), HashCode.Combine);

    internal override TextDecoder CreateDecoder() => new Decoder(Index);

    internal override void Check()
    {
        if (Vocabulary == null)
            throw new FormatException("vocabulary is missing.");
        _ = Index;
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

    private sealed class Decoder(WordIndex index) : TextDecoder
    {
        private bool _isLineStart = true;

        public override string Append(int id)
        {
            var token = index.Vocabulary.TokenOf(id);
            var followsWord = !_isLineStart;
            _isLineStart = id == index.EndOfSequenceId;
            if (_isLineStart)
                return "\n";
            return followsWord ? " " + token : token;
        }
    }
}
