using System.Text;
using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>
/// Divides text into tokens, which are numbers from 0 for a network, and converts such numbers back to text. A tokenizer is immutable,
/// contains its vocabulary, and is saved with the model that was trained with it.
/// </summary>
/// <remarks>Thread-safe. Serializable with System.Text.Json: <c>$type</c> names the kind.</remarks>
[JsonDerivedType(typeof(CharacterTokenizer), CharacterTokenizer.KindName)]
[JsonDerivedType(typeof(WordTokenizer), WordTokenizer.KindName)]
[JsonDerivedType(typeof(SubwordTokenizer), SubwordTokenizer.KindName)]
public abstract record TextTokenizer
{
    private protected TextTokenizer()
    {
    }

    /// <summary>The number of tokens, which are numbered from 0.</summary>
    [JsonIgnore]
    public abstract int VocabularySize { get; }

    /// <summary>
    /// The end-of-sequence (EOS) token, which a language model reads and learns to generate at the end of each row. As
    /// text it is a line feed.
    /// </summary>
    [JsonIgnore]
    public abstract int EndOfSequenceId { get; }

    /// <summary>The token for everything that is not in the vocabulary; null if unknown text is not allowed.</summary>
    [JsonIgnore]
    public abstract int? UnknownId { get; }

    /// <summary>Returns a token as it is in the vocabulary.</summary>
    /// <param name="id">The number of the token.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> is not the number of a token.</exception>
    public abstract string TokenOf(int id);

    /// <summary>Appends the tokens of a text. No <see cref="EndOfSequenceId"/> is added.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ids">The list to append to.</param>
    /// <exception cref="FormatException">
    /// The text contains something that is not in the vocabulary, and <see cref="UnknownId"/> is null; the message shows it.
    /// </exception>
    public abstract void Encode(ReadOnlySpan<char> text, List<int> ids);

    /// <summary>Returns the tokens of a text. No <see cref="EndOfSequenceId"/> is added.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">
    /// The text contains something that is not in the vocabulary, and <see cref="UnknownId"/> is null; the message shows it.
    /// </exception>
    public IReadOnlyList<int> Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        Encode(text.AsSpan(), ids);
        return ids;
    }

    /// <summary>Converts tokens to text.</summary>
    /// <param name="ids">The numbers of the tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of <paramref name="ids"/> is not the number of a token.</exception>
    public string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var decoder = CreateDecoder();
        var text = new StringBuilder();
        foreach (var id in ids)
            text.Append(decoder.Append(id));
        return text.Append(decoder.Finish()).ToString();
    }

    /// <summary>Returns the kind and the vocabulary size.</summary>
    public sealed override string ToString() => FormattableString.Invariant($"{GetType().Name} of {VocabularySize} tokens");

    /// <summary>Appends the tokens of a text, and what it says where they are <see cref="UnknownId"/>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ids">The list to append to.</param>
    /// <param name="unknown">Receives the words that are not in the vocabulary, in order.</param>
    /// <exception cref="FormatException">As <see cref="Encode(ReadOnlySpan{char}, List{int})"/>.</exception>
    internal virtual void Encode(ReadOnlySpan<char> text, List<int> ids, List<string> unknown) => Encode(text, ids);

    /// <summary>Returns the number of a token, or null if it is not in the vocabulary.</summary>
    internal abstract int? Find(string token);

    internal abstract TextDecoder CreateDecoder();

    /// <summary>Checks every property, so that a damaged file cannot create an invalid tokenizer.</summary>
    /// <exception cref="FormatException">A property is invalid; the message names it.</exception>
    internal abstract void Check();
}

/// <summary>Converts tokens to text one by one. A decoder is for one text.</summary>
internal abstract class TextDecoder
{
    /// <summary>Adds a token and returns the text that it completes, which may be empty.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> is not the number of a token.</exception>
    public abstract string Append(int id);

    /// <summary>Adds a word that is not in the vocabulary, and returns the text that it completes.</summary>
    public virtual string AppendWord(string word) => Finish() + word;

    /// <summary>Returns the text that was held back when there are no more tokens.</summary>
    public virtual string Finish() => "";
}
