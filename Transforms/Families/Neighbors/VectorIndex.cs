namespace MLExtensions.Families.Neighbors;

/// <summary>Vectors in memory, searched exactly. Once it is built, several threads can search it.</summary>
internal sealed class VectorIndex
{
    private const int BlockValues = 1 << 20;

    /// <summary>The queries of a pass over the vectors.</summary>
    public const int PassQueries = 1024;

    private readonly List<VectorBlock> _blocks = [];
    private readonly int _blockRows;

    /// <param name="distance">The kind of distance.</param>
    /// <param name="width">The length of the vectors.</param>
    /// <param name="blockRows">The rows of a block; null for as many as have four megabytes.</param>
    public VectorIndex(VectorDistance distance, int width, int? blockRows = null)
    {
        (Distance, Width) = (distance, width);
        _blockRows = blockRows ?? Math.Max(1, BlockValues / width / VectorCodes.PanelRows) * VectorCodes.PanelRows;
    }

    public VectorDistance Distance { get; }

    public int Width { get; }

    public long Count { get; private set; }

    /// <summary>Why a vector cannot be used, for a message; null if it can.</summary>
    public static string? ProblemOf(VectorDistance distance, ReadOnlySpan<float> vector) =>
        distance == VectorDistance.Cosine && !vector.ContainsAnyExcept(0f) ? "all values are 0; such a vector has no direction, which the cosine distance needs" : null;

    public ReadOnlySpan<float> Row(long row) => _blocks[(int)(row / _blockRows)].Row((int)(row % _blockRows));

    /// <summary>Adds a vector of finite values that <see cref="ProblemOf"/> has no objection to.</summary>
    public void Add(ReadOnlySpan<float> vector)
    {
        if (_blocks.Count == 0 || _blocks[^1].IsFull)
        {
            _blocks.Add(new VectorBlock(Distance, Width, _blockRows, withCodes: true) { First = Count });
            // Only the first block may have much too much room.
            if (_blocks.Count > 1)
                _blocks[^1].Reserve(_blockRows);
        }
        _blocks[^1].Add(vector);
        Count++;
    }

    /// <summary>Finds the nearest vectors of each query.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="count">How many.</param>
    /// <param name="threads">The largest number of threads.</param>
    public NeighborList[] Search(QueryBlock queries, int count, int threads)
    {
        count = (int)Math.Min(count, Count);
        var workers = new BlockSearch[Math.Clamp(_blocks.Count, 1, threads)];
        var next = -1;
        if (workers.Length == 1)
            Work(0);
        else
            Parallel.For(0, workers.Length, new ParallelOptions { MaxDegreeOfParallelism = workers.Length }, Work);
        var found = workers[0].Found;
        foreach (var worker in workers.Skip(1))
        {
            for (var query = 0; query < found.Length; query++)
                found[query].Offer(worker.Found[query]);
        }
        return found;

        // Whoever is free takes the next block: a list does not depend on the order in which rows were offered.
        void Work(int worker)
        {
            var search = workers[worker] = new BlockSearch(queries, count);
            for (var block = Interlocked.Increment(ref next); block < _blocks.Count; block = Interlocked.Increment(ref next))
                search.Search(_blocks[block]);
        }
    }
}
