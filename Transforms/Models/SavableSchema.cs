using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tensors;

namespace MLExtensions.Models;

/// <summary>
/// The training schema that a transformer keeps and saves. ML.NET's files cannot hold columns of images, and drop them: a feature
/// column of images is kept as the vector that the network sees.
/// </summary>
internal static class SavableSchema
{
    public static DataViewSchema Of(DataViewSchema schema, string featureColumnName, int width)
    {
        if (schema.GetColumnOrNull(featureColumnName) is not { Type: ImageDataViewType image } feature)
            return schema;
        var channels = width / ImageReader.PixelCount(feature);
        var builder = new DataViewSchema.Builder();
        foreach (var column in schema)
        {
            var type = column.Index == feature.Index ? new VectorDataViewType(NumberDataViewType.Single, channels, image.Height, image.Width) : column.Type;
            builder.AddColumn(column.Name, type, column.Annotations);
        }
        return builder.ToSchema();
    }
}
