using System.Buffers;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MLExtensions.Text;

/// <summary>Reads the words of a text and the ends of its lines.</summary>
internal ref partial struct WordReader : IDisposable
{
    private const char LoneSurrogate = '\uFFFD';

    private readonly ReadOnlySpan<char> _text;
    private readonly bool _splitPunctuation;
    private readonly WordSegmentation _segmentation;
    private readonly char[]? _copy;
    private Regex.ValueMatchEnumerator _matches;
    private int _next;

    /// <param name="text">The text.</param>
    /// <param name="lowercase">See <see cref="WordTokenizer.Lowercase"/>.</param>
    /// <param name="splitPunctuation">See <see cref="WordTokenizer.SplitPunctuation"/>.</param>
    /// <param name="segmentation">Where words end if punctuation is split off.</param>
    public WordReader(ReadOnlySpan<char> text, bool lowercase, bool splitPunctuation, WordSegmentation segmentation)
    {
        _text = text;
        _splitPunctuation = splitPunctuation;
        _segmentation = segmentation;
        // A surrogate without its partner is no character, and no file could hold it.
        var isBroken = HasLoneSurrogate(text);
        if (lowercase || isBroken)
        {
            _copy = ArrayPool<char>.Shared.Rent(text.Length);
            var copy = _copy.AsSpan(0, text.Length);
            if (lowercase)
                text.ToLowerInvariant(copy);
            else
                text.CopyTo(copy);
            if (isBroken)
                ReplaceLoneSurrogates(copy);
            _text = copy;
        }
        if (splitPunctuation && segmentation == WordSegmentation.LettersAndDigits)
            _matches = WordOrMark.EnumerateMatches(_text);
    }

    public ReadOnlySpan<char> Current { get; private set; }

    public readonly bool IsLineEnd => Current is "\n";

    // The rule of models before 0.3.0. A character outside the basic plane, such as an emoji, is two chars.
    [GeneratedRegex(@"\n|<unk>|<eos>|\w+(?:['’]\w+)*|[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\w\s]", RegexOptions.CultureInvariant)]
    private static partial Regex WordOrMark { get; }

    public bool MoveNext() => !_splitPunctuation ? MoveToWord()
        : _segmentation == WordSegmentation.Unicode ? MoveToSegment()
        : MoveToMatch();

    public readonly void Dispose()
    {
        if (_copy != null)
            ArrayPool<char>.Shared.Return(_copy);
    }

    private bool MoveToMatch()
    {
        if (!_matches.MoveNext())
            return false;
        Current = _text.Slice(_matches.Current.Index, _matches.Current.Length);
        return true;
    }

    private bool MoveToSegment()
    {
        while (_next < _text.Length)
        {
            var start = _next;
            if (SpecialAt(start) is { } special)
            {
                _next += special.Length;
                Current = special;
                return true;
            }
            _next = WordBoundary.Next(_text, start);
            var segment = _text[start.._next];
            if (segment is "\n" or "\r\n")
            {
                Current = "\n";
                return true;
            }
            // White space, which marks may follow, and characters without a glyph are no words.
            segment = segment.TrimStart();
            if (!HasGlyph(segment))
                continue;
            Current = segment;
            return true;
        }
        return false;
    }

    private static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        var at = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        return at >= 0 && LengthBeforeLoneSurrogate(text, at) < text.Length;
    }

    private static void ReplaceLoneSurrogates(Span<char> text)
    {
        for (var at = LengthBeforeLoneSurrogate(text, 0); at < text.Length; at = LengthBeforeLoneSurrogate(text, at))
            text[at] = LoneSurrogate;
    }

    private static int LengthBeforeLoneSurrogate(ReadOnlySpan<char> text, int start)
    {
        var at = start;
        while (at < text.Length && (!char.IsSurrogate(text[at]) || (at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]))))
            at += char.IsSurrogate(text[at]) ? 2 : 1;
        return at;
    }

    private readonly string? SpecialAt(int start) => _text[start] != '<' ? null
        : _text[start..].StartsWith(WordTokenizer.Unknown, StringComparison.Ordinal) ? WordTokenizer.Unknown
        : _text[start..].StartsWith(WordTokenizer.EndOfSequence, StringComparison.Ordinal) ? WordTokenizer.EndOfSequence
        : null;

    private static bool HasGlyph(ReadOnlySpan<char> segment)
    {
        foreach (var character in segment)
        {
            if (char.GetUnicodeCategory(character) is not (UnicodeCategory.Control or UnicodeCategory.Format))
                return true;
        }
        return false;
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
