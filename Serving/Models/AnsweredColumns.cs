using MLExtensions.Messages;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Models;

/// <summary>Finds which columns a model answers if nobody says, and which ones it needs for them.</summary>
internal static class AnsweredColumns
{
    private const string ScoreAnnotation = "ScoreColumnSetId";

    /// <summary>The columns that no later step reads, of the last step that scores and those behind it; of all steps if none scores.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public static IReadOnlyList<string> Of(ITransformer model, DataViewSchema schema)
    {
        var added = new List<(string Name, int Step)>();
        var scoring = 0;
        var current = schema;
        foreach (var (step, transformer) in NetworkExtensions.Steps(model).Index())
        {
            var mapper = transformer.GetRowToRowMapper(current);
            var next = mapper.OutputSchema;
            var columns = next.Where(column => !column.IsHidden && IsNew(column, current, next)).ToArray();
            var read = mapper.GetDependencies(columns).Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
            var names = columns.Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
            added.RemoveAll(column => read.Contains(column.Name) || names.Contains(column.Name) || next.GetColumnOrNull(column.Name) == null);
            added.AddRange(names.Select(name => (name, step)));
            if (columns.Any(column => column.Annotations.Schema.GetColumnOrNull(ScoreAnnotation) != null))
                scoring = step + 1;
            current = next;
        }
        var found = added.Where(column => scoring > 0 ? column.Step >= scoring - 1 : schema.GetColumnOrNull(column.Name) == null).Select(column => column.Name).ToArray();
        if (found.Length == 0)
            found = [.. added.Select(column => column.Name)];
        return found.Length > 0 ? found : throw new InvalidOperationException($"The model adds no column that could be answered. Name some in {nameof(BatchedPredictorOptions.OutputColumns)}; it has {NameList.Of([.. current.Select(column => column.Name).Distinct()])}.");
    }

    /// <summary>The columns of the model's schema that some of its output columns depend on.</summary>
    /// <exception cref="ArgumentException">There is no such output column.</exception>
    public static IReadOnlyList<DataViewSchema.Column> NeededFor(IReadOnlyList<string> outputs, ITransformer model, DataViewSchema schema)
    {
        var mapper = model.GetRowToRowMapper(schema);
        var columns = outputs.Select(name => mapper.OutputSchema.GetColumnOrNull(name)
            ?? throw new ArgumentException($"{nameof(BatchedPredictorOptions.OutputColumns)} names '{name}'; the model has no such column.{NearestName.Suggest(name, mapper.OutputSchema.Select(column => column.Name))} It has {NameList.Of([.. mapper.OutputSchema.Select(column => column.Name).Distinct()])}."));
        return [.. mapper.GetDependencies(columns.ToArray()).DistinctBy(column => column.Index).Select(column => schema[column.Index]).OrderBy(column => column.Index)];
    }

    private static bool IsNew(DataViewSchema.Column column, DataViewSchema before, DataViewSchema after) =>
        before.GetColumnOrNull(column.Name) == null || after.Any(other => other.IsHidden && other.Name == column.Name && other.Index < before.Count && !before[other.Index].IsHidden);
}
