using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace MLExtensions.Tests.Galleries;

/// <summary>A record with one of each.</summary>
internal sealed class Thing
{
    public const int Width = 5;

    [VectorStoreKey]
    public string Name { get; set; } = "";

    [VectorStoreData(IsIndexed = true)]
    public int Number { get; set; }

    [VectorStoreData]
    public long? Large { get; set; }

    [VectorStoreData]
    public bool Flag { get; set; }

    [VectorStoreData]
    public double? Share { get; set; }

    [VectorStoreData]
    public float Value { get; set; }

    [VectorStoreData(StorageName = "The \"word\"")]
    public string? Word { get; set; }

    [VectorStoreData]
    public Guid Id { get; set; }

    [VectorStoreData]
    public DateTimeOffset? Time { get; set; }

    [VectorStoreData]
    public byte[]? Bytes { get; set; }

    [VectorStoreVector(Width)]
    public ReadOnlyMemory<float> Vector { get; set; }

    public static Thing[] Create(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, count).Select(i => new Thing
        {
            Name = FormattableString.Invariant($"thing {i:D3}"),
            Number = random.Next(-3, 4),
            Large = random.Next(3) == 0 ? null : random.Next(-2, 3) * 10_000_000_000,
            Flag = random.Next(2) == 0,
            Share = random.Next(3) == 0 ? null : random.NextDouble(),
            Value = random.NextSingle() - .5f,
            Word = random.Next(3) == 0 ? null : new[] { "apple", "Apple pie", "a%", "_", "", "pie" }[random.Next(6)],
            Id = new Guid(i, 1, 2, new byte[8]),
            Time = random.Next(3) == 0 ? null : new DateTimeOffset(2026, 1, 1 + random.Next(5), 3, 4, 5, TimeSpan.FromHours(2)),
            Bytes = random.Next(3) == 0 ? null : [1, 2, (byte)i],
            Vector = Enumerable.Range(0, Width).Select(_ => random.NextSingle() - .5f).ToArray(),
        }).ToArray();
    }
}

/// <summary>A gallery in a folder that is gone after the test.</summary>
internal sealed class GallerySample : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<SqliteGalleryStore> _stores = [];

    public string Path => _folder.File("gallery.db");

    public SqliteGalleryStore Open(string? fingerprint = null)
    {
        _stores.Add(new SqliteGalleryStore(Path, fingerprint));
        return _stores[^1];
    }

    public async Task<VectorStoreCollection<string, Thing>> Fill(params Thing[] things)
    {
        var collection = Open().GetCollection<string, Thing>("things");
        await collection.EnsureCollectionExistsAsync();
        await collection.UpsertAsync(things);
        return collection;
    }

    public void Dispose()
    {
        foreach (var store in _stores)
            store.Dispose();
        _folder.Dispose();
    }
}

/// <summary>A record of other types.</summary>
internal sealed class Keyed<TKey, TVector>
    where TKey : notnull
{
    [VectorStoreKey]
    public TKey Key { get; set; } = default!;

    [VectorStoreVector(2, DistanceFunction = DistanceFunction.EuclideanDistance)]
    public TVector Vector { get; set; } = default!;

    [VectorStoreVector(1, DistanceFunction = DistanceFunction.DotProductSimilarity)]
    public Embedding<float> Other { get; set; } = new(new float[1]);
}
