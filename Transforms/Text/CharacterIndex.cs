using System.Text;

namespace MLExtensions.Text;

/// <summary>Finds the number of a character fast, because it is the most frequent operation on long texts.</summary>
internal sealed class CharacterIndex
{
    private const int DirectCount = 0x300; // Latin; the others are looked up

    private readonly int[] _direct = new int[DirectCount];
    private readonly Dictionary<int, int> _others = [];

    /// <exception cref="FormatException">A token is not a character, missing or duplicate.</exception>
    public CharacterIndex(IReadOnlyList<string> tokens)
    {
        Vocabulary = new Vocabulary(tokens);
        EndOfSequenceId = Vocabulary.Require(CharacterTokenizer.EndOfSequence, "end of row");
        UnknownId = Vocabulary.Find(CharacterTokenizer.Unknown);
        Array.Fill(_direct, UnknownId ?? -1);
        for (var i = 0; i < tokens.Count; i++)
        {
            var character = CharacterOf(tokens[i], i);
            if (character.Value < DirectCount)
                _direct[character.Value] = i;
            else
                _others.Add(character.Value, i);
        }
    }

    public Vocabulary Vocabulary { get; }

    public int EndOfSequenceId { get; }

    public int? UnknownId { get; }

    /// <summary>Returns the number of a character, that of the unknown token, or null.</summary>
    public int? Find(Rune character)
    {
        if (character.Value >= DirectCount)
            return _others.TryGetValue(character.Value, out var id) ? id : UnknownId;
        var direct = _direct[character.Value];
        return direct < 0 ? null : direct;
    }

    private static Rune CharacterOf(string token, int id)
    {
        var status = Rune.DecodeFromUtf16(token, out var character, out var length);
        if (status != System.Buffers.OperationStatus.Done || length != token.Length)
            throw new FormatException(FormattableString.Invariant($"vocabulary[{id}] is '{token}'; it must be one character."));
        return character;
    }
}
