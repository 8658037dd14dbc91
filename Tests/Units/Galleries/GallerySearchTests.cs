using System.Linq.Expressions;
using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Galleries;

/// <summary>Filters, pages and searches, each against the same computation on a list.</summary>
[TestClass]
public sealed class GallerySearchTests
{
    private static readonly string?[] Words = ["apple", null, "_"];
    private static readonly string Prefix = "App";

    public static IEnumerable<object[]> Filters => new Expression<Func<Thing, bool>>[]
    {
        thing => true,
        thing => thing.Number == 2,
        thing => thing.Number != 2 && !(thing.Number > 0),
        thing => 1 <= thing.Number || thing.Number < -2,
        thing => thing.Flag,
        thing => !thing.Flag && thing.Flag == false,
        thing => thing.Large == null,
        thing => thing.Large != 10_000_000_000,
        thing => thing.Large > 0,
        thing => !(thing.Large > 0),
        thing => thing.Large.HasValue && thing.Large.Value <= 0,
        thing => thing.Share > .5 || thing.Value >= .25f,
        thing => thing.Value > .1,
        thing => (double)thing.Number > thing.Value,
        thing => thing.Word == "apple",
        thing => thing.Word != "apple",
        thing => thing.Word == null || thing.Word == "",
        thing => thing.Word != null && thing.Word.StartsWith(Prefix, StringComparison.Ordinal),
        thing => thing.Word != null && thing.Word.EndsWith("e", StringComparison.Ordinal),
        thing => thing.Word != null && thing.Word.Contains("%", StringComparison.Ordinal),
        thing => Words.Contains(thing.Word),
        thing => new List<int> { 1, -1 }.Contains(thing.Number),
        thing => new int[0].Contains(thing.Number),
        thing => thing.Id == new Guid(4, 1, 2, new byte[8]),
        thing => thing.Time >= new DateTimeOffset(2026, 1, 3, 1, 4, 5, TimeSpan.Zero),
        thing => thing.Name == "thing 007",
        thing => thing.Bytes == null,
    }.Select((filter, i) => new object[] { i, filter });

    [TestMethod]
    [DynamicData(nameof(Filters))]
    public async Task Filter_MeansWhatItMeansInCode(int number, object filter)
    {
        var condition = (Expression<Func<Thing, bool>>)filter;
        using var sample = new GallerySample();
        var things = Thing.Create(80, number);
        var collection = await sample.Fill(things);
        var expected = things.Where(condition.Compile()).Select(thing => thing.Name).ToArray();
        CollectionAssert.AreEqual(expected, (await collection.GetAsync(condition, 100).ToListAsync()).Select(thing => thing.Name).ToArray());
        CollectionAssert.AreEquivalent(expected, (await collection.SearchAsync(things[0].Vector, 100, new() { Filter = condition }).ToListAsync()).Select(found => found.Record.Name).ToArray());
    }

    [TestMethod]
    public async Task OtherFilters_AreRefused()
    {
        using var sample = new GallerySample();
        var collection = await sample.Fill(Thing.Create(1, 1));
        foreach (var filter in new Expression<Func<Thing, bool>>[]
        {
            thing => thing.Number + 1 == 2,
            thing => thing.Word!.Length == 3,
            thing => thing.Word!.ToUpperInvariant() == "A",
            thing => (int)thing.Value == 0,
            thing => thing.Number > thing.Value,
            thing => thing.Share == double.NaN,
            thing => thing.Vector.Length == 0,
            thing => thing.Word!.StartsWith("a", StringComparison.OrdinalIgnoreCase),
            thing => thing.Bytes == new byte[] { 1 },
        })
            await Assert.ThrowsExactlyAsync<NotSupportedException>(async () => await collection.GetAsync(filter, 1).ToListAsync(), filter.ToString());
    }

    [TestMethod]
    public async Task Pages_HaveAllOnce()
    {
        using var sample = new GallerySample();
        var things = Thing.Create(25, 9);
        var collection = await sample.Fill(things);
        var all = await collection.SearchAsync(things[3].Vector, 100).ToListAsync();
        var pages = new List<VectorSearchResult<Thing>>();
        for (var skip = 0; skip < 30; skip += 7)
            pages.AddRange(await collection.SearchAsync(things[3].Vector, 7, new() { Skip = skip }).ToListAsync());
        CollectionAssert.AreEqual(all.Select(found => found.Record.Name).ToArray(), pages.Select(found => found.Record.Name).ToArray());
        CollectionAssert.AreEqual(all.Select(found => found.Score).ToArray(), pages.Select(found => found.Score).ToArray());
        var ordered = new List<Thing>();
        for (var skip = 0; skip < 30; skip += 4)
            ordered.AddRange(await collection.GetAsync(thing => true, 4, new() { Skip = skip, OrderBy = order => order.Descending(thing => thing.Number).Ascending(thing => thing.Name) }).ToListAsync());
        CollectionAssert.AreEqual(things.OrderByDescending(thing => thing.Number).ThenBy(thing => thing.Name, StringComparer.Ordinal).Select(thing => thing.Name).ToArray(), ordered.Select(thing => thing.Name).ToArray());
    }

    /// <summary>More records than a block has.</summary>
    [TestMethod]
    [DataRow(DistanceFunction.CosineDistance)]
    [DataRow(DistanceFunction.CosineSimilarity)]
    [DataRow(DistanceFunction.EuclideanDistance)]
    [DataRow(DistanceFunction.EuclideanSquaredDistance)]
    [DataRow(DistanceFunction.DotProductSimilarity)]
    [DataRow(DistanceFunction.NegativeDotProductSimilarity)]
    public async Task Search_FindsTheNearest(string function)
    {
        using var sample = new GallerySample();
        using var store = sample.Open();
        var definition = new VectorStoreCollectionDefinition { Properties = [new VectorStoreKeyProperty("Id", typeof(int)), new VectorStoreVectorProperty("Vector", typeof(float[]), 3) { DistanceFunction = function }] };
        var collection = store.GetDynamicCollection("numbers", definition);
        await collection.EnsureCollectionExistsAsync();
        var random = new Random(TestSeed.Of(10));
        var vectors = Enumerable.Range(0, 2500).Select(_ => new[] { random.NextSingle() - .5f, random.NextSingle() - .5f, random.NextSingle() }).ToArray();
        await collection.UpsertAsync(vectors.Select((vector, id) => new Dictionary<string, object?> { ["Id"] = id, ["Vector"] = vector }));
        float[] asked = [.1f, -.2f, .6f];
        var isSimilarity = function.EndsWith("Similarity", StringComparison.Ordinal) && !function.StartsWith("Negative", StringComparison.Ordinal);
        var expected = vectors.Select((vector, id) => (Id: id, Score: Score(function, vector, asked))).OrderBy(item => isSimilarity ? -item.Score : item.Score).Take(6).ToArray();
        var found = await collection.SearchAsync(asked, 6).ToListAsync();
        CollectionAssert.AreEqual(expected.Select(item => item.Id).ToArray(), found.Select(item => (int)item.Record["Id"]!).ToArray());
        for (var i = 0; i < found.Count; i++)
            Assert.AreEqual(expected[i].Score, found[i].Score!.Value, 1e-12);
        var near = await collection.SearchAsync(asked, 6, new() { ScoreThreshold = (expected[2].Score + expected[3].Score) / 2 }).ToListAsync();
        Assert.HasCount(3, near);
    }

    /// <summary>A store with blocks, and any other.</summary>
    [TestMethod]
    public async Task FindNeighbors_OfAnyStore()
    {
        using var sample = new GallerySample();
        var ml = new MLContext(1);
        var things = Thing.Create(40, 11);
        var collection = await sample.Fill(things);
        var rows = Enumerable.Range(0, 100).Select(i => new Row { Features = things[i % 40].Vector.ToArray() }).ToArray();
        var data = ml.Data.LoadFromEnumerable(rows);
        var other = new Other(collection);
        foreach (var store in new IVectorSearchable<Thing>[] { collection, other })
        {
            var found = ml.Data.FindNeighbors(data, store, thing => thing.Name, numberOfNeighbors: 3);
            CollectionAssert.AreEqual(rows.Select((_, i) => things[i % 40].Name).ToArray(), found.GetColumn<string[]>("NeighborNames").Select(names => names[0]).ToArray());
            Assert.IsTrue(found.GetColumn<float[]>("NeighborScores").All(scores => scores.Length == 3 && scores[0] == 0 && scores[1] > 0 && scores[2] >= scores[1]));
        }
        Assert.AreEqual(200, other.Searches);
        var few = ml.Data.FindNeighbors(data, collection, thing => thing.Name, numberOfNeighbors: 3, search: new() { Filter = thing => thing.Name == "thing 005" });
        Assert.IsTrue(few.GetColumn<string[]>("NeighborNames").All(names => names is ["thing 005"]));
        rows[7].Features[1] = float.NaN;
        var error = Assert.Throws<FormatException>(() => ml.Data.FindNeighbors(data, collection, thing => thing.Name).GetColumn<string[]>("NeighborNames").Count());
        StringAssert.Contains(error.Message, "row 7");
        rows[7].Features = new float[Thing.Width];
        Assert.Throws<FormatException>(() => ml.Data.FindNeighbors(data, collection, thing => thing.Name).GetColumn<string[]>("NeighborNames").Count());
    }

    private static double Score(string function, float[] x, float[] y)
    {
        double Dot(float[] a, float[] b) => a.Zip(b).Sum(pair => (double)pair.First * pair.Second);
        var cosine = Dot(x, y) / Math.Sqrt(Dot(x, x) * Dot(y, y));
        var square = x.Zip(y).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2));
        return function switch
        {
            DistanceFunction.CosineDistance => 1 - cosine,
            DistanceFunction.CosineSimilarity => cosine,
            DistanceFunction.EuclideanDistance => Math.Sqrt(square),
            DistanceFunction.EuclideanSquaredDistance => square,
            DistanceFunction.DotProductSimilarity => Dot(x, y),
            _ => -Dot(x, y),
        };
    }

    private sealed class Row
    {
        [VectorType(Thing.Width)]
        public float[] Features { get; set; } = [];
    }

    /// <summary>A store of somebody else.</summary>
    private sealed class Other(IVectorSearchable<Thing> inner) : IVectorSearchable<Thing>
    {
        private int _searches;

        public int Searches => _searches;

        public IAsyncEnumerable<VectorSearchResult<Thing>> SearchAsync<TInput>(TInput searchValue, int top, VectorSearchOptions<Thing>? options = null, CancellationToken cancellationToken = default)
            where TInput : notnull
        {
            Interlocked.Increment(ref _searches);
            return inner.SearchAsync(searchValue, top, options, cancellationToken);
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;
    }
}
