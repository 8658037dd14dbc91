using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Supervised;

/// <summary>Finds the columns of a trainer in a schema and checks their types.</summary>
internal sealed class ColumnCheck(SupervisedTrainerOptions options, SupervisedTask task, string featureName, SchemaShape.Column label, string? weightName)
{
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public void Check(SchemaShape schema)
    {
        var features = Find(schema, featureName, "Feature");
        if (!options.TakesFeatures(features))
            throw Wrong("Feature", features, options.FeatureDescription, options.AdviseFeatures(features));
        var labels = Find(schema, label.Name, "Label");
        if (labels.Kind != SchemaShape.Column.VectorKind.Scalar || labels.IsKey != label.IsKey || (!label.IsKey && labels.ItemType != label.ItemType))
            throw Wrong("Label", labels, task.LabelDescription, task.AdviseLabel(labels));
        if (weightName == null)
            return;
        var weights = Find(schema, weightName, "Example weight");
        if (weights.Kind != SchemaShape.Column.VectorKind.Scalar || weights.ItemType != NumberDataViewType.Single)
            throw Wrong("Example weight", weights, "Single", ColumnAdvice.ForNumber(weights, " Each row has one weight."));
    }

    /// <summary>The feature column of data that was checked.</summary>
    public DataViewSchema.Column FindFeatures(IDataView data) => data.Schema[featureName];

    /// <summary>The number of network outputs that the data needs.</summary>
    public int OutputCount(IDataView data) => task.OutputCount(data.Schema[label.Name]);

    /// <summary>The names of the classes; null for a task without them, or for keys without names.</summary>
    public IReadOnlyList<string>? ClassNames(IDataView data) => KeyNames.Of(data.Schema[label.Name]);

    /// <summary>The columns of data that was checked.</summary>
    public TrainingColumns Find(IDataView data, FeatureFormat format)
    {
        var labelColumn = data.Schema[label.Name];
        return new TrainingColumns(
            FindFeatures(data),
            format,
            labelColumn,
            weightName == null ? null : data.Schema[weightName],
            task.ClassCount(labelColumn));
    }

    private static SchemaShape.Column Find(SchemaShape schema, string name, string role)
    {
        if (schema.TryFindColumn(name, out var column))
            return column;
        throw new ArgumentException($"{role} column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.");
    }

    private static ArgumentException Wrong(string role, SchemaShape.Column column, string expected, string advice) =>
        new($"{role} column '{column.Name}' has type {column.GetTypeString()}; it must be {expected}.{advice}");
}
