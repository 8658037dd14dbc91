using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using MLExtensions.Persistence;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Neighbors;

/// <summary>What a search for neighbors consists of.</summary>
/// <param name="Settings">The options.</param>
/// <param name="Index">The vectors.</param>
/// <param name="Labels">Their labels; null if they have none.</param>
internal sealed record NeighborContent(NeighborSettings Settings, VectorIndex Index, NeighborLabels? Labels)
{
    private const string SettingsEntry = "neighbors.json";
    private const string VectorsEntry = "vectors.bin";
    private const int LargestWidth = 1 << 24;

    public void Save(ModelSaveContext ctx)
    {
        var checksum = "";
        ctx.SaveBinaryStream(VectorsEntry, writer =>
        {
            using var sha = SHA256.Create();
            using (var hashing = new CryptoStream(writer.BaseStream, sha, CryptoStreamMode.Write, leaveOpen: true))
            using (var inner = new BinaryWriter(hashing))
            {
                for (var row = 0L; row < Index.Count; row++)
                    inner.Write(MemoryMarshal.AsBytes(Index.Row(row)));
                Labels?.Write(inner);
            }
            checksum = Convert.ToHexStringLower(sha.Hash!);
        });
        OptionsEntry.Save(ctx, SettingsEntry, new Header(Settings, Index.Distance, Index.Width, Index.Count, Labels?.Kind, Labels?.KeyCount ?? 0, Labels?.Names, checksum));
    }

    /// <exception cref="ModelFormatException">An entry is missing or damaged; the message names it.</exception>
    public static NeighborContent Load(ModelLoadContext ctx)
    {
        var header = OptionsEntry.Load<Header>(ctx, SettingsEntry, "a search for neighbors", header => header.Check());
        return ModelEntry.Read(ctx, VectorsEntry, stream =>
        {
            using var sha = SHA256.Create();
            using var hashing = new CryptoStream(stream, sha, CryptoStreamMode.Read, leaveOpen: true);
            try
            {
                var content = Read(header, hashing);
                if (hashing.ReadByte() >= 0 || Convert.ToHexStringLower(sha.Hash!) != header.Checksum)
                    throw new ModelFormatException(VectorsEntry, "is damaged: its checksum does not match");
                return content;
            }
            catch (Exception e) when (e is IOException or FormatException && e is not ModelFormatException)
            {
                throw new ModelFormatException(VectorsEntry, "does not contain the vectors: " + e.Message, e);
            }
        });
    }

    private static NeighborContent Read(Header header, Stream stream)
    {
        var index = new VectorIndex(header.Distance, header.Width);
        var vector = new float[header.Width];
        for (var row = 0L; row < header.Count; row++)
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(vector.AsSpan()));
            if (FiniteCheck.FirstNonFinite(vector) >= 0 || VectorIndex.ProblemOf(header.Distance, vector) != null)
                throw new FormatException(FormattableString.Invariant($"vector {row} cannot be compared."));
            index.Add(vector);
        }
        if (header.Labels is not { } kind)
            return new NeighborContent(header.Settings, index, null);
        var labels = NeighborLabels.Create(kind, header.KeyCount, header.KeyNames);
        // The reader would dispose of the stream.
        labels.Load(new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true), header.Count);
        return new NeighborContent(header.Settings, index, labels);
    }

    private sealed record Header(NeighborSettings Settings, VectorDistance Distance, int Width, long Count, NeighborLabelKind? Labels, long KeyCount, IReadOnlyList<string>? KeyNames, string Checksum)
    {
        public void Check()
        {
            if (Settings == null || !Enum.IsDefined(Distance) || Width is < 1 or > LargestWidth || Count < 1 || (Labels is { } kind && !Enum.IsDefined(kind)))
                throw new FormatException("something is missing or out of range.");
            if (string.IsNullOrEmpty(Settings.FeatureColumnName) || Settings.OutputColumnPrefix == null || Settings.NumberOfNeighbors < 1 || Settings.NumberOfNeighbors > Count || Settings.NumberOfThreads < 1)
                throw new FormatException("a setting is out of range.");
            if (Labels == NeighborLabelKind.Key && (KeyCount is < 1 or > uint.MaxValue || (KeyNames != null && KeyNames.Count != KeyCount)))
                throw new FormatException("the keys of the labels do not fit together.");
        }
    }
}

/// <summary>The options of a search for neighbors.</summary>
/// <param name="FeatureColumnName">The column of the vectors.</param>
/// <param name="OutputColumnPrefix">What the names of the added columns begin with.</param>
/// <param name="NumberOfNeighbors">How many are found.</param>
/// <param name="NumberOfThreads">The largest number of threads; null for one a core.</param>
internal sealed record NeighborSettings(string FeatureColumnName, string OutputColumnPrefix, int NumberOfNeighbors, int? NumberOfThreads);
