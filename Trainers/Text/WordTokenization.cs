using System.Runtime.InteropServices;
using MLExtensions.Text;

namespace MLExtensions;

/// <inheritdoc cref="Tokenization.Words"/>
internal sealed record WordTokenization(int MaximumVocabulary, int MinimumCount, bool Lowercase, bool SplitPunctuation) : Tokenization
{
    /// <summary>The maximum number of different words that are counted at a time.</summary>
    private const int CountLimit = 4_000_000;

    internal override TokenizerBuilder CreateBuilder() => new Builder(this, CountLimit);

    internal override void Check(string option) => CheckCounts(MaximumVocabulary, MinimumCount, option);

    /// <param name="settings">The settings of the tokenizer.</param>
    /// <param name="countLimit">The maximum number of different words to count at a time; beyond it the rarest are forgotten.</param>
    internal sealed class Builder(WordTokenization settings, int countLimit) : TokenizerBuilder
    {
        private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
        private long _forgotten;
        private long _rarest;

        public override void Add(ReadOnlySpan<char> row)
        {
            var lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
            using var words = new WordReader(row, settings.Lowercase, settings.SplitPunctuation, WordSegmentation.Unicode);
            while (words.MoveNext())
            {
                var word = words.IsLineEnd ? WordTokenizer.EndOfSequence : words.Current;
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, word, out _)++;
            }
            CollectionsMarshal.GetValueRefOrAddDefault(lookup, WordTokenizer.EndOfSequence, out _)++;
            while (_counts.Count > countLimit)
                ForgetRarest();
        }

        public override TextTokenizer Build() => new WordTokenizer
        {
            Vocabulary = TokenCounts.Choose(
                _counts, WordTokenizer.EndOfSequence, WordTokenizer.Unknown, _forgotten, settings.MaximumVocabulary, settings.MinimumCount),
            Lowercase = settings.Lowercase,
            SplitPunctuation = settings.SplitPunctuation,
            Segmentation = WordSegmentation.Unicode,
        };

        private void ForgetRarest()
        {
            _rarest++;
            foreach (var (word, count) in _counts)
            {
                if (count > _rarest || word == WordTokenizer.EndOfSequence)
                    continue;
                _counts.Remove(word); // a dictionary allows removal during enumeration
                _forgotten += count;
            }
        }
    }
}
