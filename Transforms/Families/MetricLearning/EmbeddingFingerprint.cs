using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Tells networks of embeddings apart; columns of embeddings carry it, so that nobody compares what cannot be compared.</summary>
internal static class EmbeddingFingerprint
{
    public const string Kind = "MLExtensions.EmbeddingFingerprint";

    /// <summary>The SHA-256 of a network's weights and their names.</summary>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public static string Of(NetworkModelParameters model)
    {
        using var lease = model.Lease();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in model.WeightShapes.Keys.Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(MemoryMarshal.AsBytes<float>(model.GetWeights(name)));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The annotation of a column of embeddings; the fingerprint is computed when somebody asks.</summary>
    public static DataViewSchema.Annotations Annotate(Func<string> fingerprint)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        ValueGetter<ReadOnlyMemory<char>> getter = (ref ReadOnlyMemory<char> value) => value = fingerprint().AsMemory();
        builder.Add(Kind, TextDataViewType.Instance, getter);
        return builder.ToAnnotations();
    }

    /// <summary>The fingerprint of the network that a column comes from; null if it is not known.</summary>
    public static string? Of(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Kind) is not { Type: TextDataViewType } found)
            return null;
        var value = default(ReadOnlyMemory<char>);
        column.Annotations.GetGetter<ReadOnlyMemory<char>>(found)(ref value);
        return value.ToString();
    }

    /// <summary>Refuses a column that comes from another network; one of unknown origin is accepted.</summary>
    /// <param name="column">The column.</param>
    /// <param name="expected">The fingerprint of the right network; null if it is not known.</param>
    /// <param name="owner">What belongs to that network, such as "the gallery".</param>
    /// <exception cref="ArgumentException">It comes from another network.</exception>
    public static void Check(DataViewSchema.Column column, string? expected, string owner)
    {
        if (expected != null && Of(column) is { } found && found != expected)
            throw new ArgumentException($"Column '{column.Name}' has embeddings of another network (fingerprint {Short(found)}) than {owner} ({Short(expected)}); embeddings of different networks cannot be compared. Use the model of {owner}, or make {owner} anew with this one.");
    }

    private static string Short(string fingerprint) => fingerprint.Length > 12 ? fingerprint[..12] + "..." : fingerprint;
}
