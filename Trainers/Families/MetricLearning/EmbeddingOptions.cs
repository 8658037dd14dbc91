using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Options shared by the estimators of embeddings.</summary>
/// <remarks>
/// <para>
/// A batch has <see cref="TrainingOptions.BatchSize"/> / <see cref="ExamplesPerClass"/> classes with <see cref="ExamplesPerClass"/> examples
/// each (P x K). In an epoch every example is used at least once: the last group of a class is filled up with examples of it that the epoch
/// had already, and a class with fewer examples contributes what it has. Classes with one example are counterexamples for others; their
/// number is in the log and in the history.
/// </para>
/// <para>
/// Validation measures how well classes are told apart that may be unknown: the area under the ROC curve over all pairs of validation rows
/// (<c>auc</c>), by which early stopping goes, and how often the nearest other row has the same class (<c>precisionAt1</c>). Set
/// <see cref="DataTrainingOptions.ValidationGroupColumnName"/> to the label column to hold out whole classes: classes that the network was
/// trained on are too easy.
/// </para>
/// </remarks>
public abstract class EmbeddingOptions : RowTrainingOptions
{
    internal const string DefaultOutputColumn = "Embedding";
    internal const int DefaultEmbeddingSize = 128;
    internal const int DefaultExamplesPerClass = 4;

    // A batch with fewer classes has no two examples to tell apart.
    private const int LeastClasses = 2;
    private const int LargestSize = 1 << 20;

    private protected EmbeddingOptions()
    {
    }

    /// <summary>The label column, a key. Default <c>Label</c>.</summary>
    [DoesNotChangeResult]
    public string LabelColumnName { get; set; } = DefaultColumnNames.Label;

    /// <summary>The feature column. Default <c>Features</c>.</summary>
    [DoesNotChangeResult]
    public string FeatureColumnName { get; set; } = DefaultColumnNames.Features;

    /// <summary>
    /// The column to add: the embedding, a <c>Vector&lt;Single&gt;</c> of <see cref="EmbeddingSize"/> values and length 1. Default
    /// <c>Embedding</c>.
    /// </summary>
    [DoesNotChangeResult]
    public string OutputColumnName { get; set; } = DefaultOutputColumn;

    /// <summary>The number of values of an embedding, at least 2. Default 128.</summary>
    public int EmbeddingSize { get; set; } = DefaultEmbeddingSize;

    /// <summary>What the network minimizes. Default: <see cref="TripletLoss"/> with margin 0.2 and semi-hard negatives.</summary>
    public MetricLoss Loss { get; set; } = new TripletLoss();

    /// <summary>
    /// The examples of each class in a batch (K), at least 2; <see cref="TrainingOptions.BatchSize"/> must be a multiple of it, and at least
    /// twice as large. Default 4, that is, 8 classes in a batch of 32.
    /// </summary>
    public int ExamplesPerClass { get; set; } = DefaultExamplesPerClass;

    /// <summary>The allowed features, as text.</summary>
    internal abstract string FeatureDescription { get; }

    /// <summary>Whether a feature column of this type is allowed.</summary>
    internal abstract bool TakesFeatures(SchemaShape.Column column);

    /// <summary>What to do with a feature column of another type: the end of a message, or nothing.</summary>
    internal virtual string AdviseFeatures(SchemaShape.Column column) => ColumnAdvice.ForFeatures(column);

    /// <summary>The network for a feature column.</summary>
    /// <exception cref="ArgumentException">They do not fit; the message says why.</exception>
    internal abstract NetworkArchitecture CreateArchitecture(DataViewSchema.Column features);

    /// <summary>The random augmentation of training examples, or null.</summary>
    internal virtual IFeatureAugmenter? CreateAugmenter(NetworkArchitecture architecture) => null;

    /// <summary>The first value of a row whose size matters to the network, or null.</summary>
    internal virtual int? FirstNumber(DataViewSchema.Column features) => 0;

    /// <summary>Sets what the short overloads have in common.</summary>
    internal void SetCommon(string labelColumnName, string featureColumnName, string outputColumnName, int embeddingSize, MetricLoss? loss, int epochs, int batchSize, double learningRate)
    {
        (LabelColumnName, FeatureColumnName, OutputColumnName) = (labelColumnName, featureColumnName, outputColumnName);
        (EmbeddingSize, Epochs, BatchSize, LearningRate) = (embeddingSize, epochs, batchSize, learningRate);
        Loss = loss ?? Loss;
    }

    internal override void Check()
    {
        OptionCheck.NotEmpty(LabelColumnName, nameof(LabelColumnName));
        OptionCheck.NotEmpty(FeatureColumnName, nameof(FeatureColumnName));
        OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
        Messages.ColumnNames.RequireOther(OutputColumnName, nameof(OutputColumnName), (LabelColumnName, nameof(LabelColumnName)));
        OptionCheck.Require(EmbeddingSize is >= 2 and <= LargestSize, EmbeddingSize, nameof(EmbeddingSize), FormattableString.Invariant($"from 2 to {LargestSize}"));
        OptionCheck.NotNull(Loss, nameof(Loss));
        Loss.Check();
        OptionCheck.AtLeast(ExamplesPerClass, 2, nameof(ExamplesPerClass));
        base.Check();
        OptionCheck.Require(BatchSize % ExamplesPerClass == 0 && BatchSize / ExamplesPerClass >= LeastClasses, BatchSize, nameof(BatchSize), string.Create(CultureInfo.InvariantCulture, $"a multiple of {nameof(ExamplesPerClass)}, {ExamplesPerClass}, and at least {LeastClasses} times as large: a batch has so many examples of each of several classes"));
        OptionCheck.Require(Buffering == Buffering.InMemory, Buffering, nameof(Buffering), $"{nameof(Buffering.InMemory)}: batches take examples of the same class from anywhere in the data");
    }
}
