using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.Extensions.VectorData.ProviderServices;
using MLExtensions.Families.Neighbors;
using MLExtensions.Tensors;

namespace MLExtensions.Galleries;

/// <summary>Vectors of records, and as bytes in SQLite: little-endian floats.</summary>
internal static class GalleryVector
{
    public const string SupportedTypes = "float[], ReadOnlyMemory<float> or Embedding<float>";

    public static bool IsSupported(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(float[]) || type == typeof(ReadOnlyMemory<float>) || type == typeof(Embedding<float>);
    }

    /// <summary>The numbers of a vector; null if it is none.</summary>
    public static ReadOnlyMemory<float>? TryRead(object? value) => value switch
    {
        // Without a type for it, null would be an empty vector.
        float[] array => (ReadOnlyMemory<float>?)array,
        ReadOnlyMemory<float> memory => memory,
        Memory<float> memory => memory,
        Embedding<float> embedding => embedding.Vector,
        _ => default(ReadOnlyMemory<float>?),
    };

    /// <summary>Reads a vector and checks it.</summary>
    /// <param name="property">The vectors that it belongs to.</param>
    /// <param name="value">The vector.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <exception cref="ArgumentException">It is missing or of another type or length, not finite, or zero with a cosine.</exception>
    public static ReadOnlyMemory<float> Read(VectorPropertyModel property, object? value, string what)
    {
        if (TryRead(value) is not { } vector)
            throw new ArgumentException($"{what} is {(value == null ? "null" : "a " + value.GetType().Name)}; it must be {SupportedTypes}.");
        if (vector.Length != property.Dimensions)
            throw new ArgumentException(FormattableString.Invariant($"{what} has {vector.Length} values; it must have {property.Dimensions}, as property '{property.ModelName}' says."));
        var bad = FiniteCheck.FirstNonFinite(vector.Span);
        if (bad >= 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what}, slot {bad}: the value is {vector.Span[bad]}; vectors must be finite."));
        if (VectorIndex.ProblemOf(GalleryScore.Of(property).Distance, vector.Span) is { } problem)
            throw new ArgumentException($"{what}: {problem}.");
        return vector;
    }

    public static byte[] ToBytes(ReadOnlyMemory<float> vector)
    {
        var bytes = MemoryMarshal.AsBytes(vector.Span).ToArray();
        if (!BitConverter.IsLittleEndian)
            ReverseEach(bytes);
        return bytes;
    }

    public static float[] FromBytes(byte[] bytes)
    {
        if (!BitConverter.IsLittleEndian)
            ReverseEach(bytes);
        return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
    }

    public static object ToProperty(Type type, float[] vector)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(float[]))
            return vector;
        return type == typeof(Embedding<float>) ? new Embedding<float>(vector) : new ReadOnlyMemory<float>(vector);
    }

    private static void ReverseEach(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += sizeof(float))
            Array.Reverse(bytes, at, sizeof(float));
    }
}

/// <summary>How a distance becomes the score of a distance function.</summary>
/// <param name="Distance">What is searched by.</param>
/// <param name="IsSimilarity">Whether larger scores are nearer.</param>
/// <param name="Convert">The score of a distance.</param>
internal sealed record GalleryScore(VectorDistance Distance, bool IsSimilarity, Func<double, double> Convert)
{
    /// <exception cref="NotSupportedException">The distance function is not supported.</exception>
    public static GalleryScore Of(VectorPropertyModel property) => property.DistanceFunction switch
    {
        null or DistanceFunction.CosineDistance => new(VectorDistance.Cosine, false, distance => distance),
        DistanceFunction.CosineSimilarity => new(VectorDistance.Cosine, true, distance => 1 - distance),
        DistanceFunction.EuclideanDistance => new(VectorDistance.Euclidean, false, distance => distance),
        DistanceFunction.EuclideanSquaredDistance => new(VectorDistance.SquaredEuclidean, false, distance => distance),
        DistanceFunction.DotProductSimilarity => new(VectorDistance.DotProduct, true, distance => -distance),
        DistanceFunction.NegativeDotProductSimilarity => new(VectorDistance.DotProduct, false, distance => distance),
        var other => throw new NotSupportedException($"Vector property '{property.ModelName}' asks for '{other}'; a gallery has CosineDistance (the default), CosineSimilarity, EuclideanDistance, EuclideanSquaredDistance, DotProductSimilarity and NegativeDotProductSimilarity."),
    };

    /// <summary>Whether a score is as good as a threshold.</summary>
    public bool Reaches(double score, double? threshold) => threshold is not { } limit || (IsSimilarity ? score >= limit : score <= limit);
}
