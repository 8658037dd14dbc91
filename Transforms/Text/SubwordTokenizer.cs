using System.Text.Json.Serialization;
using MLExtensions.Text;
using MLExtensions.Families.LanguageModels;

namespace MLExtensions;

/// <summary>
/// Frequent sequences of bytes are tokens: byte-level byte-pair encoding, as in GPT-2 and RoBERTa, implemented by Microsoft.ML.Tokenizers.
/// Any text can be encoded and decoded without loss.
/// </summary>
/// <remarks>
/// Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units" (2016); Radford et al., "Language models are
/// unsupervised multitask learners" (2019). The texts of both files are stored here, so a saved model needs no other files. Other
/// tokenizers of that package, such as SentencePiece, WordPiece and Tiktoken, cannot be saved with a model and are not supported.
/// </remarks>
public sealed record SubwordTokenizer : TextTokenizer
{
    internal const string KindName = "subwords";

    private BytePairModel? _model;

    /// <summary>
    /// The text of vocab.json: an object of tokens and their numbers, from 0 to their count minus one. The 256 symbols of single bytes must
    /// be included. The first of <c>&lt;|endoftext|&gt;</c>, <c>&lt;/s&gt;</c>, <c>&lt;eos&gt;</c> and the line feed (<c>Ċ</c>) that is a
    /// token is the end-of-sequence (EOS) token.
    /// </summary>
    public required string VocabularyJson
    {
        get;
        init
        {
            field = value;
            _model = null; // a copy created by `with` has another vocabulary
        }
    }

    /// <summary>The text of merges.txt: two tokens per line that form a longer one, the most frequent first.</summary>
    public required string Merges
    {
        get;
        init
        {
            field = value;
            _model = null;
        }
    }

    /// <inheritdoc/>
    [JsonIgnore]
    public override int VocabularySize => Model.TokenCount;

    /// <inheritdoc/>
    [JsonIgnore]
    public override int EndOfSequenceId => Model.EndOfSequenceId;

    /// <summary>Null, because every text consists of bytes.</summary>
    [JsonIgnore]
    public override int? UnknownId => null;

    private BytePairModel Model => LazyInitializer.EnsureInitialized(ref _model, () => new BytePairModel(VocabularyJson, Merges));

    /// <inheritdoc/>
    public override string TokenOf(int id) => Model.TokenOf(id);

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Model.Encode(text, ids);
    }

    /// <inheritdoc/>
    public bool Equals(SubwordTokenizer? other) =>
        base.Equals(other) && VocabularyJson == other.VocabularyJson && Merges == other.Merges;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), VocabularyJson, Merges);

    internal override int? Find(string token) => Model.Find(token);

    internal override TextDecoder CreateDecoder() => new BytePairDecoder(Model);

    internal override void Check()
    {
        if (VocabularyJson == null)
            throw new FormatException("vocabularyJson is missing.");
        if (Merges == null)
            throw new FormatException("merges is missing.");
        _ = Model;
    }
}
