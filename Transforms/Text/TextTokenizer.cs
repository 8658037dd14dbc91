using System.Text;
using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>
/// Cuts a text into tokens that a network can be given, numbers from 0, and makes text of such numbers again. A tokenizer is
/// immutable, holds its vocabulary, and is saved with the model that was trained with it.
/// </summary>
/// <remarks>May be used by several threads at once. Serialisable with System.Text.Json: <c>$type</c> names the kind.</remarks>
[JsonDerivedType(typeof(CharacterTokenizer), CharacterTokenizer.KindName)]
[JsonDerivedType(typeof(WordTokenizer), WordTokenizer.KindName)]
[JsonDerivedType(typeof(SubwordTokenizer), SubwordTokenizer.KindName)]
public abstract record TextTokenizer
{
    private protected TextTokenizer()
    {
    }

    /// <summary>The number of tokens; they are numbered from 0 to one less.</summary>
    [JsonIgnore]
    public abstract int VocabularySize { get; }

    /// <summary>The token that a language model sees, and learns to write, at the end of each row. As text it is a line feed.</summary>
    [JsonIgnore]
    public abstract int EndOfSequenceId { get; }

    /// <summary>The token of everything that the vocabulary lacks; null where nothing may lack.</summary>
    [JsonIgnore]
    public abstract int? UnknownId { get; }

    /// <summary>A token as the vocabulary has it.</summary>
    /// <param name="id">The token's number.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> is no token's number.</exception>
    public abstract string TokenOf(int id);

    /// <summary>Appends the tokens of a text. No <see cref="EndOfSequenceId"/> is added.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ids">The list to append to.</param>
    /// <exception cref="FormatException">Something in the text is not in the vocabulary, and <see cref="UnknownId"/> is null; the message shows it.</exception>
    public abstract void Encode(ReadOnlySpan<char> text, List<int> ids);

    /// <summary>The tokens of a text. No <see cref="EndOfSequenceId"/> is added.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">Something in the text is not in the vocabulary, and <see cref="UnknownId"/> is null; the message shows it.</exception>
    public IReadOnlyList<int> Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        Encode(text.AsSpan(), ids);
        return ids;
    }

    /// <summary>The text that tokens make.</summary>
    /// <param name="ids">The tokens' numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of <paramref name="ids"/> is no token's number.</exception>
    public string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var decoder = CreateDecoder();
        var text = new StringBuilder();
        foreach (var id in ids)
            text.Append(decoder.Append(id));
        return text.Append(decoder.Finish()).ToString();
    }

    /// <summary>The kind and the size: a vocabulary would fill pages.</summary>
    public sealed override string ToString() => $"{GetType().Name} of {VocabularySize} tokens";

    internal abstract TextDecoder CreateDecoder();

    /// <summary>Checks every member, so that a damaged file makes no tokenizer.</summary>
    /// <exception cref="FormatException">A member is wrong; the message names it.</exception>
    internal abstract void Check();
}

/// <summary>Makes text of tokens one by one. One decoder belongs to one text.</summary>
internal abstract class TextDecoder
{
    /// <summary>The text that one more token adds; perhaps none yet.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> is no token's number.</exception>
    public abstract string Append(int id);

    /// <summary>What was held back, when no more tokens come.</summary>
    public virtual string Finish() => "";
}
