using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>Regression: squared error of the standardized label.</summary>
internal sealed class RegressionTask : SupervisedTask<RegressionNetworkTransformer>
{
    public override PredictionKind Kind => PredictionKind.Regression;

    public override string LabelDescription => "Single";

    public override SchemaShape.Column LabelColumn(string name) => TrainerUtils.MakeR4ScalarColumn(name);

    public override int ClassCount(DataViewSchema.Column label) => 0;

    /// <summary>Weights that were learned with another standardization keep it.</summary>
    public override ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial) =>
        initial as RegressionHead ?? new RegressionHead(labels.Mean, labels.StandardDeviation);

    public override LabelScale CreateScale(LabelSummary labels, ScoreHead head, ClassWeights? classWeights, bool hasExampleWeights)
    {
        var regression = (RegressionHead)head;
        return new LabelScale(regression.Mean, regression.StandardDeviation, null, labels.RowCount / labels.WeightSum, hasExampleWeights);
    }

    public override Tensor Loss(Tensor outputs, Tensor labels, Tensor? weights)
    {
        var predictions = outputs.view(-1);
        return weights is null
            ? nn.functional.mse_loss(predictions, labels)
            : WeightedMean(nn.functional.mse_loss(predictions, labels, nn.Reduction.None), weights);
    }

    public override void Measure(ReadOnlySpan<float> outputs, ReadOnlySpan<float> labels, ScoreHead head, MetricSums metrics)
    {
        double squares = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            double error = outputs[row] - labels[row];
            squares += error * error;
        }
        var scale = ((RegressionHead)head).StandardDeviation;
        metrics.Add("rmse", squares * scale * scale, MetricMean.RootOfSquares);
    }

    public override SchemaShape.Column[] OutputColumns(SchemaShape input, string labelColumnName) =>
        [ScalarColumn(DefaultColumnNames.Score, NumberDataViewType.Single)];

    public override RegressionNetworkTransformer CreateTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string labelColumnName) =>
        new(env, model, trainSchema, featureColumnName, labelColumnName);
}
