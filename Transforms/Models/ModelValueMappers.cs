using MLExtensions.Families.Forecasting;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML;

namespace MLExtensions.Models;

/// <summary>
/// Maps the feature column to the output columns of a head: whole blocks after a look-ahead cursor, otherwise row by row.
/// </summary>
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

/// <summary>ML.NET's older interface for the scores of one row, which PairwiseCoupling and similar trainers still use.</summary>
internal static class ModelValueMappers
{
    public static ValueMapper<TSrc, TDst> Create<TSrc, TDst>(NetworkModelParameters model)
    {
        Delegate mapper = model.Scores.ScoreType is VectorDataViewType ? Vector(model) : Scalar(model);
        return mapper as ValueMapper<TSrc, TDst>
            ?? throw new InvalidOperationException($"The model maps vectors of Single to {model.Scores.ScoreType}, not {typeof(TSrc)} to {typeof(TDst)}.");
    }

    public static ValueMapper<TSrc, TDst, TDist> CreateWithProbability<TSrc, TDst, TDist>(NetworkModelParameters model)
    {
        if (model.Head is not BinaryHead)
            throw new InvalidOperationException("Only a binary classifier has a probability besides its score.");
        var score = Scalar(model);
        ValueMapper<VBuffer<float>, float, float> mapper = (in VBuffer<float> features, ref float destination, ref float probability) =>
        {
            score(in features, ref destination);
            probability = BinaryHead.Probability(destination);
        };
        return (ValueMapper<TSrc, TDst, TDist>)(Delegate)mapper;
    }

    private static ValueMapper<VBuffer<float>, float> Scalar(NetworkModelParameters model)
    {
        var scores = new float[1];
        return (in VBuffer<float> features, ref float destination) =>
        {
            Score(model, in features, scores);
            destination = scores[0];
        };
    }

    private static ValueMapper<VBuffer<float>, VBuffer<float>> Vector(NetworkModelParameters model) =>
        (in VBuffer<float> features, ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, model.Scores.OutputCount);
            Score(model, in features, editor.Values);
            destination = editor.Commit();
        };

    private static void Score(NetworkModelParameters model, in VBuffer<float> features, Span<float> scores)
    {
        using var block = FeatureBlock.ForScoring(1, model.Format.Width);
        var outputs = GC.AllocateArray<float>(scores.Length, pinned: true);
        using var scoring = ((IBlockScorer)model).Open(block, outputs);
        model.Format.Arrange(in features, block.Row(0));
        scoring.Score(1);
        outputs.CopyTo(scores);
    }
}
