using System.Security.Cryptography;
using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.FindLike;

/// <summary>A picture of a folder, by its path in it, and what SqueezeNet sees in it.</summary>
internal sealed class PictureRecord
{
    public const int Dimensions = 512;

    [VectorStoreKey]
    public string Path { get; set; } = "";

    /// <summary>The folder that it is in: what it shows.</summary>
    [VectorStoreData(IsIndexed = true)]
    public string Kind { get; set; } = "";

    [VectorStoreVector(Dimensions, DistanceFunction = DistanceFunction.CosineDistance)]
    public float[] Features { get; set; } = [];
}

/// <summary>The pictures of a folder in a gallery. Only those that are new are looked at.</summary>
internal sealed class PictureGallery : IDisposable
{
    private const string CollectionName = "pictures";
    private const int ShorterSide = 256;
    private const int Side = 224;

    private readonly MLContext _mlContext;
    private readonly string _weights;
    private readonly SqliteGalleryStore _store;

    /// <param name="mlContext">The context.</param>
    /// <param name="path">The file of the gallery.</param>
    /// <param name="weights">The weights of SqueezeNet. Other weights make other vectors, which the gallery then refuses.</param>
    public PictureGallery(MLContext mlContext, string path, string weights)
    {
        (_mlContext, _weights) = (mlContext, weights);
        using var file = File.OpenRead(weights);
        _store = new SqliteGalleryStore(path, modelFingerprint: $"{System.IO.Path.GetFileName(weights)} {Convert.ToHexStringLower(SHA256.HashData(file))[..16]}");
        Pictures = _store.GetCollection<string, PictureRecord>(CollectionName);
    }

    public VectorStoreCollection<string, PictureRecord> Pictures { get; }

    /// <summary>Adds the pictures that are new and removes those that are gone.</summary>
    /// <returns>How many of each.</returns>
    public async Task<(int Added, int Removed)> Update(string folder, IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        await Pictures.EnsureCollectionExistsAsync(cancellationToken);
        var known = await Pictures.GetAsync(picture => true, int.MaxValue, cancellationToken: cancellationToken).Select(picture => picture.Path).ToHashSetAsync(cancellationToken: cancellationToken);
        var added = paths.Where(path => !known.Contains(path)).ToArray();
        var features = Describe(added.Select(path => System.IO.Path.Combine(folder, path)));
        await Pictures.UpsertAsync(added.Zip(features, (path, vector) => new PictureRecord { Path = path, Kind = KindOf(path), Features = vector }), cancellationToken);
        var removed = known.Except(paths).ToArray();
        await Pictures.DeleteAsync(removed, cancellationToken);
        return (added.Length, removed.Length);
    }

    /// <summary>What SqueezeNet sees in pictures.</summary>
    public float[][] Describe(IEnumerable<string> files)
    {
        var data = _mlContext.Data.LoadFromEnumerable(files.Select(file =>
        {
            using var picture = PictureFile.Read(file);
            return new PictureRow { Image = PictureFile.ResizeAndCrop(picture, ShorterSide, Side) };
        }));
        using var model = _mlContext.Transforms.ImageFeatures("Features", nameof(PictureRow.Image), _weights, layer: "features").Fit(data);
        return model.Transform(data).GetColumn<float[]>("Features").ToArray();
    }

    /// <summary>How often the nearest other picture is of the same kind, and the share of the nearest five that are.</summary>
    public async Task<(double Nearest, double FirstFive)> Measure(CancellationToken cancellationToken)
    {
        const int first = 5;
        var pictures = await Pictures.GetAsync(picture => true, int.MaxValue, new() { IncludeVectors = true }, cancellationToken).ToListAsync(cancellationToken);
        var schema = SchemaDefinition.Create(typeof(PictureRecord));
        schema[nameof(PictureRecord.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, PictureRecord.Dimensions);
        var data = _mlContext.Data.LoadFromEnumerable(pictures, schema);
        // A picture is in the gallery itself, so it is its own nearest one.
        var found = _mlContext.Data.FindNeighbors(data, Pictures, picture => picture.Path, numberOfNeighbors: first + 1).GetColumn<string[]>("NeighborNames");
        var same = pictures.Zip(found, (picture, names) => names.Where(name => name != picture.Path).Take(first).Select(name => KindOf(name) == picture.Kind ? 1.0 : 0).ToArray()).ToArray();
        return (same.Average(hits => hits[0]), same.Average(hits => hits.Average()));
    }

    public void Dispose() => _store.Dispose();

    private static string KindOf(string path) => System.IO.Path.GetDirectoryName(path) ?? "";

    private sealed class PictureRow
    {
        [Microsoft.ML.Transforms.Image.ImageType(Side, Side)]
        public MLImage? Image { get; init; }
    }
}
