using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;
using static TorchSharp.torch;

namespace MLExtensions.Heads;

/// <summary>The network's outputs as they are: features for another model.</summary>
internal sealed record FeaturesHead(int Size) : PredictionHead
{
    internal override int OutputCount => Size;

    internal override PredictionKind Kind => PredictionKind.Custom;

    internal override DataViewType ScoreType => new VectorDataViewType(NumberDataViewType.Single, Size);

    public override Tensor Activate(Tensor outputs) => outputs;

    public override DataViewSchema CreateOutputSchema()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(DefaultColumnNames.Score, ScoreType);
        return builder.ToSchema();
    }

    public override Delegate CreateGetter(int column, ScoreSource scores) => VectorGetter(scores);

    public override void Check()
    {
        if (Size < 1)
            throw new FormatException($"size is {Size}; it must be at least 1.");
    }
}
