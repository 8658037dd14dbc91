using System.Text;
using MLExtensions.Text;

namespace MLExtensions.Tensors;

/// <summary>What was cut, skipped, empty or unknown in data, by name: for the log and the training history.</summary>
internal sealed class DataCounts
{
    public const string Tokens = "tokens";
    public const string UnknownTokens = "unknown tokens";
    public const string Sequences = "sequences";
    public const string CutSequences = "cut sequences";
    public const string LostTimeSteps = "lost time steps";
    public const string EmptySequences = "empty sequences";
    public const string MissingKeys = "missing keys";
    public const string EmptyTexts = "empty texts";
    public const string RowsWithoutLabel = "rows without a label";
    public const string RowsLeftOut = "rows left out of each epoch";
    public const string ClassesOfOneExample = "classes with one example";
    public const string RowsOfAnotherForm = "rows of another form";
    public const string SeriesTooShort = "series that are too short";
    public const string SeriesNotHeldOut = "series without a held-out part";
    public const string TimeGaps = "gaps in time";

    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public long this[string name] => _counts.GetValueOrDefault(name);

    /// <summary>The counts that are not 0.</summary>
    public IReadOnlyDictionary<string, long> Values => _counts;

    public void Add(string name, long count)
    {
        if (count != 0)
            _counts[name] = this[name] + count;
    }

    /// <summary>Adds other counts.</summary>
    /// <param name="other">The counts.</param>
    /// <param name="prefix">Put before their names.</param>
    public void Add(DataCounts other, string prefix = "")
    {
        foreach (var (name, count) in other.Values)
            Add(prefix + name, count);
    }
}

/// <summary>A remark on data for the log.</summary>
internal readonly record struct DataNote(string Text, bool IsWarning);

/// <summary>Remarks on the tokens of texts.</summary>
internal static class TokenNotes
{
    /// <summary>Above this share the unknown tokens are worth a warning.</summary>
    private const double HighShare = 0.05;

    // Chinese and Japanese words have one to four characters, Thai words up to about ten.
    private const double ManyWords = 0.05;
    private const double LongWord = 10;

    /// <summary>Tells the share of unknown tokens; null without texts.</summary>
    /// <param name="counts">The counts of the data.</param>
    /// <param name="data">What the data is, such as "training data".</param>
    public static DataNote? UnknownShare(DataCounts counts, string data)
    {
        var (tokens, unknown) = (counts[DataCounts.Tokens], counts[DataCounts.UnknownTokens]);
        if (tokens == 0)
            return null;
        var share = (double)unknown / tokens;
        var text = FormattableString.Invariant($"{unknown} of {tokens} tokens of the {data} ({100 * share:0.##} %) are not in the vocabulary");
        return share > HighShare
            ? new DataNote(text + ": the network cannot tell them apart. Use a larger vocabulary, Tokenization.Characters(), Tokenization.Subwords(...), or more similar data.", IsWarning: true)
            : new DataNote(text + ".", IsWarning: false);
    }

    /// <summary>Warns if words of scripts without spaces are whole sentences; null if they are not.</summary>
    public static DataNote? WholeSentences(TextTokenizer tokenizer)
    {
        if (tokenizer is not WordTokenizer words)
            return null;
        var unspaced = words.Vocabulary.Where(word => Rune.TryGetRuneAt(word, 0, out var first) && WordBreakProperty.HasNoSpaces(first.Value)).ToArray();
        if (unspaced.Length < ManyWords * words.Vocabulary.Count || unspaced.Length == 0)
            return null;
        var length = unspaced.Average(word => (double)word.Length);
        return length < LongWord ? null : new DataNote(
            FormattableString.Invariant($"{unspaced.Length} of {words.Vocabulary.Count} words of the vocabulary are in a script that is written without spaces, and {length:0} characters long on average: whole sentences, which other texts do not have. Use Tokenization.Words(splitPunctuation: true) or Tokenization.Characters(), whose tokens are the characters of such scripts."),
            IsWarning: true);
    }
}
