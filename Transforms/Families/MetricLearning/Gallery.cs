using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.ML;
using MLExtensions.Persistence;
using MLExtensions.Tensors;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Embeddings with the names of whom they show; never changed, so that any thread may read it.</summary>
/// <param name="Size">The number of values of an embedding.</param>
/// <param name="Names">The name of each embedding.</param>
/// <param name="Embeddings">The embeddings, in the order of the names.</param>
/// <param name="Fingerprint">The fingerprint of their network; null if it is not known.</param>
internal sealed record Gallery(int Size, ImmutableList<string> Names, ImmutableList<float[]> Embeddings, string? Fingerprint)
{
    private const string Entry = "gallery.json";
    private const int MaximumBytes = 1 << 30;

    public static Gallery Empty(int size) => new(size, [], [], null);

    /// <summary>The people, in the order in which they came.</summary>
    public IReadOnlyList<string> People => Names.Distinct(StringComparer.Ordinal).ToArray();

    /// <exception cref="ArgumentException">The name is empty or the embedding has another size.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public Gallery Add(string name, float[] embedding)
    {
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentException("The name is empty; who is in the gallery needs one.", nameof(name));
        if (embedding.Length != Size)
            throw new ArgumentException(FormattableString.Invariant($"The embedding of '{name}' has {embedding.Length} values; those of the gallery have {Size}."), nameof(embedding));
        CheckFinite(embedding, nameof(embedding));
        return this with { Names = Names.Add(name), Embeddings = Embeddings.Add((float[])embedding.Clone()) };
    }

    public Gallery Remove(string name)
    {
        var kept = Enumerable.Range(0, Names.Count).Where(place => Names[place] != name).ToArray();
        return this with { Names = kept.Select(place => Names[place]).ToImmutableList(), Embeddings = kept.Select(place => Embeddings[place]).ToImmutableList() };
    }

    /// <summary>The nearest people, each by its nearest embedding, nearest first.</summary>
    public (string Name, float Distance)[] Nearest(ReadOnlySpan<float> embedding, int count)
    {
        var best = new Dictionary<string, float>(StringComparer.Ordinal);
        // Enumerators of immutable lists walk; their indexers search.
        using var names = Names.GetEnumerator();
        foreach (var row in Embeddings)
        {
            names.MoveNext();
            var distance = EmbeddingDistance.Squared(row, embedding);
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(best, names.Current, out var exists);
            known = exists ? Math.Min(known, distance) : distance;
        }
        return best.Select(entry => (Name: entry.Key, Distance: entry.Value)).OrderBy(entry => entry.Distance).ThenBy(entry => entry.Name, StringComparer.Ordinal).Take(count).ToArray();
    }

    public void Save(ModelSaveContext ctx) => OptionsEntry.Save(ctx, Entry, new Content(Size, Names.ToArray(), MemoryMarshal.AsBytes<float>(Embeddings.SelectMany(row => row).ToArray()).ToArray(), Fingerprint));

    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static Gallery Load(ModelLoadContext ctx)
    {
        var content = OptionsEntry.Load<Content>(ctx, Entry, "a gallery", Check, MaximumBytes);
        var values = MemoryMarshal.Cast<byte, float>(content.Values).ToArray();
        return new Gallery(content.Size, content.Names.ToImmutableList(), values.Chunk(content.Size).ToImmutableList(), content.Fingerprint);
    }

    /// <summary>Reads names and embeddings; rows without a name are counted and left out.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public static (List<(string Name, float[] Embedding)> Rows, long WithoutName) Read(IDataView data, DataViewSchema.Column column, string labelColumnName)
    {
        var label = ClassColumn.Find(data.Schema, labelColumnName, "Label", "data");
        var size = FeatureReader.WidthOf(column);
        var rows = new List<(string Name, float[] Embedding)>();
        var withoutName = 0L;
        using var cursor = data.GetRowCursor([label.Column, column]);
        var getName = label.Open(cursor);
        var reader = new FeatureReader(cursor, column, size);
        while (cursor.MoveNext())
        {
            if (getName() is not { } name)
            {
                withoutName++;
                continue;
            }
            var embedding = new float[size];
            reader.Read(embedding);
            rows.Add((name, embedding));
        }
        return (rows, withoutName);
    }

    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public static void CheckFinite(float[] embedding, string name)
    {
        var bad = FiniteCheck.FirstNonFinite(embedding);
        if (bad >= 0)
            throw new FormatException(FormattableString.Invariant($"{name}, slot {bad}: the value is {embedding[bad]}; it must be finite."));
    }

    private static void Check(Content content)
    {
        if (content.Size < 1 || content.Values.LongLength != (long)content.Size * content.Names.Length * sizeof(float))
            throw new FormatException(FormattableString.Invariant($"{content.Names.Length} embeddings of {content.Size} values do not have {content.Values.Length} bytes."));
        if (content.Names.Any(string.IsNullOrWhiteSpace) || FiniteCheck.FirstNonFinite(MemoryMarshal.Cast<byte, float>(content.Values)) >= 0)
            throw new FormatException("a name is empty or a value is no number.");
    }

    private sealed record Content(int Size, string[] Names, byte[] Values, string? Fingerprint);
}
