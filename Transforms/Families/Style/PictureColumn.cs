using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Style;

/// <summary>Columns of pictures in color: images, or vectors of values from 0 to 255, channel after channel.</summary>
internal static class PictureColumn
{
    /// <summary>Checks the type of a column as far as it is known.</summary>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw FeatureRows.Missing(name, schema.Select(other => other.Name));
        if (column.ItemType is not ImageDataViewType && (column.ItemType != NumberDataViewType.Single || column.Kind != SchemaShape.Column.VectorKind.Vector || column.IsKey))
            throw new ArgumentException($"Column '{name}' has type {column.GetTypeString()}; it must be an image (MLImage), as LoadImages and ConvertToImage make it, or Vector<Single> of known size.{ColumnAdvice.ForFeatures(column)}", nameof(schema));
    }

    /// <summary>The size of the pictures of a column.</summary>
    /// <param name="column">The column.</param>
    /// <param name="given">The size of vectors whose type does not say it; null if unknown.</param>
    /// <exception cref="ArgumentException">The size is not known, or the pictures are not in color; the message names the column.</exception>
    public static ImageShape ShapeOf(DataViewSchema.Column column, ImageShape? given)
    {
        var shape = ImageShape.Of(column, given);
        return shape is { Channels: ImageReader.ColorChannels, Layout: PixelLayout.Planar }
            ? shape
            : throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has pictures of {shape} ({shape.Layout}); they must have {ImageReader.ColorChannels} channels, one after the other (ExtractPixels without interleavePixelColors)."));
    }

    /// <summary>Finds a column of pictures that a trained network is to paint.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="name">The column.</param>
    /// <param name="trained">The size of the pictures in the training, which vectors without a size of their own must have.</param>
    /// <returns>The column, and the size of its pictures if they are vectors; null for images, each of which has its own.</returns>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public static (DataViewSchema.Column Column, ImageShape? Shape) Find(DataViewSchema schema, string name, ImageShape trained)
    {
        Check(SchemaShape.Create(schema), name);
        var column = FeatureRows.Find(schema, name);
        if (column.Type is ImageDataViewType)
            return (column, null);
        var width = FeatureReader.WidthOf(column);
        if (((VectorDataViewType)column.Type).Dimensions.Length == ImageReader.ColorChannels)
            return (column, ShapeOf(column, null));
        return width == trained.Count
            ? (column, trained)
            : throw new ArgumentException(FormattableString.Invariant($"Column '{name}' has {width} values ({column.Type}); the model was trained on {trained.Count} values. Pictures of other sizes must be images (MLImage), or vectors with the dimensions {ImageReader.ColorChannels} x height x width."), nameof(schema));
    }
}
