using MLExtensions.Distribution;
using MLExtensions.Engine;

namespace MLExtensions.Training;

/// <summary>
/// Batches of P classes with K examples each. Every class is shuffled and cut into groups of K; a batch takes a group each of the P classes
/// that have most groups left, drawn at random among equals.
/// </summary>
/// <remarks>
/// The last group of a class is filled up with examples of it that the epoch had already. A class with fewer than K examples contributes
/// what it has. What is left when all groups are of one class is left out: such a batch has nothing to compare.
/// </remarks>
/// <param name="rows">The rows; the caller disposes them.</param>
/// <param name="indices">The indices of the rows to use.</param>
/// <param name="settings">How they become batches; <see cref="BatchSettings.Size"/> is P times K.</param>
/// <param name="examplesPerClass">K.</param>
/// <param name="createBuffer">Creates the buffer of an epoch.</param>
/// <param name="checksum">The checksum of the data set, or null.</param>
internal sealed class ClassBatches<TBatch>(TrainingRows rows, int[] indices, BatchSettings settings, int examplesPerClass, CreateBuffer<TBatch> createBuffer, string? checksum) : IBatchSource<TBatch>
    where TBatch : RowBatch
{
    private readonly ClassSchedule _schedule = new(indices.GroupBy(row => (int)rows.LabelOf(row)).OrderBy(group => group.Key).Select(group => group.ToArray()).ToArray(), settings.Size / examplesPerClass, examplesPerClass, settings.Share.Count);

    public long RowCount => _schedule.RowCount;

    public int BatchCount => _schedule.BatchCount;

    public long LeftOut => _schedule.LeftOut;

    public Share Share => settings.Share;

    public string? Checksum => checksum;

    public IEnumerable<TBatch> ReadEpoch(int epoch)
    {
        using var buffer = createBuffer(settings.Size / Share.Count, rows.Features.Width, RowCount / Share.Count);
        foreach (var batch in _schedule.Epoch(new SplitMix64(SeedSequence.Derive(settings.Seed, SeedSequence.Shuffle, epoch))))
        {
            foreach (var group in Share.Of<int[]>(batch))
                buffer.Fill(rows, group);
            yield return buffer.Take(buffer.Count);
        }
    }
}

/// <summary>Which examples of which classes are in which batch.</summary>
internal sealed class ClassSchedule
{
    // With fewer classes, a batch has no two examples of different classes.
    private const int LeastClasses = 2;

    private readonly int[][] _classes;
    private readonly int _classesPerBatch;
    private readonly int _examplesPerClass;
    private readonly int _ranks;

    /// <param name="classes">The rows of each class.</param>
    /// <param name="classesPerBatch">P.</param>
    /// <param name="examplesPerClass">K.</param>
    /// <param name="ranks">The number of processes, which all get as many classes of a batch.</param>
    public ClassSchedule(int[][] classes, int classesPerBatch, int examplesPerClass, int ranks = 1)
    {
        (_classes, _classesPerBatch, _examplesPerClass, _ranks) = (classes, classesPerBatch, examplesPerClass, ranks);
        // The numbers of batches and rows are the same in each epoch; only which rows they are is drawn.
        foreach (var batch in Epoch(new SplitMix64(0)))
            (BatchCount, RowCount) = (BatchCount + 1, RowCount + batch.Sum(group => group.Length));
        RowCount += LeftOut = Enumerable.Range(0, classes.Length).Sum(RowsOf) - RowCount;
    }

    public int BatchCount { get; }

    /// <summary>The rows of an epoch, repeated ones included, and those that are left out.</summary>
    public long RowCount { get; }

    /// <summary>The rows of an epoch that find no second class for a batch.</summary>
    public long LeftOut { get; }

    /// <summary>The rows of each batch of an epoch, by class.</summary>
    public IEnumerable<int[][]> Epoch(SplitMix64 random)
    {
        var orders = Array.ConvertAll(_classes, rows => Order(rows, ref random));
        var taken = new int[_classes.Length];
        while (true)
        {
            var chosen = Choose(taken, ref random);
            if (chosen.Length < LeastClasses * _ranks)
                yield break;
            yield return chosen[..(chosen.Length - (chosen.Length % _ranks))].Select(place => Group(orders[place], taken[place]++).ToArray()).ToArray();
        }
    }

    private int GroupsOf(int place) => _classes[place].Length <= _examplesPerClass ? 1 : (_classes[place].Length + _examplesPerClass - 1) / _examplesPerClass;

    /// <summary>The rows of a class in an epoch.</summary>
    private long RowsOf(int place) => _classes[place].Length < _examplesPerClass ? _classes[place].Length : (long)GroupsOf(place) * _examplesPerClass;

    private int[] Choose(int[] taken, ref SplitMix64 random)
    {
        var left = Enumerable.Range(0, _classes.Length).Where(place => taken[place] < GroupsOf(place)).ToArray();
        random.Shuffle(left);
        // Sorting is stable: equals stay in random order.
        return left.OrderByDescending(place => GroupsOf(place) - taken[place]).Take(_classesPerBatch).ToArray();
    }

    private static int[] Order(int[] rows, ref SplitMix64 random)
    {
        var order = (int[])rows.Clone();
        random.Shuffle(order);
        return order;
    }

    private IEnumerable<int> Group(int[] order, int group)
    {
        var first = group * _examplesPerClass;
        var count = Math.Min(_examplesPerClass, order.Length);
        // The order is random, so its beginning is as good as any other part.
        for (var i = 0; i < count; i++)
            yield return order[(first + i) % order.Length];
    }
}
