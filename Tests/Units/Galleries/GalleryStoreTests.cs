using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace MLExtensions.Tests.Galleries;

/// <summary>What the interface of vector stores promises, on SQLite.</summary>
[TestClass]
public sealed class GalleryStoreTests
{
    [TestMethod]
    public async Task Records_ComeBackAsTheyWere()
    {
        using var sample = new GallerySample();
        var things = Thing.Create(30, 1);
        await sample.Fill(things);
        var collection = sample.Open().GetCollection<string, Thing>("things");
        foreach (var (expected, actual) in things.Zip(await collection.GetAsync(things.Select(thing => thing.Name), new() { IncludeVectors = true }).ToListAsync()))
        {
            Assert.AreEqual((expected.Name, expected.Number, expected.Large, expected.Flag, expected.Share, expected.Value, expected.Word, expected.Id), (actual.Name, actual.Number, actual.Large, actual.Flag, actual.Share, actual.Value, actual.Word, actual.Id));
            Assert.AreEqual(expected.Time, actual.Time);
            CollectionAssert.AreEqual(expected.Bytes, actual.Bytes);
            CollectionAssert.AreEqual(expected.Vector.ToArray(), actual.Vector.ToArray());
        }
        Assert.AreEqual(0, (await collection.GetAsync(things[0].Name))!.Vector.Length);
        Assert.IsNull(await collection.GetAsync("nobody"));
        var some = await collection.GetAsync(["thing 003", "nobody", "thing 001"]).ToListAsync();
        CollectionAssert.AreEqual(new[] { "thing 003", "thing 001" }, some.Select(thing => thing.Name).ToArray());
    }

    [TestMethod]
    public async Task SameKey_ReplacesTheRecord()
    {
        using var sample = new GallerySample();
        var things = Thing.Create(3, 2);
        var collection = await sample.Fill(things);
        await collection.UpsertAsync([new Thing { Name = "thing 001", Word = "first", Vector = things[0].Vector }, new Thing { Name = "thing 001", Word = "last", Vector = things[2].Vector }]);
        var found = await collection.SearchAsync(things[2].Vector, 5, new() { IncludeVectors = true }).ToListAsync();
        Assert.HasCount(3, found);
        // Equally near: the one that was added first.
        Assert.AreEqual(("thing 001", "last", 0.0), (found[0].Record.Name, found[0].Record.Word, found[0].Score));
        CollectionAssert.AreEqual(things[2].Vector.ToArray(), found[0].Record.Vector.ToArray());
        Assert.AreEqual("thing 002", found[1].Record.Name);
        await collection.DeleteAsync(["thing 001", "nobody", "thing 000"]);
        await collection.DeleteAsync("nobody");
        Assert.AreEqual("thing 002", (await collection.GetAsync(thing => true, 9).ToListAsync()).Single().Name);
    }

    [TestMethod]
    public async Task Keys_OfEachType()
    {
        using var sample = new GallerySample();
        using var store = sample.Open();
        await Check("strings", "a", "A", new[] { 1f, 2 }, vector => vector);
        await Check("ints", -4, int.MaxValue, new ReadOnlyMemory<float>([1, 2]), vector => vector.ToArray());
        await Check("longs", long.MinValue, 5L, new Embedding<float>(new float[] { 1, 2 }), vector => vector.Vector.ToArray());
        await Check("guids", Guid.NewGuid(), Guid.NewGuid(), new[] { 1f, 2 }, vector => vector);
        var records = store.GetCollection<Guid, Keyed<Guid, float[]>>("guids");
        var record = new Keyed<Guid, float[]> { Vector = [7, 7] };
        await records.UpsertAsync(record);
        Assert.AreNotEqual(Guid.Empty, record.Key);
        Assert.IsNotNull(await records.GetAsync(record.Key));
        CollectionAssert.AreEquivalent(new[] { "guids", "ints", "longs", "strings" }, await store.ListCollectionNamesAsync().ToListAsync());
        await store.EnsureCollectionDeletedAsync("ints");
        await store.EnsureCollectionDeletedAsync("ints");
        Assert.AreEqual((false, true), (await store.CollectionExistsAsync("ints"), await store.CollectionExistsAsync("longs")));

        async Task Check<TKey, TVector>(string name, TKey one, TKey two, TVector vector, Func<TVector, float[]> read)
            where TKey : notnull
        {
            using var collection = store.GetCollection<TKey, Keyed<TKey, TVector>>(name);
            Assert.IsFalse(await collection.CollectionExistsAsync());
            await collection.EnsureCollectionExistsAsync();
            await collection.EnsureCollectionExistsAsync();
            Assert.IsTrue(await collection.CollectionExistsAsync());
            await collection.UpsertAsync([new() { Key = one, Vector = vector, Other = new(new[] { -1f }) }, new() { Key = two, Vector = vector, Other = new(new[] { 3f }) }]);
            Assert.AreEqual(one, (await collection.GetAsync(one))!.Key);
            var found = await collection.SearchAsync(new[] { 4f, 6 }, 2, new() { VectorProperty = record => record.Vector, IncludeVectors = true }).ToListAsync();
            Assert.AreEqual((5.0, one, 5.0, two), (found[0].Score, found[0].Record.Key, found[1].Score, found[1].Record.Key));
            CollectionAssert.AreEqual(new[] { 1f, 2 }, read(found[0].Record.Vector));
            var other = await collection.SearchAsync(new Embedding<float>(new[] { 2f }), 2, new() { VectorProperty = record => record.Other }).ToListAsync();
            Assert.AreEqual((6.0, two, -2.0, one), (other[0].Score, other[0].Record.Key, other[1].Score, other[1].Record.Key));
        }
    }

    [TestMethod]
    public async Task DynamicCollection_HasDictionaries()
    {
        using var sample = new GallerySample();
        using var store = sample.Open();
        var definition = new VectorStoreCollectionDefinition
        {
            Properties = [new VectorStoreKeyProperty("Id", typeof(int)), new VectorStoreDataProperty("Word", typeof(string)), new VectorStoreVectorProperty("Vector", typeof(float[]), 2) { DistanceFunction = DistanceFunction.CosineSimilarity }],
        };
        var collection = store.GetDynamicCollection("dynamic", definition);
        await collection.EnsureCollectionExistsAsync();
        await collection.UpsertAsync([new() { ["Id"] = 1, ["Word"] = "one", ["Vector"] = new[] { 1f, 0 } }, new() { ["Id"] = 2, ["Word"] = null, ["Vector"] = new[] { 0f, 2 } }]);
        var found = await collection.SearchAsync(new[] { 0f, 1 }, 1, new() { Filter = record => (string?)record["Word"] == "one" }).ToListAsync();
        Assert.AreEqual((1, 0.0), (found.Single().Record["Id"], found[0].Score));
        Assert.IsNull((await collection.GetAsync(2))!["Word"]);
        await Assert.ThrowsAsync<ArgumentException>(() => collection.GetAsync("2"));
        await Assert.ThrowsAsync<ArgumentException>(() => collection.UpsertAsync(new Dictionary<string, object?> { ["Id"] = 3, ["Word"] = 4, ["Vector"] = new[] { 1f, 1 } }));
    }

    [TestMethod]
    public async Task OtherModel_IsRefusedByBothNames()
    {
        using var sample = new GallerySample();
        var first = sample.Open("model 1").GetCollection<string, Thing>("things");
        await first.EnsureCollectionExistsAsync();
        await first.UpsertAsync(Thing.Create(2, 3));
        foreach (var other in new[] { "model 2", null })
        {
            var second = sample.Open(other).GetCollection<string, Thing>("things");
            foreach (var use in new Func<Task>[] { () => second.EnsureCollectionExistsAsync(), () => second.UpsertAsync(Thing.Create(1, 4)), () => second.GetAsync("thing 000"), () => second.SearchAsync(new float[Thing.Width].Append(1f).Skip(1).ToArray(), 1).ToListAsync().AsTask(), () => second.DeleteAsync("thing 000") })
            {
                var error = await Assert.ThrowsExactlyAsync<InvalidOperationException>(use);
                StringAssert.Contains(error.Message, "'model 1'");
                StringAssert.Contains(error.Message, other == null ? "without a fingerprint" : "'model 2'");
            }
            await second.EnsureCollectionDeletedAsync();
            await second.EnsureCollectionExistsAsync();
            await second.EnsureCollectionDeletedAsync();
            await first.EnsureCollectionExistsAsync();
        }
    }

    [TestMethod]
    public async Task OtherProperties_AreRefused()
    {
        using var sample = new GallerySample();
        await sample.Fill(Thing.Create(1, 5));
        var other = sample.Open().GetCollection<string, Keyed<string, float[]>>("things");
        var error = await Assert.ThrowsExactlyAsync<InvalidOperationException>(() => other.EnsureCollectionExistsAsync());
        StringAssert.Contains(error.Message, "data Number: Int32");
        StringAssert.Contains(error.Message, "vector Vector: 2, EuclideanDistance");
        var missing = sample.Open().GetCollection<string, Thing>("none");
        var absent = await Assert.ThrowsExactlyAsync<VectorStoreException>(() => missing.GetAsync("a"));
        StringAssert.Contains(absent.Message, "'none'");
        Assert.AreEqual(("sqlite", "none", sample.Path), (absent.VectorStoreSystemName, absent.CollectionName, absent.VectorStoreName));
    }

    [TestMethod]
    public async Task BadRecords_AreRefusedByPropertyAndKey_AndNothingIsWritten()
    {
        using var sample = new GallerySample();
        var good = Thing.Create(2, 6);
        var collection = await sample.Fill(good);
        await Refuse(thing => thing.Vector = new float[] { 1, 2 }, "has 2 values", "must have 5");
        await Refuse(thing => thing.Vector = new[] { 1, 2, float.NaN, 4, 5 }, "slot 2", "NaN");
        await Refuse(thing => thing.Vector = new[] { 1, 2, 3, 4, float.NegativeInfinity }, "slot 4", "Infinity");
        await Refuse(thing => thing.Vector = new float[5], "all values are 0");
        await Refuse(thing => thing.Share = double.NaN, "Share", "NaN");
        await Refuse(thing => thing.Word = "a\0b", "Word", "null character");
        await Refuse(thing => thing.Word = "\ud800", "Word", "Unicode");
        await Refuse(thing => thing.Name = null!, "key", "null");
        Assert.HasCount(2, await collection.GetAsync(thing => true, 10).ToListAsync());
        foreach (var bad in new[] { new[] { 1f }, [1, 2, 3, 4, float.NaN], new float[5] })
            await Assert.ThrowsExactlyAsync<ArgumentException>(async () => await collection.SearchAsync(bad, 1).ToListAsync());
        await Assert.ThrowsExactlyAsync<NotSupportedException>(async () => await collection.SearchAsync("text", 1).ToListAsync());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await collection.SearchAsync(good[0].Vector, 0).ToListAsync());

        async Task Refuse(Action<Thing> change, params string[] words)
        {
            var things = Thing.Create(4, 7);
            foreach (var thing in things)
                thing.Name = "new " + thing.Name;
            change(things[2]);
            var error = await Assert.ThrowsExactlyAsync<ArgumentException>(() => collection.UpsertAsync(things));
            foreach (var word in words)
                StringAssert.Contains(error.Message, word);
            if (things[2].Name != null)
                StringAssert.Contains(error.Message, "'new thing 002'");
        }
    }

    [TestMethod]
    public void WhatItCannotStore_IsRefusedAtOnce()
    {
        using var sample = new GallerySample();
        using var store = sample.Open();
        Refuse(typeof(decimal), null, null, "decimal");
        Refuse(typeof(string), DistanceFunction.HammingDistance, null, "HammingDistance");
        Refuse(typeof(string), null, IndexKind.Hnsw, "Hnsw");
        foreach (var options in new SqliteGalleryOptions[] { new(), new() { Path = ":memory:" }, new() { Path = "a", BusyTimeout = TimeSpan.Zero }, new() { Path = "a", NumberOfThreads = 0 }, new() { Path = "a", ModelFingerprint = " " } })
            Assert.Throws<ArgumentException>(() => new SqliteGalleryStore(options));

        void Refuse(Type data, string? distance, string? index, string word)
        {
            var definition = new VectorStoreCollectionDefinition { Properties = [new VectorStoreKeyProperty("Id", typeof(int)), new VectorStoreDataProperty("Data", data), new VectorStoreVectorProperty("Vector", typeof(float[]), 2) { DistanceFunction = distance, IndexKind = index }] };
            var error = Assert.Throws<Exception>(() => store.GetDynamicCollection("x", definition));
            StringAssert.Contains(error.Message, word, StringComparison.OrdinalIgnoreCase);
        }
    }

    [TestMethod]
    public async Task ReadOnlyStore_ReadsOnly()
    {
        using var sample = new GallerySample();
        var things = Thing.Create(3, 8);
        await sample.Fill(things);
        using var store = new SqliteGalleryStore(new SqliteGalleryOptions { Path = sample.Path, IsReadOnly = true });
        var collection = store.GetCollection<string, Thing>("things");
        Assert.AreEqual("thing 001", (await collection.SearchAsync(things[1].Vector, 1).ToListAsync()).Single().Record.Name);
        await Assert.ThrowsExactlyAsync<VectorStoreException>(() => collection.UpsertAsync(things[0]));
        Assert.IsNotNull(collection.GetService(typeof(VectorStoreCollectionMetadata)));
        Assert.AreSame(collection, collection.GetService(typeof(IVectorSearchable<Thing>)));
        store.Dispose();
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => collection.GetAsync("a"));
    }
}
