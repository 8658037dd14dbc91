using System.Text;
using Microsoft.ML;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Tensors;
using MLExtensions.Text;
using MLExtensions.Training;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>The tokens of pairs of a source and a target, in memory or in a temporary file.</summary>
internal sealed class PairSet : IDisposable
{
    private readonly TokenStore _tokens;
    private readonly List<Place> _places = [];
    private readonly List<ulong> _groups = [];
    private readonly bool _hasCopies;
    private int[]? _firstTarget;

    private PairSet(Buffering buffering, bool hasCopies) => (_tokens, _hasCopies) = (TokenStore.Create(buffering), hasCopies);

    public int Count => _places.Count;

    /// <summary>Whether there are several pairs, all of them with the same target.</summary>
    public bool HasOneTarget { get; private set; } = true;

    /// <summary>What was cut, empty or unknown.</summary>
    public DataCounts Counts { get; } = new();

    /// <summary>Reads the pairs of a data set.</summary>
    /// <param name="data">The data.</param>
    /// <param name="options">The options, which name the columns.</param>
    /// <param name="tokenizer">What makes numbers of the texts.</param>
    /// <param name="check">Called now and then; throws to stop.</param>
    /// <param name="groupColumn">The column of groups that are held out together, or null.</param>
    /// <exception cref="FormatException">A text has something that is not in the vocabulary, or is too long.</exception>
    public static PairSet Read(IDataView data, SequenceToSequenceEstimator.Options options, PairTokenizer tokenizer, Action check, string? groupColumn)
    {
        var set = new PairSet(options.Buffering, options.CopyWords);
        try
        {
            ForEachPair(data, options.SourceColumnName, options.TargetColumnName, check, (source, target, group, row) => set.Add(source, target, group, row, options, tokenizer), groupColumn);
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Calls an action with each pair of texts.</summary>
    public static void ForEachPair(IDataView data, string sourceColumn, string targetColumn, Action check, PairAction action, string? groupColumn = null)
    {
        DataViewSchema.Column[] columns = [data.Schema[sourceColumn], data.Schema[targetColumn]];
        var groups = groupColumn == null ? (DataViewSchema.Column?)null : GroupColumn.Find(data.Schema, groupColumn);
        using var cursor = data.GetRowCursor(groups is { } needed ? [.. columns, needed] : columns);
        var getSource = TokenColumn.Open(cursor, columns[0]);
        var getTarget = TokenColumn.Open(cursor, columns[1]);
        var getGroup = groups is { } column ? GroupColumn.Open(cursor, column) : null;
        ReadOnlyMemory<char> source = default, target = default;
        var group = new StringBuilder();
        while (cursor.MoveNext())
        {
            check();
            getSource(ref source);
            getTarget(ref target);
            getGroup?.Invoke(ref group);
            action(source.Span, target.Span, getGroup == null ? 0 : GroupColumn.Hash(group), cursor.Position);
        }
    }

    /// <summary>Divides the pairs into those to train on and those to validate on, each in the order of the data.</summary>
    /// <param name="fraction">The fraction to hold out.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="groupColumn">The column of groups, for messages; null to draw single pairs.</param>
    public (int[] Training, int[] Validation) Split(double fraction, int seed, string? groupColumn)
    {
        var rows = Enumerable.Range(0, Count).ToArray();
        if (fraction == 0)
            return (rows, []);
        if (groupColumn != null)
        {
            var groups = RowGroups.Choose(RowGroups.Count(_groups), fraction, seed, groupColumn);
            var parts = rows.ToLookup(row => groups.IsHeld(_groups[row]));
            return ([.. parts[false]], [.. parts[true]]);
        }
        new SplitMix64(SeedSequence.Derive(seed, SeedSequence.ValidationSplit)).Shuffle(rows);
        var aside = (int)Math.Round(rows.Length * fraction, MidpointRounding.AwayFromZero);
        return ([.. rows.Skip(aside).Order()], [.. rows.Take(aside).Order()]);
    }

    /// <summary>The number of tokens of a source, with its end.</summary>
    public int SourceLength(int pair) => _places[pair].Source;

    /// <summary>The number of tokens of a target, with its end.</summary>
    public int TargetLength(int pair) => _places[pair].Target;

    /// <summary>Reads the tokens of a pair. Thread-safe.</summary>
    /// <param name="pair">Its number.</param>
    /// <param name="buffer">Large enough for all of its tokens.</param>
    public PairView ReadPair(int pair, int[] buffer)
    {
        var place = _places[pair];
        var copies = _hasCopies ? place.Source : 0;
        var all = buffer.AsSpan(0, place.Source + copies + place.Target);
        _tokens.Read(place.First, all);
        return new PairView(all[..place.Source], all.Slice(place.Source, copies), all[(place.Source + copies)..]);
    }

    /// <summary>The size of the buffer that <see cref="ReadPair"/> needs.</summary>
    public int LongestPair => _places.Count == 0 ? 0 : _places.Max(place => ((_hasCopies ? 2 : 1) * place.Source) + place.Target);

    public string Checksum() => FormattableString.Invariant($"{Count} pairs, {_tokens.Checksum()}, groups {_groups.Aggregate(0ul, (hash, group) => ValueHash.Mix(hash ^ group))}");

    public void Dispose() => _tokens.Dispose();

    private void Add(ReadOnlySpan<char> source, ReadOnlySpan<char> target, ulong group, long row, SequenceToSequenceEstimator.Options options, PairTokenizer tokenizer)
    {
        var read = tokenizer.ReadSource(source, options.SourceColumnName, row, Counts);
        var written = tokenizer.ReadTarget(target, read, options.TargetColumnName, row, Counts);
        if (written.Length == 0)
            return;
        _places.Add(new Place(_tokens.Count, read.Ids.Length, written.Length));
        _groups.Add(group);
        HasOneTarget &= written.AsSpan().SequenceEqual(_firstTarget ??= written);
        _tokens.Append(read.Ids);
        if (_hasCopies)
            _tokens.Append(read.Copies);
        _tokens.Append(written);
        Counts.Add(DataCounts.Sequences, 1);
        Counts.Add(DataCounts.EmptySequences, read.Ids.Length == 1 ? 1 : 0);
        Counts.Add(DataCounts.EmptyTexts, written.Length == 1 ? 1 : 0);
    }

    private readonly record struct Place(long First, int Source, int Target);
}

/// <summary>Receives a pair of texts.</summary>
internal delegate void PairAction(ReadOnlySpan<char> source, ReadOnlySpan<char> target, ulong group, long row);

/// <summary>The tokens of a pair.</summary>
/// <param name="source">Those of the source, with its end.</param>
/// <param name="copies">The same as they can be written; empty if nothing is copied.</param>
/// <param name="target">Those of the target, with its end unless it was cut.</param>
internal readonly ref struct PairView(ReadOnlySpan<int> source, ReadOnlySpan<int> copies, ReadOnlySpan<int> target)
{
    public ReadOnlySpan<int> Source { get; } = source;

    public ReadOnlySpan<int> Copies { get; } = copies;

    public ReadOnlySpan<int> Target { get; } = target;
}
