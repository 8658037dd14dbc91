using System.Text;
using System.Text.Json.Serialization;
using MLExtensions.Text;
using MLExtensions.Families.LanguageModels;

namespace MLExtensions;

/// <summary>
/// Each character is a token: a Unicode scalar value, so a character outside the basic plane, such as an emoji, is one token. The end of a
/// row is a line feed.
/// </summary>
/// <remarks>A lone surrogate, which is not a character, is read as U+FFFD.</remarks>
public sealed record CharacterTokenizer : TextTokenizer
{
    internal const string KindName = "characters";
    internal const string EndOfSequence = "\n";
    internal const string Unknown = "\uFFFD";

    private CharacterIndex? _index;

    /// <summary>
    /// The characters; the position of each is its number. The line feed must be included. If U+FFFD, the replacement character, is
    /// included, it represents unknown characters.
    /// </summary>
    public required IReadOnlyList<string> Vocabulary
    {
        get;
        init
        {
            field = value?.ToArray()!;
            _index = null; // a copy created by `with` has another vocabulary
        }
    }

    /// <inheritdoc/>
    [JsonIgnore]
    public override int VocabularySize => Vocabulary.Count;

    /// <inheritdoc/>
    [JsonIgnore]
    public override int EndOfSequenceId => Index.EndOfSequenceId;

    /// <inheritdoc/>
    [JsonIgnore]
    public override int? UnknownId => Index.UnknownId;

    private CharacterIndex Index => LazyInitializer.EnsureInitialized(ref _index, () => new CharacterIndex(Vocabulary));

    /// <inheritdoc/>
    public override string TokenOf(int id) => Index.Vocabulary.TokenOf(id);

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var index = Index;
        ids.EnsureCapacity(ids.Count + text.Length);
        foreach (var character in text.EnumerateRunes())
            ids.Add(index.Find(character) ?? throw Missing(character));
    }

    /// <inheritdoc/>
    public bool Equals(CharacterTokenizer? other) => base.Equals(other) && Vocabulary.SequenceEqual(other.Vocabulary);

    /// <inheritdoc/>
    public override int GetHashCode() => Vocabulary.Aggregate(base.GetHashCode(), HashCode.Combine);

    internal override void Encode(ReadOnlySpan<char> text, List<int> ids, List<string> unknown)
    {
        var first = ids.Count;
        Encode(text, ids);
        foreach (var character in text.EnumerateRunes())
        {
            if (ids[first++] == UnknownId)
                unknown.Add(character.ToString());
        }
    }

    internal override int? Find(string token) => Index.Vocabulary.Find(token);

    internal override TextDecoder CreateDecoder() => new Decoder(Index.Vocabulary);

    internal override void Check()
    {
        if (Vocabulary == null)
            throw new FormatException("vocabulary is missing.");
        _ = Index;
    }

    private FormatException Missing(Rune character) => new(
        FormattableString.Invariant($"The character '{character}' (U+{character.Value:X4}) is not among the {VocabularySize} of the vocabulary, which has no token for ")
        + "unknown characters; Tokenization.Characters() makes one unless allowUnknown is false.");

    private sealed class Decoder(Vocabulary vocabulary) : TextDecoder
    {
        public override string Append(int id) => vocabulary.TokenOf(id);
    }
}
