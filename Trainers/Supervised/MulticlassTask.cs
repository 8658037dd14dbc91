using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>Multiclass classification: softmax and cross entropy.</summary>
internal sealed class MulticlassTask : SupervisedTask<MulticlassNetworkTransformer>
{
    public override PredictionKind Kind => PredictionKind.MulticlassClassification;

    public override string LabelDescription => "a key (use MapValueToKey)";

    public override SchemaShape.Column LabelColumn(string name) => TrainerUtils.MakeU4ScalarColumn(name);

    public override int ClassCount(DataViewSchema.Column label) =>
        label.Type is KeyDataViewType { Count: > 0 and <= int.MaxValue } key
            ? (int)key.Count
            : throw new ArgumentException($"Label column '{label.Name}' has type {label.Type}; it must be a key with a known number of classes (use MapValueToKey).");

    public override int OutputCount(DataViewSchema.Column label) => ClassCount(label);

    public override ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial) => new MulticlassHead(labels.ClassCounts.Count);

    public override LabelScale CreateScale(LabelSummary labels, ScoreHead head, ClassWeights? classWeights, bool hasExampleWeights) =>
        ClassScale(labels, classWeights, hasExampleWeights);

    public override Tensor Loss(Tensor outputs, Tensor labels, Tensor? weights)
    {
        var classes = labels.to(ScalarType.Int64);
        return weights is null
            ? nn.functional.cross_entropy(outputs, classes)
            : WeightedMean(nn.functional.cross_entropy(outputs, classes, reduction: nn.Reduction.None), weights);
    }

    public override void Measure(ReadOnlySpan<float> outputs, ReadOnlySpan<float> labels, ScoreHead head, MetricSums metrics)
    {
        var classes = head.OutputCount;
        var correct = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            var logits = outputs.Slice(row * classes, classes);
            var best = 0;
            for (var i = 1; i < logits.Length; i++)
            {
                if (logits[i] > logits[best])
                    best = i;
            }
            if (best == (int)labels[row])
                correct++;
        }
        metrics.Add("accuracy", correct);
    }

    public override SchemaShape.Column[] OutputColumns(SchemaShape input, string labelColumnName)
    {
        input.TryFindColumn(labelColumnName, out var label);
        var keyValues = label.Annotations.Where(annotation => annotation.Name == AnnotationUtils.Kinds.KeyValues);
        return
        [
            new(DefaultColumnNames.Score, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, false, new SchemaShape(AnnotationUtils.AnnotationsForMulticlassScoreColumn(label))),
            new(DefaultColumnNames.PredictedLabel, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, true, new SchemaShape(keyValues.Concat(AnnotationUtils.GetTrainerOutputAnnotation()))),
        ];
    }

    public override MulticlassNetworkTransformer CreateTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string labelColumnName) =>
        new(env, model, trainSchema, featureColumnName, labelColumnName);
}
