using MLExtensions.Families.Neighbors;

namespace MLExtensions.Benchmarks;

/// <summary>
/// The ten nearest of 1,000,000 vectors of 128 numbers: one query, and blocks of 1,000, against a plain loop over the same numbers on one
/// thread. Rounds of a block are long, so the plain loop answers one of its queries and is counted per query. With one thread both are measured by
/// its processor time, with two by elapsed time.
/// </summary>
internal sealed class NeighborSearch : IBenchmark
{
    private const int Width = 128;
    private const int Count = 10;
    private const int BlockQueries = 1000;
    private const double Floor = 10;

    public string Name => "search";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var rows = 1_000_000;
        using var peak = new ResidentPeak();
        var random = new Random(1);
        var vectors = new float[rows * Width];
        Fill(random, vectors);
        var withVectors = peak.Read();
        var index = new VectorIndex(VectorDistance.Cosine, Width);
        for (var row = 0; row < rows; row++)
            index.Add(vectors.AsSpan(row * Width, Width));
        var built = peak.Read();
        var squares = new float[rows];
        for (var row = 0; row < rows; row++)
            squares[row] = (float)ExactDistance.Dot(index.Row(row), index.Row(row));
        foreach (var queries in new[] { 1, BlockQueries })
        {
            foreach (var threads in new[] { 1, 2 })
            {
                Func<Action, double> clock = threads == 1 ? ThreadSeconds : Timing.Seconds;
                var plain = new Contender("plain", () =>
                {
                    var query = new float[Width];
                    Fill(random, query);
                    return clock(() => SearchPlainly(vectors, squares, query));
                });
                var block = new QueryBlock(VectorDistance.Cosine, Width, queries);
                var ours = new Contender("ours", () =>
                {
                    block.Clear();
                    var query = new float[Width];
                    for (var i = 0; i < queries; i++)
                    {
                        Fill(random, query);
                        block.Add(query);
                    }
                    return clock(() => index.Search(block, Count, threads)) / queries;
                });
                var what = FormattableString.Invariant($"{Count} nearest of {rows} x {Width}, {(queries == 1 ? "one query" : $"blocks of {queries} queries")}, {Threads.Text(threads)}");
                yield return Bound.Row(what, Floor, Timing.Compare(settings.Rounds, ours, plain), "queries", 1);
            }
        }
        yield return new ResultRow("memory of the index", "", FormattableString.Invariant($"{(built - withVectors) / 1e6:F0} MB"), FormattableString.Invariant($"the vectors alone {vectors.Length * 4 / 1e6:F0} MB; searching added {(peak.Read() - built) / 1e6:F0} MB at its peak"));
    }

    private static double ThreadSeconds(Action work)
    {
        var start = ThreadClock.Microseconds();
        work();
        return (ThreadClock.Microseconds() - start) / 1e6;
    }

    private static void Fill(Random random, Span<float> values)
    {
        foreach (ref var value in values)
            value = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 2;
    }

    /// <summary>What one would write at first.</summary>
    private static int[] SearchPlainly(float[] vectors, float[] squares, float[] query)
    {
        var nearest = new PriorityQueue<int, float>();
        var length = MathF.Sqrt(query.Sum(value => value * value));
        for (var row = 0; row < squares.Length; row++)
        {
            var dot = 0f;
            for (var i = 0; i < query.Length; i++)
                dot += vectors[(row * query.Length) + i] * query[i];
            var similarity = dot / (MathF.Sqrt(squares[row]) * length);
            if (nearest.Count < Count)
                nearest.Enqueue(row, similarity);
            else
                nearest.EnqueueDequeue(row, similarity);
        }
        return nearest.UnorderedItems.OrderByDescending(item => item.Priority).Select(item => item.Element).ToArray();
    }
}
