using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Heads;

namespace MLExtensions.Scoring;

/// <summary>Maps the feature column to a head's output columns: whole blocks behind a look-ahead cursor, else row by row.</summary>
internal sealed class NetworkRowMapper(NetworkModelParameters model, ScoreHead head, RoleMappedSchema schema) : ISchemaBoundRowMapper
{
    private readonly DataViewSchema.Column _featureColumn = schema.Feature!.Value;

    public RoleMappedSchema InputRoleMappedSchema => schema;

    public DataViewSchema InputSchema => schema.Schema;

    public DataViewSchema OutputSchema { get; } = head.CreateOutputSchema();

    public ISchemaBindableMapper Bindable => model;

    public IEnumerable<KeyValuePair<RoleMappedSchema.ColumnRole, string>> GetInputColumnRoles() =>
        [RoleMappedSchema.ColumnRole.Feature.Bind(_featureColumn.Name)];

    public IEnumerable<DataViewSchema.Column> GetDependenciesForNewColumns(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        dependingColumns.Any() ? [_featureColumn] : [];

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        var getters = new Delegate[OutputSchema.Count];
        var active = activeColumns.Select(column => column.Index).ToArray();
        if (active.Length == 0)
            return new SimpleRow(OutputSchema, input, getters);
        var scores = ScoreSource.Create(input, _featureColumn, model);
        foreach (var index in active)
            getters[index] = head.CreateGetter(index, scores);
        return new SimpleRow(OutputSchema, input, getters, scores.Dispose);
    }
}
