using System.Runtime.InteropServices;
using System.Text;
using MLExtensions.Text;

namespace MLExtensions;

/// <inheritdoc cref="Tokenization.Characters"/>
internal sealed record CharacterTokenization(int? MaximumVocabulary, int MinimumCount, bool AllowUnknown) : Tokenization
{
    internal override TokenizerBuilder CreateBuilder() => new Builder(this);

    internal override void Check(string option) => CheckCounts(MaximumVocabulary, MinimumCount, option);

    private sealed class Builder(CharacterTokenization settings) : TokenizerBuilder
    {
        private readonly Dictionary<Rune, long> _counts = [];
        private readonly long[] _asciiCounts = new long[128];

        public override void Add(ReadOnlySpan<char> row)
        {
            foreach (var character in row.EnumerateRunes())
            {
                if (character.IsAscii)
                    _asciiCounts[character.Value]++;
                else
                    CollectionsMarshal.GetValueRefOrAddDefault(_counts, character, out _)++;
            }
            _asciiCounts[CharacterTokenizer.EndOfSequence[0]]++;
        }

        public override TextTokenizer Build()
        {
            var counts = _counts.ToDictionary(character => character.Key.ToString(), character => character.Value);
            for (var value = 0; value < _asciiCounts.Length; value++)
            {
                if (_asciiCounts[value] > 0)
                    counts.Add(((char)value).ToString(), _asciiCounts[value]);
            }
            var isNeeded = settings.AllowUnknown || settings.MaximumVocabulary != null || settings.MinimumCount > 1;
            var unknown = isNeeded || counts.ContainsKey(CharacterTokenizer.Unknown) ? CharacterTokenizer.Unknown : null;
            return new CharacterTokenizer
            {
                Vocabulary = TokenCounts.Choose(
                    counts, CharacterTokenizer.EndOfSequence, unknown, 0, settings.MaximumVocabulary, settings.MinimumCount),
            };
        }
    }
}
