using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>The entries of a style transfer in a model: style.json and style.safetensors.</summary>
internal static class StyleTransferStorage
{
    private const int MaximumBytes = 1 << 20;
    private const string SettingsEntry = "style.json";
    private const string PicturesEntry = "style.safetensors";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static void Save(ModelSaveContext ctx, StyleTransferEstimator.Options options, int seed, StylePictures style)
    {
        var settings = JsonSerializer.SerializeToUtf8Bytes(new Settings(options, seed, style.Shares), Json);
        ctx.SaveBinaryStream(SettingsEntry, writer => writer.Write(settings));
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        var pictures = style.Pictures.Select((picture, i) => KeyValuePair.Create(NameOf(i), tensor(picture.Colors, [3, picture.Height, picture.Width], ScalarType.Byte, CPU))).ToArray();
        ctx.SaveBinaryStream(PicturesEntry, writer => SafeTensorsWriter.Write(writer.BaseStream, pictures));
    }

    /// <exception cref="ModelFormatException">An entry is missing or damaged; the message names it.</exception>
    public static (StyleTransferEstimator.Options Options, int Seed, StylePictures Style) Load(ModelLoadContext ctx)
    {
        var settings = ReadSettings(ModelEntry.Read(ctx, SettingsEntry, MaximumBytes));
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        var tensors = ModelEntry.Read(ctx, PicturesEntry, stream => SafeTensorsReader.Open(stream, PicturesEntry, requireChecksum: true).ReadAll());
        var pictures = settings.Shares.Select((_, i) => PictureIn(tensors, NameOf(i))).ToArray();
        return (settings.Options, settings.Seed, new StylePictures(pictures, settings.Shares));
    }

    private static string NameOf(int index) => FormattableString.Invariant($"style.{index}");

    private static StylePicture PictureIn(Dictionary<string, Tensor> tensors, string name) =>
        tensors.TryGetValue(name, out var picture) && picture is { dtype: ScalarType.Byte } && picture.shape is [3, > 0, > 0]
            ? new StylePicture((int)picture.shape[1], (int)picture.shape[2], picture.bytes.ToArray())
            : throw new ModelFormatException(PicturesEntry, $"lacks tensor '{name}', a style picture of bytes [3, height, width]");

    private static Settings ReadSettings(byte[] json)
    {
        try
        {
            var settings = JsonSerializer.Deserialize<Settings>(json, Json) ?? throw new FormatException("it is null.");
            settings.Options.CheckSaved();
            if (settings.Shares.Count == 0)
                throw new FormatException("it has no style pictures.");
            return settings;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or FormatException or ArgumentException)
        {
            throw new ModelFormatException(SettingsEntry, "does not describe a style transfer: " + e.Message, e);
        }
    }

    private sealed record Settings(StyleTransferEstimator.Options Options, int Seed, IReadOnlyList<double> Shares);
}
