using System.Runtime.InteropServices;
using MLExtensions.Tensors;
using MLExtensions.Text;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>
/// Turns sources and targets into the numbers that the network reads. Words that can be copied have numbers of the target vocabulary, or
/// numbers beyond it that are only valid for one source (See et al., 2017). Thread-safe.
/// </summary>
/// <param name="architecture">The network.</param>
internal sealed class PairTokenizer(SequenceToSequenceArchitecture architecture)
{
    // The names of counts that other families do not have.
    public const string CopiedWords = "words that can only be copied";
    public const string CutSources = "cut sources";
    public const string LostSourceTokens = "lost source tokens";
    public const string CutTargets = "cut targets";
    public const string LostTargetTokens = "lost target tokens";
    public const string LineEnds = "line ends within targets";

    private readonly int[]? _copies = architecture.CopiesWords ? FindCopies(architecture) : null;

    public int VocabularySize => architecture.OutputCount;

    /// <summary>Reads a source.</summary>
    /// <param name="text">The text.</param>
    /// <param name="column">Its column, for messages.</param>
    /// <param name="row">Its row, for messages.</param>
    /// <param name="counts">Receives the numbers of tokens, of unknown ones, and of what was cut; null for nothing.</param>
    /// <exception cref="FormatException">The text has something that is not in the vocabulary, or is too long.</exception>
    public SourceTokens ReadSource(ReadOnlySpan<char> text, string column, long row, DataCounts? counts = null)
    {
        var ids = new List<int>();
        var unknown = new List<string>();
        TextColumn.Encode(architecture.SourceTokenizer, text, ids, column, row, unknown);
        var (tokens, words) = Cut(CollectionsMarshal.AsSpan(ids), unknown, column, row, counts);
        Count(counts, ids.Count, unknown.Count);
        // Its end is read, too: no source is empty.
        var end = architecture.SourceTokenizer.EndOfSequenceId;
        if (_copies == null)
            return new SourceTokens([.. Arrange(tokens), end], [], []);
        var copies = new int[tokens.Length];
        var extra = new List<string>();
        var next = 0;
        for (var i = 0; i < copies.Length; i++)
        {
            var isUnknown = tokens[i] == architecture.SourceTokenizer.UnknownId;
            copies[i] = isUnknown ? architecture.OutputTokenizer.Find(words[next]) ?? -1 : _copies[tokens[i]];
            if (copies[i] < 0)
                copies[i] = VocabularySize + PlaceOf(isUnknown ? words[next] : architecture.SourceTokenizer.TokenOf(tokens[i]), extra);
            next += isUnknown ? 1 : 0;
        }
        return new SourceTokens([.. Arrange(tokens), end], [.. Arrange(copies), architecture.OutputTokenizer.EndOfSequenceId], extra);
    }

    /// <summary>Reads a target: its tokens and, unless it was cut, its end.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">The source, of which words can be copied.</param>
    /// <param name="column">Its column, for messages.</param>
    /// <param name="row">Its row, for messages.</param>
    /// <param name="counts">Receives the numbers of tokens, of unknown ones, and of what was cut; null for nothing.</param>
    /// <param name="isCut">Whether a text that is too long is cut.</param>
    /// <exception cref="FormatException">The text has something that is not in the vocabulary.</exception>
    public int[] ReadTarget(ReadOnlySpan<char> text, SourceTokens source, string column, long row, DataCounts? counts = null, bool isCut = true)
    {
        var ids = new List<int>();
        var unknown = new List<string>();
        TextColumn.Encode(architecture.OutputTokenizer, text, ids, column, row, unknown);
        // An end within a target would end it.
        var ends = ids.RemoveAll(id => id == architecture.OutputTokenizer.EndOfSequenceId);
        counts?.Add(LineEnds, ends);
        var known = 0;
        for (int i = 0, next = 0; i < ids.Count && next < unknown.Count; i++)
        {
            if (ids[i] != architecture.OutputTokenizer.UnknownId)
                continue;
            var place = source.Extra.IndexOf(unknown[next++]);
            if (place >= 0)
                (ids[i], known) = (VocabularySize + place, known + 1);
        }
        Count(counts, ids.Count, unknown.Count - known);
        counts?.Add(CopiedWords, known);
        if (isCut && ids.Count > architecture.MaximumTargetTokens)
        {
            counts?.Add(CutTargets, 1);
            counts?.Add(LostTargetTokens, ids.Count - architecture.MaximumTargetTokens);
            return [.. ids.Take(architecture.MaximumTargetTokens)];
        }
        return [.. ids, architecture.OutputTokenizer.EndOfSequenceId];
    }

    /// <summary>What a written token is read as next: words beyond the vocabulary are unknown ones.</summary>
    public int InputOf(int token) => token < VocabularySize ? token : architecture.OutputTokenizer.UnknownId ?? architecture.OutputTokenizer.EndOfSequenceId;

    /// <summary>Says how many sources were cut; null if none was.</summary>
    /// <param name="counts">The counts, of which the sequences are the sources.</param>
    /// <param name="data">What the sources are of, such as "of the training data".</param>
    public DataNote? CutNote(DataCounts counts, string data) => counts[CutSources] is > 0 and var cut
        ? new DataNote(FormattableString.Invariant($"{cut} of {counts[DataCounts.Sequences]} sources {data} are longer than {architecture.MaximumSourceTokens} tokens (MaximumSourceTokens); {counts[LostSourceTokens]} tokens of them are not read (LongSourceHandling is {architecture.LongSources})."), IsWarning: true)
        : null;

    private static void Count(DataCounts? counts, int tokens, int unknown)
    {
        counts?.Add(DataCounts.Tokens, tokens);
        counts?.Add(DataCounts.UnknownTokens, unknown);
    }

    private static int PlaceOf(string word, List<string> extra)
    {
        var place = extra.IndexOf(word);
        if (place >= 0)
            return place;
        extra.Add(word);
        return extra.Count - 1;
    }

    /// <summary>The number in the target vocabulary of each token of the source vocabulary, or -1.</summary>
    private static int[] FindCopies(SequenceToSequenceArchitecture architecture)
    {
        var (source, target) = (architecture.SourceTokenizer, architecture.OutputTokenizer);
        var copies = new int[source.VocabularySize];
        for (var id = 0; id < copies.Length; id++)
            copies[id] = architecture.TargetTokenizer == null ? id : id == source.EndOfSequenceId ? target.EndOfSequenceId : target.Find(source.TokenOf(id)) ?? -1;
        return copies;
    }

    private T[] Arrange<T>(T[] tokens)
    {
        if (architecture.ReversesSource)
            Array.Reverse(tokens);
        return tokens;
    }

    private (int[] Tokens, List<string> Unknown) Cut(ReadOnlySpan<int> ids, List<string> unknown, string column, long row, DataCounts? counts)
    {
        var limit = architecture.MaximumSourceTokens;
        if (ids.Length <= limit)
            return (ids.ToArray(), unknown);
        if (architecture.LongSources == LongSequenceHandling.Throw)
            throw new FormatException(FormattableString.Invariant($"Text column '{column}', {Messages.RowName.Of(row)}: the source has {ids.Length} tokens, more than {limit} (MaximumSourceTokens). LongSourceHandling says which of them to read."));
        counts?.Add(CutSources, 1);
        counts?.Add(LostSourceTokens, ids.Length - limit);
        var head = architecture.LongSources switch { LongSequenceHandling.KeepEnd => 0, LongSequenceHandling.KeepBeginning => limit, _ => (limit + 1) / 2 };
        var tail = ids.Length - (limit - head);
        var id = architecture.SourceTokenizer.UnknownId;
        var (before, between) = (Occurrences(ids[..head], id), Occurrences(ids[head..tail], id));
        return ([.. ids[..head], .. ids[tail..]], [.. unknown.Take(before), .. unknown.Skip(before + between)]);
    }

    private static int Occurrences(ReadOnlySpan<int> ids, int? id) => id == null ? 0 : ids.Count(id.Value);
}

/// <summary>A source as the network reads it.</summary>
/// <param name="Ids">Its tokens in the order in which they are read, and its end.</param>
/// <param name="Copies">The number of each of them among what can be written; empty if nothing is copied.</param>
/// <param name="Extra">The words whose numbers lie beyond the target vocabulary, in order.</param>
internal sealed record SourceTokens(int[] Ids, int[] Copies, List<string> Extra);
