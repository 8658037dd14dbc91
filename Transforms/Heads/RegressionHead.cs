using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;
using static TorchSharp.torch;

namespace MLExtensions.Heads;

/// <summary>
/// One output that was trained on the standardised target; the score is on the target's own scale.
/// </summary>
/// <param name="Mean">The mean of the training targets.</param>
/// <param name="StandardDeviation">The standard deviation of the training targets; 1 where they were all the same.</param>
internal sealed record RegressionHead(double Mean, double StandardDeviation) : ScoreHead
{
    internal override int OutputCount => 1;

    internal override PredictionKind Kind => PredictionKind.Regression;

    internal override DataViewType ScoreType => NumberDataViewType.Single;

    public override Tensor Activate(Tensor outputs) => outputs * StandardDeviation + Mean;

    public override DataViewSchema CreateOutputSchema() =>
        ScoreSchemaFactory.Create(ScoreType, AnnotationUtils.Const.ScoreColumnKind.Regression);

    public override Delegate CreateGetter(int column, ScoreSource scores) => ScalarGetter(scores);

    public override void Check()
    {
        if (!double.IsFinite(Mean) || !double.IsFinite(StandardDeviation) || StandardDeviation <= 0)
            throw new FormatException($"mean {Mean} and standardDeviation {StandardDeviation} must be finite, the latter positive.");
    }
}
