namespace MLExtensions.Text;

/// <summary>Tokens and their numbers: the number of a token is its position in the list.</summary>
internal sealed class Vocabulary
{
    private readonly IReadOnlyList<string> _tokens;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <exception cref="FormatException">A token is missing or duplicate.</exception>
    public Vocabulary(IReadOnlyList<string> tokens)
    {
        _tokens = tokens;
        _ids = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (string.IsNullOrEmpty(tokens[i]))
                throw new FormatException(FormattableString.Invariant($"vocabulary[{i}] is {(tokens[i] == null ? "null" : "empty")}."));
            if (!_ids.TryAdd(tokens[i], i))
                throw new FormatException(FormattableString.Invariant($"vocabulary[{i}] is '{tokens[i]}', the same as vocabulary[{_ids[tokens[i]]}]."));
        }
        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public string TokenOf(int id)
    {
        if ((uint)id >= (uint)_tokens.Count)
            throw new ArgumentOutOfRangeException(nameof(id), id, FormattableString.Invariant($"There is no token {id}; the vocabulary has the tokens 0 to {_tokens.Count - 1}."));
        return _tokens[id];
    }

    public int? Find(ReadOnlySpan<char> token) => _lookup.TryGetValue(token, out var id) ? id : null;

    /// <exception cref="FormatException">The token is not in the vocabulary.</exception>
    public int Require(string token, string meaning) =>
        Find(token) ?? throw new FormatException($"vocabulary has no {meaning}, '{token.Replace("\n", "\\n")}'.");
}
