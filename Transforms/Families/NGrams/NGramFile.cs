using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML;
using MLExtensions.Persistence;

namespace MLExtensions.Families.NGrams;

/// <summary>What a Kneser-Ney model is.</summary>
internal sealed record NGramContent(TextTokenizer Tokenizer, bool PredictsLineEnds, NGramTable Table);

/// <summary>Saves n-grams in a model's .zip: one entry with a checksum, whose lengths are checked before they are believed.</summary>
internal static class NGramFile
{
    private const string Entry = "ngrams.bin";
    private const int FormatVersion = 1;
    private const int MaximumBytes = 1 << 30;
    private const int DiscountCount = 3;
    private const int LargestOrder = 10;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, MaxDepth = 32 };

    /// <exception cref="InvalidOperationException">There are more n-grams than can be loaded.</exception>
    public static void Save(ModelSaveContext ctx, NGramContent content)
    {
        var bytes = ToBytes(content);
        ctx.SaveNonEmptyString(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        ctx.SaveBinaryStream(Entry, entry => entry.Write(bytes));
    }

    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static NGramContent Load(ModelLoadContext ctx)
    {
        var checksum = ctx.LoadNonEmptyString();
        var bytes = ModelEntry.Read(ctx, Entry, MaximumBytes);
        if (checksum != Convert.ToHexStringLower(SHA256.HashData(bytes)))
            throw new ModelFormatException(Entry, "is damaged: its checksum does not match");
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            return Read(reader);
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException or JsonException && e is not ModelFormatException)
        {
            throw new ModelFormatException(Entry, "is no table of n-grams: " + e.Message, e);
        }
    }

    private static byte[] ToBytes(NGramContent content)
    {
        var tokenizer = JsonSerializer.SerializeToUtf8Bytes(content.Tokenizer, Json);
        var numbers = content.Table.Levels.Sum(level => 3L * level.Count);
        if (tokenizer.Length + (sizeof(int) * numbers) is var size && size > MaximumBytes)
            throw new InvalidOperationException(FormattableString.Invariant($"The n-grams take {size} bytes; files of them have at most {MaximumBytes}, so they cannot be saved. Use a lower order or a smaller vocabulary."));
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(FormatVersion);
        writer.Write(tokenizer.Length);
        writer.Write(tokenizer);
        writer.Write(content.PredictsLineEnds);
        writer.Write(content.Table.Order);
        foreach (var level in content.Table.Levels)
        {
            foreach (var discount in level.Discounts)
                writer.Write(discount);
            writer.Write(level.Count);
            foreach (var values in new[] { level.Parents, level.Tokens, level.Counts })
                writer.Write(MemoryMarshal.AsBytes<int>(values));
        }
        writer.Flush();
        return stream.ToArray();
    }

    private static NGramContent Read(BinaryReader reader)
    {
        if (reader.ReadInt32() is var version && version != FormatVersion)
            throw new FormatException(FormattableString.Invariant($"its version is {version}; this library reads {FormatVersion}."));
        var tokenizer = JsonSerializer.Deserialize<TextTokenizer>(reader.ReadBytes(Expect(reader, 1)), Json) ?? throw new FormatException("its tokenizer is null.");
        tokenizer.Check();
        var predictsLineEnds = reader.ReadBoolean();
        var order = reader.ReadInt32();
        if (order is < 1 or > LargestOrder)
            throw new FormatException(FormattableString.Invariant($"its order is {order}."));
        var levels = new NGramLevel[order];
        for (var i = 0; i < order; i++)
            levels[i] = ReadLevel(reader, i == 0 ? 1 : levels[i - 1].Count, tokenizer.VocabularySize);
        return Content(tokenizer, predictsLineEnds, levels);
    }

    /// <summary>The token before texts is one after those of the vocabulary.</summary>
    public static NGramContent Content(TextTokenizer tokenizer, bool predictsLineEnds, NGramLevel[] levels) =>
        new(tokenizer, predictsLineEnds, new NGramTable(levels, tokenizer.VocabularySize - (predictsLineEnds ? 0 : 1), tokenizer.VocabularySize));

    private static NGramLevel ReadLevel(BinaryReader reader, int parentCount, int vocabulary)
    {
        var discounts = new double[DiscountCount];
        for (var i = 0; i < discounts.Length; i++)
            discounts[i] = reader.ReadDouble();
        if (!discounts.All(discount => discount is >= 0 and <= DiscountCount))
            throw new FormatException("a discount is negative or too large.");
        var count = Expect(reader, 3 * sizeof(int));
        var (parents, tokens, counts) = (ReadNumbers(reader, count), ReadNumbers(reader, count), ReadNumbers(reader, count));
        if (parents.Any(parent => (uint)parent >= (uint)parentCount) || tokens.Any(token => (uint)token > (uint)vocabulary) || counts.Any(each => each < 0))
            throw new FormatException("an n-gram has a history, a token or a count that cannot be.");
        return new NGramLevel(parents, tokens, counts, discounts);
    }

    private static int[] ReadNumbers(BinaryReader reader, int count)
    {
        var numbers = new int[count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }

    private static int Expect(BinaryReader reader, int bytes) => reader.ReadInt32() is var count && count >= 0 && (long)count * bytes <= reader.BaseStream.Length - reader.BaseStream.Position
        ? count
        : throw new FormatException(FormattableString.Invariant($"{count} values are to follow, but the entry ends."));
}
