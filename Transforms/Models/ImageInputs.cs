using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Models;

/// <summary>Finds the columns of images that a saved model reads: ML.NET leaves them out of the schema that it saves.</summary>
internal static class ImageInputs
{
    /// <summary>Returns a schema with the images that ML.NET's own steps read and that neither it nor a step before them has.</summary>
    public static DataViewSchema AddTo(DataViewSchema schema, ITransformer model)
    {
        var present = schema.Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(schema);
        foreach (var step in NetworkExtensions.Steps(model).OfType<OneToOneTransformerBase>())
        {
            foreach (var (output, input) in step.ColumnPairs)
            {
                if (step is ImageResizingTransformer or ImageGrayscalingTransformer or ImagePixelExtractingTransformer && present.Add(input))
                    builder.AddColumn(input, new ImageDataViewType());
                present.Add(output);
            }
        }
        return builder.ToSchema();
    }
}
