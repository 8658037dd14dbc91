using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;
using static TorchSharp.torch;

namespace MLExtensions.Heads;

/// <summary>One logit; its sigmoid is the probability of the positive class.</summary>
internal sealed record BinaryHead : ScoreHead
{
    internal override int OutputCount => 1;

    internal override PredictionKind Kind => PredictionKind.BinaryClassification;

    internal override DataViewType ScoreType => NumberDataViewType.Single;

    public override Tensor Activate(Tensor outputs) => outputs;

    public override DataViewSchema CreateOutputSchema() => ScoreSchemaFactory.CreateBinaryClassificationSchema();

    public override Delegate CreateGetter(int column, ScoreSource scores)
    {
        if (column == 0)
            return ScalarGetter(scores);
        ValueGetter<float> probability = (ref float destination) => destination = Probability(scores.Current()[0]);
        return probability;
    }

    public override void Check()
    {
    }

    public static float Probability(float logit) => 1 / (1 + MathF.Exp(-logit));
}
