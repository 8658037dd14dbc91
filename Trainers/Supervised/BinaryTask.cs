using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>Binary classification: one logit and the cross entropy of its sigmoid.</summary>
internal sealed class BinaryTask : SupervisedTask<BinaryNetworkTransformer>
{
    public override PredictionKind Kind => PredictionKind.BinaryClassification;

    public override string LabelDescription => "Boolean";

    public override SchemaShape.Column LabelColumn(string name) => TrainerUtils.MakeBoolScalarLabel(name);

    public override int ClassCount(DataViewSchema.Column label) => 2;

    public override ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial) => new BinaryHead();

    public override LabelScale CreateScale(LabelSummary labels, ScoreHead head, ClassWeights? classWeights, bool hasExampleWeights) =>
        ClassScale(labels, classWeights, hasExampleWeights);

    public override Tensor Loss(Tensor outputs, Tensor labels, Tensor? weights)
    {
        var logits = outputs.view(-1);
        return weights is null
            ? nn.functional.binary_cross_entropy_with_logits(logits, labels)
            : WeightedMean(nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction: nn.Reduction.None), weights);
    }

    public override void Measure(ReadOnlySpan<float> outputs, ReadOnlySpan<float> labels, ScoreHead head, MetricSums metrics)
    {
        var correct = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            if ((outputs[row] > 0) == (labels[row] > 0.5f))
                correct++;
        }
        metrics.Add("accuracy", correct);
    }

    public override SchemaShape.Column[] OutputColumns(SchemaShape input, string labelColumnName) =>
    [
        ScalarColumn(DefaultColumnNames.Score, NumberDataViewType.Single),
        ScalarColumn(DefaultColumnNames.Probability, NumberDataViewType.Single, isNormalized: true),
        ScalarColumn(DefaultColumnNames.PredictedLabel, BooleanDataViewType.Instance),
    ];

    public override BinaryNetworkTransformer CreateTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string labelColumnName) =>
        new(env, model, trainSchema, featureColumnName, labelColumnName);
}
