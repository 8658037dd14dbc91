using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Training;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>What a task defines, independently of the family: label, head, loss, metrics, output columns, transformer.</summary>
internal abstract class SupervisedTask
{
    public abstract PredictionKind Kind { get; }

    /// <summary>The label column that the task requires.</summary>
    public abstract SchemaShape.Column LabelColumn(string name);

    /// <summary>The allowed label types, for error messages.</summary>
    public abstract string LabelDescription { get; }

    /// <summary>What to do with a label column of another type: the end of a message, or nothing.</summary>
    public abstract string AdviseLabel(SchemaShape.Column column);

    /// <summary>The number of classes of a label column; 0 for regression.</summary>
    public abstract int ClassCount(DataViewSchema.Column label);

    /// <summary>The number of outputs that a network needs.</summary>
    public virtual int OutputCount(DataViewSchema.Column label) => 1;

    /// <param name="labels">The training labels.</param>
    /// <param name="initial">The head of the initial model, or null.</param>
    /// <param name="options">The options of the trainer.</param>
    public abstract ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial, SupervisedTrainerOptions options);

    /// <summary>The mapping of labels to the targets of the loss.</summary>
    public abstract LabelScale CreateScale(LabelSummary labels, ScoreHead head, ClassWeights? classWeights, bool hasExampleWeights);

    /// <summary>The mean loss of a batch: outputs <c>[rows, OutputCount]</c>, labels and weights <c>[rows]</c>.</summary>
    public abstract Tensor Loss(Tensor outputs, Tensor labels, Tensor? weights);

    /// <summary>Adds a batch to the metrics.</summary>
    public abstract void Measure(ReadOnlySpan<float> outputs, ReadOnlySpan<float> labels, ScoreHead head, MetricSums metrics);

    /// <summary>The columns that the transformer adds.</summary>
    public abstract SchemaShape.Column[] OutputColumns(SchemaShape input, string labelColumnName);

    private protected static SchemaShape.Column ScalarColumn(string name, DataViewType type, bool isNormalized = false) =>
        new(name, SchemaShape.Column.VectorKind.Scalar, type, false, new SchemaShape(AnnotationUtils.GetTrainerOutputAnnotation(isNormalized)));

    /// <summary>The weighted mean of losses.</summary>
    private protected static Tensor WeightedMean(Tensor losses, Tensor weights) => (losses * weights).mean();

    private protected static LabelScale ClassScale(LabelSummary labels, ClassWeights? classWeights, bool hasExampleWeights)
    {
        var weights = classWeights?.Resolve(labels.ClassCounts);
        var sum = weights == null ? labels.WeightSum : labels.ClassWeightSums.Zip(weights, (examples, weight) => examples * weight).Sum();
        return new LabelScale(0, 1, weights, labels.RowCount / sum, hasExampleWeights);
    }
}

/// <summary>A task with the type of its transformer.</summary>
internal abstract class SupervisedTask<TTransformer> : SupervisedTask
    where TTransformer : NetworkTransformer
{
    public abstract TTransformer CreateTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string labelColumnName);
}

/// <summary>Binary classification: one logit and the cross entropy of its sigmoid.</summary>
internal sealed class BinaryTask : SupervisedTask<BinaryNetworkTransformer>
{
    public override PredictionKind Kind => PredictionKind.BinaryClassification;

    public override string LabelDescription => "Boolean";

    public override string AdviseLabel(SchemaShape.Column column) => ColumnAdvice.ForBoolean(column);

    public override SchemaShape.Column LabelColumn(string name) => TrainerUtils.MakeBoolScalarLabel(name);

    public override int ClassCount(DataViewSchema.Column label) => 2;

    public override ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial, SupervisedTrainerOptions options) =>
        BinaryHead.Create(options.Threshold ?? BinaryHead.UsualThreshold);

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
        var (correct, binary) = (0, (BinaryHead)head);
        for (var row = 0; row < labels.Length; row++)
        {
            if (binary.IsPositive(outputs[row]) == (labels[row] > 0.5f))
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

/// <summary>Multiclass classification: softmax and cross entropy.</summary>
internal sealed class MulticlassTask : SupervisedTask<MulticlassNetworkTransformer>
{
    public override PredictionKind Kind => PredictionKind.MulticlassClassification;

    public override string LabelDescription => "a key (use MapValueToKey)";

    public override string AdviseLabel(SchemaShape.Column column) => ColumnAdvice.ForKey(column);

    public override SchemaShape.Column LabelColumn(string name) => TrainerUtils.MakeU4ScalarColumn(name);

    public override int ClassCount(DataViewSchema.Column label) =>
        label.Type is KeyDataViewType { Count: > 0 and <= int.MaxValue } key
            ? (int)key.Count
            : throw new ArgumentException($"Label column '{label.Name}' has type {label.Type}; it must be a key with a known number of classes (use MapValueToKey).");

    public override int OutputCount(DataViewSchema.Column label) => ClassCount(label);

    public override ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial, SupervisedTrainerOptions options) => new MulticlassHead(labels.ClassCounts.Count);

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

/// <summary>Regression: squared error of the standardized label.</summary>
internal sealed class RegressionTask : SupervisedTask<RegressionNetworkTransformer>
{
    public override PredictionKind Kind => PredictionKind.Regression;

    public override string LabelDescription => "Single";

    public override string AdviseLabel(SchemaShape.Column column) => ColumnAdvice.ForTarget(column);

    public override SchemaShape.Column LabelColumn(string name) => TrainerUtils.MakeR4ScalarColumn(name);

    public override int ClassCount(DataViewSchema.Column label) => 0;

    /// <summary>Weights that were learned with another standardization keep it.</summary>
    public override ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial, SupervisedTrainerOptions options) =>
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
