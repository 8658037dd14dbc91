using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Training;
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

    /// <summary>The number of classes of a label column; 0 for regression.</summary>
    public abstract int ClassCount(DataViewSchema.Column label);

    /// <summary>The number of outputs that a network needs.</summary>
    public virtual int OutputCount(DataViewSchema.Column label) => 1;

    /// <param name="labels">The training labels.</param>
    /// <param name="initial">The head of the initial model, or null.</param>
    public abstract ScoreHead CreateHead(LabelSummary labels, PredictionHead? initial);

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
