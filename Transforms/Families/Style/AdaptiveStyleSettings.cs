using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>Reads the strength of a row.</summary>
internal sealed class StrengthReader(DataViewRow row, DataViewSchema.Column column)
{
    private readonly ValueGetter<float> _getter = row.GetGetter<float>(column);

    /// <exception cref="FormatException">The value is not between 0 and 1; the message names column and row.</exception>
    public float Read()
    {
        float value = 0;
        _getter(ref value);
        return value is >= 0 and <= 1
            ? value
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{column.Name}', {RowName.Of(row.Position)}: the strength is {value}; it must be between 0 and 1."));
    }

    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        var column = FeatureRows.Find(schema, name);
        return column.Type == NumberDataViewType.Single ? column : throw NoNumber(name, column.Type.ToString()!);
    }

    /// <summary>Checks that a schema has a column of strengths.</summary>
    /// <exception cref="ArgumentException">It is missing or of another type.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw FeatureRows.Missing(name, schema.Select(other => other.Name));
        if (column.ItemType != NumberDataViewType.Single || column.Kind != SchemaShape.Column.VectorKind.Scalar)
            throw NoNumber(name, column.GetTypeString());
    }

    private static ArgumentException NoNumber(string name, string type) => new($"Column '{name}' has type {type}; a strength must be a Single from 0 to 1.", "schema");
}

/// <summary>The columns of the transformer.</summary>
/// <param name="Output">The column to add.</param>
/// <param name="Input">The column of the content pictures.</param>
/// <param name="Style">The column of the style pictures.</param>
/// <param name="Strength">The column of the strengths, or null.</param>
/// <param name="InputShape">The size of content vectors that have no dimensions.</param>
/// <param name="StyleShape">The size of style vectors that have no dimensions.</param>
internal sealed record AdaptiveStyleColumns(string Output, string Input, string Style, string? Strength, ImageShape InputShape, ImageShape StyleShape);

/// <summary>What the transformer needs besides its networks.</summary>
/// <param name="Columns">The columns.</param>
/// <param name="Strength">The strength if there is no column.</param>
/// <param name="PreserveColors">Whether only the luminance changes.</param>
/// <param name="EncoderLayer">The full name of the layer whose statistics are exchanged.</param>
internal sealed record AdaptiveStyleSettings(AdaptiveStyleColumns Columns, float Strength, bool PreserveColors, string EncoderLayer)
{
    public void Save(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(Columns.Output);
        ctx.SaveNonEmptyString(Columns.Input);
        ctx.SaveNonEmptyString(Columns.Style);
        ctx.SaveStringOrNull(Columns.Strength);
        foreach (var shape in new[] { Columns.InputShape, Columns.StyleShape })
        {
            ctx.Writer.Write(shape.Height);
            ctx.Writer.Write(shape.Width);
        }
        ctx.Writer.Write(Strength);
        ctx.Writer.Write(PreserveColors);
        ctx.SaveNonEmptyString(EncoderLayer);
    }

    /// <exception cref="ModelFormatException">A number is out of range.</exception>
    public static AdaptiveStyleSettings Load(ModelLoadContext ctx)
    {
        var (output, input, style) = (ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        var column = ctx.LoadStringOrNull();
        var (inputShape, styleShape) = (LoadShape(ctx), LoadShape(ctx));
        var strength = ctx.Reader.ReadSingle();
        if (strength is not (>= 0 and <= 1))
            throw new ModelFormatException("Model.key", string.Create(CultureInfo.InvariantCulture, $"does not describe a style transfer: strength {strength}"));
        return new AdaptiveStyleSettings(new AdaptiveStyleColumns(output, input, style, column, inputShape, styleShape), strength, ctx.Reader.ReadByte() != 0, ctx.LoadNonEmptyString());
    }

    private static ImageShape LoadShape(ModelLoadContext ctx)
    {
        var shape = new ImageShape(ImageReader.ColorChannels, ctx.Reader.ReadInt32(), ctx.Reader.ReadInt32());
        return shape is { Height: >= 1, Width: >= 1, Count: <= int.MaxValue }
            ? shape
            : throw new ModelFormatException("Model.key", FormattableString.Invariant($"does not describe a style transfer: pictures of {shape.Height} x {shape.Width}"));
    }
}

/// <summary>The weights of a decoder, to continue its training with the same encoder.</summary>
internal sealed class AdaptiveStyleWeights(NetworkModelParameters encoder, NetworkModelParameters decoder) : IInitialWeights
{
    public NetworkArchitecture Architecture => decoder.Architecture;

    public NetworkModelParameters Encoder => encoder;

    public PredictionHead? Head => null;

    public bool LacksOutput => false;

    public NetworkLease Lease() => NetworkLease.Of([decoder, encoder]);

    public IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture) => ((IInitialWeights)decoder).WeightsFor(architecture);
}
