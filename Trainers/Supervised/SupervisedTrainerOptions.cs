using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Options shared by all supervised trainers.</summary>
public abstract class SupervisedTrainerOptions : RowTrainingOptions
{
    private protected SupervisedTrainerOptions()
    {
    }

    /// <summary>The label column. Default <c>Label</c>.</summary>
    [DoesNotChangeResult]
    public string LabelColumnName { get; set; } = DefaultColumnNames.Label;

    /// <summary>The feature column. Default <c>Features</c>.</summary>
    [DoesNotChangeResult]
    public string FeatureColumnName { get; set; } = DefaultColumnNames.Features;

    /// <summary>The example weight column, a <c>Single</c>. Default null: all examples have the same weight.</summary>
    [DoesNotChangeResult]
    public string? ExampleWeightColumnName { get; set; }

    /// <summary>The weights of the classes; null for a task without classes.</summary>
    internal virtual ClassWeights? ClassWeighting => null;

    /// <summary>The decision threshold; null for a task without one.</summary>
    internal virtual double? Threshold => null;

    /// <summary>The allowed feature types, as text.</summary>
    internal virtual string FeatureDescription => "Vector<Single> of known size, or Single";

    /// <summary>Whether a feature column of this type is allowed.</summary>
    internal virtual bool TakesFeatures(SchemaShape.Column column) =>
        column.ItemType == NumberDataViewType.Single && !column.IsKey && column.Kind != SchemaShape.Column.VectorKind.VariableVector;

    /// <summary>
    /// The first value of a row of features whose size matters to the network; null if none does, because values are tokens or are scaled by
    /// the network itself.
    /// </summary>
    internal virtual int? FirstNumber(DataViewSchema.Column features, FeatureFormat format) => 0;

    /// <summary>Whether rows are read before the network is known, by <see cref="CreateFormat"/>.</summary>
    internal virtual bool ScansRows(DataViewSchema.Column features) => false;

    /// <summary>What to do with a feature column of another type: the end of a message, or nothing.</summary>
    internal virtual string AdviseFeatures(SchemaShape.Column column) => ColumnAdvice.ForFeatures(column);

    /// <summary>Finds the format of the features; may read the rows.</summary>
    /// <param name="data">The training data.</param>
    /// <param name="features">Its feature column.</param>
    /// <param name="initial">The architecture of the initial model, or null.</param>
    /// <param name="throwIfCancelled">Called regularly; throws when training is cancelled.</param>
    /// <exception cref="ArgumentException">The column has a wrong type; the message names it.</exception>
    internal virtual FeatureFormat CreateFormat(IDataView data, DataViewSchema.Column features, NetworkArchitecture? initial, Action throwIfCancelled) =>
        new DenseFormat(FeatureReader.WidthOf(features));

    /// <param name="features">The feature column.</param>
    /// <param name="format">The format of its rows.</param>
    /// <param name="outputCount">The number of network outputs that the task needs.</param>
    /// <exception cref="ArgumentException">The network does not fit the column; the message says why.</exception>
    internal abstract NetworkArchitecture CreateArchitecture(DataViewSchema.Column features, FeatureFormat format, int outputCount);

    /// <summary>The random augmentation of training examples, or null.</summary>
    internal virtual IFeatureAugmenter? CreateAugmenter(NetworkArchitecture architecture) => null;

    /// <summary>Sets what the short overloads of every family have in common.</summary>
    internal void SetCommon(string labelColumnName, string featureColumnName, int epochs, int batchSize, double learningRate)
    {
        LabelColumnName = labelColumnName;
        FeatureColumnName = featureColumnName;
        Epochs = epochs;
        BatchSize = batchSize;
        LearningRate = learningRate;
    }

    internal override void Check()
    {
        OptionCheck.NotEmpty(FeatureColumnName, nameof(FeatureColumnName));
        OptionCheck.NotEmpty(LabelColumnName, nameof(LabelColumnName));
        OptionCheck.Require(BinaryHead.IsThreshold(Threshold ?? BinaryHead.UsualThreshold), Threshold, "DecisionThreshold", "in [0, 1]: it is a probability");
        base.Check();
    }
}
