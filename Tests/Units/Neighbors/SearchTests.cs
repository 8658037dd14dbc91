using MLExtensions.Families.Neighbors;

namespace MLExtensions.Tests.Neighbors;

/// <summary>Exact search against a plain computation.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class SearchTests
{
    private static readonly VectorDistance[] Distances = Enum.GetValues<VectorDistance>();

    /// <summary>Widths around registers, numbers of rows around panels, and so many queries that each way of searching is taken.</summary>
    [TestMethod]
    [DataRow(1, 5, 3)]
    [DataRow(7, 63, 1)]
    [DataRow(16, 64, 40)]
    [DataRow(33, 200, 5)]
    [DataRow(128, 130, 97)]
    public void Search_FindsWhatAPlainComputationFinds(int width, int rows, int queries)
    {
        var random = new Random(TestSeed.Of(1));
        foreach (var distance in Distances)
        {
            var vectors = Vectors(random, rows, width);
            var searched = Vectors(random, queries, width);
            AssertFinds(distance, vectors, searched, 4, Search(distance, vectors, searched, 4));
        }
    }

    [TestMethod]
    public void BlocksAndThreads_DoNotChangeAnything()
    {
        var random = new Random(TestSeed.Of(2));
        var vectors = Vectors(random, 500, 20);
        foreach (var distance in Distances)
        {
            foreach (var queries in new[] { 2, 50 })
            {
                var searched = Vectors(random, queries, 20);
                var expected = Search(distance, vectors, searched, 7);
                foreach (var (blockRows, threads) in new[] { (64, 1), (64, 4), (37, 3), (1, 2) })
                    AssertSame(expected, Search(distance, vectors, searched, 7, threads, blockRows));
            }
        }
    }

    [TestMethod]
    public void EquallyNearRows_TheFirstOnesAreTaken()
    {
        var vectors = Enumerable.Range(0, 300).Select(row => new[] { row % 3 == 0 ? 1f : 2f, .5f }).ToArray();
        foreach (var distance in new[] { VectorDistance.Euclidean, VectorDistance.SquaredEuclidean })
        {
            foreach (var queries in new[] { 1, 20 })
            {
                var found = Search(distance, vectors, Enumerable.Repeat(new[] { 1f, .5f }, queries).ToArray(), 4, threads: 3, blockRows: 64);
                foreach (var list in found)
                {
                    CollectionAssert.AreEqual(new long[] { 0, 3, 6, 9 }, list.Rows.ToArray());
                    CollectionAssert.AreEqual(new double[4], list.Distances.ToArray());
                }
            }
        }
    }

    /// <summary>Differences that single precision does not see: the exact order needs more than a product in single precision.</summary>
    [TestMethod]
    public void NearlyEqualRows_AreOrderedExactly()
    {
        var random = new Random(TestSeed.Of(3));
        var center = Vectors(random, 1, 64)[0];
        var vectors = Enumerable.Range(0, 400).Select(_ => center.Select(value => MathF.BitIncrement(value * (1 + (random.Next(5) * 6e-8f)))).ToArray()).ToArray();
        foreach (var distance in Distances)
        {
            foreach (var queries in new[] { 1, 30 })
            {
                var searched = Enumerable.Repeat(center, queries).ToArray();
                AssertFinds(distance, vectors, searched, 10, Search(distance, vectors, searched, 10));
            }
        }
    }

    [TestMethod]
    public void LargeAndTinyValues_AreFound()
    {
        var random = new Random(TestSeed.Of(4));
        foreach (var (scale, queryScale) in new[] { (1e30f, 1e30f), (1e-30f, 1e-30f), (3e38f, 1e-38f), (1e-44f, 1f), (1e20f, 1e-3f) })
        {
            var vectors = Vectors(random, 150, 12, scale);
            vectors[^1] = Vectors(random, 1, 12)[0];
            foreach (var distance in Distances)
            {
                foreach (var queries in new[] { 1, 20 })
                {
                    var searched = Vectors(random, queries, 12, queryScale);
                    // A vector may have become one of zeros, which the cosine distance refuses before it comes here.
                    var usable = vectors.Where(vector => VectorIndex.ProblemOf(distance, vector) == null).ToArray();
                    var asked = searched.Where(vector => VectorIndex.ProblemOf(distance, vector) == null).ToArray();
                    AssertFinds(distance, usable, asked, 5, Search(distance, usable, asked, 5));
                }
            }
        }
    }

    [TestMethod]
    public void ZerosAndFewRows_AreFound()
    {
        var vectors = new[] { new float[8], Enumerable.Repeat(1f, 8).ToArray(), new float[8] };
        var found = Search(VectorDistance.Euclidean, vectors, [new float[8]], 10)[0];
        CollectionAssert.AreEqual(new long[] { 0, 2, 1 }, found.Rows.ToArray());
        CollectionAssert.AreEqual(new double[] { 0, 0, 8 }, found.Distances.ToArray());
    }

    [TestMethod]
    public void CosineOfAVectorAndItself_IsExactlyZero()
    {
        var random = new Random(TestSeed.Of(5));
        foreach (var vector in Vectors(random, 200, 37))
            Assert.AreEqual(0, ExactDistance.Of(VectorDistance.Cosine, vector, vector, ExactDistance.Dot(vector, vector), ExactDistance.Dot(vector, vector)));
    }

    private static float[][] Vectors(Random random, int rows, int width, float scale = 1) =>
        Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, width).Select(_ => ((random.NextSingle() * 2) - 1) * scale).ToArray()).ToArray();

    private static NeighborList[] Search(VectorDistance distance, float[][] vectors, float[][] searched, int count, int threads = 1, int? blockRows = null)
    {
        var index = new VectorIndex(distance, vectors[0].Length, blockRows);
        foreach (var vector in vectors)
            index.Add(vector);
        var queries = new QueryBlock(distance, vectors[0].Length, searched.Length);
        foreach (var vector in searched)
            queries.Add(vector);
        return index.Search(queries, count, threads);
    }

    private static void AssertFinds(VectorDistance distance, float[][] vectors, float[][] searched, int count, NeighborList[] found)
    {
        Assert.HasCount(searched.Length, found);
        for (var query = 0; query < searched.Length; query++)
        {
            var expected = vectors.Select((vector, row) => (Distance: Exact(distance, vector, searched[query]), Row: (long)row)).OrderBy(pair => pair.Distance).ThenBy(pair => pair.Row).Take(count).ToArray();
            CollectionAssert.AreEqual(expected.Select(pair => pair.Distance).ToArray(), found[query].Distances.ToArray(), $"{distance}, query {query}");
            CollectionAssert.AreEqual(expected.Select(pair => pair.Row).ToArray(), found[query].Rows.ToArray(), $"{distance}, query {query}");
            // The exact distance itself, summed in another order.
            var plain = Plain(distance, vectors[expected[0].Row], searched[query]);
            Assert.AreEqual(plain, expected[0].Distance, 1e-12 * Scale(vectors[expected[0].Row], searched[query], distance));
        }
    }

    private static double Scale(float[] x, float[] y, VectorDistance distance) =>
        distance == VectorDistance.Cosine ? 1 : x.Sum(value => (double)value * value) + y.Sum(value => (double)value * value);

    private static double Exact(VectorDistance distance, float[] x, float[] y) => ExactDistance.Of(distance, x, y, ExactDistance.Dot(x, x), ExactDistance.Dot(y, y));

    private static double Plain(VectorDistance distance, float[] x, float[] y)
    {
        double dot = 0, square = 0, xx = 0, yy = 0;
        for (var i = 0; i < x.Length; i++)
        {
            dot += (double)x[i] * y[i];
            square += Math.Pow((double)x[i] - y[i], 2);
            xx += (double)x[i] * x[i];
            yy += (double)y[i] * y[i];
        }
        return distance switch
        {
            VectorDistance.DotProduct => -dot,
            VectorDistance.Cosine => 1 - (dot / Math.Sqrt(xx) / Math.Sqrt(yy)),
            _ => square,
        };
    }

    private static void AssertSame(NeighborList[] expected, NeighborList[] found)
    {
        for (var query = 0; query < expected.Length; query++)
        {
            CollectionAssert.AreEqual(expected[query].Rows.ToArray(), found[query].Rows.ToArray());
            CollectionAssert.AreEqual(expected[query].Distances.ToArray(), found[query].Distances.ToArray());
        }
    }
}
