using System.Buffers;
using System.Text.RegularExpressions;

namespace MLExtensions.Text;

/// <summary>Reads the words of a text and the ends of its lines.</summary>
internal ref partial struct WordReader : IDisposable
{
    private readonly ReadOnlySpan<char> _text;
    private readonly bool _splitPunctuation;
    private readonly char[]? _lowered;
    private Regex.ValueMatchEnumerator _matches;
    private int _next;

    public WordReader(ReadOnlySpan<char> text, bool lowercase, bool splitPunctuation)
    {
        _text = text;
        _splitPunctuation = splitPunctuation;
        if (lowercase)
        {
            _lowered = ArrayPool<char>.Shared.Rent(text.Length);
            text.ToLowerInvariant(_lowered);
            _text = _lowered.AsSpan(0, text.Length);
        }
        if (splitPunctuation)
            _matches = WordOrMark.EnumerateMatches(_text);
    }

    public ReadOnlySpan<char> Current { get; private set; }

    public readonly bool IsLineEnd => Current is "\n";

    // A character outside the basic plane, such as an emoji, is two chars.
    [GeneratedRegex(@"\n|<unk>|<eos>|\w+(?:['’]\w+)*|[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\w\s]", RegexOptions.CultureInvariant)]
    private static partial Regex WordOrMark { get; }

    public bool MoveNext() => _splitPunctuation ? MoveToMatch() : MoveToWord();

    public readonly void Dispose()
    {
        if (_lowered != null)
            ArrayPool<char>.Shared.Return(_lowered);
    }

    private bool MoveToMatch()
    {
        if (!_matches.MoveNext())
            return false;
        Current = _text.Slice(_matches.Current.Index, _matches.Current.Length);
        return true;
    }

    private bool MoveToWord()
    {
        while (_next < _text.Length && _text[_next] != '\n' && char.IsWhiteSpace(_text[_next]))
            _next++;
        if (_next == _text.Length)
            return false;
        var start = _next++;
        while (_text[start] != '\n' && _next < _text.Length && !char.IsWhiteSpace(_text[_next]))
            _next++;
        Current = _text[start.._next];
        return true;
    }
}
