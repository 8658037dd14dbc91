using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Engine;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Options shared by all trainers that learn a label from features.</summary>
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

    /// <summary>A column of how much each example counts, a <c>Single</c>. Default null: all the same.</summary>
    [DoesNotChangeResult]
    public string? ExampleWeightColumnName { get; set; }

    /// <summary>The weights of the classes; null for a task without classes.</summary>
    internal virtual ClassWeights? ClassWeighting => null;

    /// <summary>What the feature column may be, in words.</summary>
    internal virtual string FeatureDescription => "Vector<Single> of known size, or Single";

    /// <summary>Whether the feature column may be of a type.</summary>
    internal virtual bool TakesFeatures(SchemaShape.Column column) =>
        column.ItemType == NumberDataViewType.Single && !column.IsKey && column.Kind != SchemaShape.Column.VectorKind.VariableVector;

    /// <summary>Finds out what rows of features are; may look at the rows.</summary>
    /// <param name="data">The training data.</param>
    /// <param name="features">Its feature column.</param>
    /// <param name="initial">The architecture of the model that training starts from, or null.</param>
    /// <param name="throwIfCancelled">Called now and then; throws to stop.</param>
    /// <exception cref="ArgumentException">The column has a wrong type; the message names it.</exception>
    internal virtual FeatureFormat CreateFormat(IDataView data, DataViewSchema.Column features, NetworkArchitecture? initial, Action throwIfCancelled) =>
        new DenseFormat(FeatureReader.WidthOf(features));

    /// <param name="features">The feature column.</param>
    /// <param name="format">What its rows are.</param>
    /// <param name="outputCount">The number of outputs that the task needs.</param>
    /// <exception cref="ArgumentException">The network does not fit the column; the message says why.</exception>
    internal abstract NetworkArchitecture CreateArchitecture(DataViewSchema.Column features, FeatureFormat format, int outputCount);

    /// <summary>What changes training examples at random, or null.</summary>
    internal virtual IFeatureAugmenter? CreateAugmenter(NetworkArchitecture architecture) => null;

    internal override void Check()
    {
        OptionCheck.NotEmpty(FeatureColumnName, nameof(FeatureColumnName));
        OptionCheck.NotEmpty(LabelColumnName, nameof(LabelColumnName));
        base.Check();
    }
}
