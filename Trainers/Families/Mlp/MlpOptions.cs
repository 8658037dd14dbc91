using Microsoft.ML;
using MLExtensions.Families.Mlp;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Options shared by the multilayer perceptron trainers.</summary>
public abstract class MlpOptions : SupervisedTrainerOptions
{
    private protected MlpOptions()
    {
    }

    /// <summary>
    /// The hidden layers, from the features to the output; none gives linear or logistic regression. Default: one layer of 256 units.
    /// </summary>
    public IReadOnlyList<HiddenLayer> HiddenLayers { get; set; } = [256];

    /// <summary>The activation function of the hidden layers. Default <see cref="Activation.ReLU"/>.</summary>
    public Activation Activation { get; set; } = Activation.ReLU;

    /// <summary>Dropout rate of the hidden layers, in [0, 1) (Srivastava et al., 2014). Default 0.</summary>
    public double Dropout { get; set; }

    /// <summary>Dropout rate of the features, in [0, 1). Default 0.</summary>
    public double InputDropout { get; set; }

    /// <summary>Whether hidden layers use batch normalization before the activation (Ioffe and Szegedy, 2015). Default false.</summary>
    public bool BatchNormalization { get; set; }

    internal override NetworkArchitecture CreateArchitecture(DataViewSchema.Column features, FeatureFormat format, int outputCount) => Trunk.CreateArchitecture(format.Width, outputCount);

    internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) => [(nameof(HiddenLayers), Trunk.Describe())];

    internal override TrainingOptions Snapshot()
    {
        var copy = (MlpOptions)base.Snapshot();
        copy.HiddenLayers = HiddenLayers.ToArray();
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        Trunk.Check(BatchSize);
    }

    private MlpTrunk Trunk => new(HiddenLayers, Activation, Dropout, InputDropout, BatchNormalization);
}

/// <summary>
/// A hidden layer of a multilayer perceptron. A number converts to a layer with that many units: <c>HiddenLayers = [128, 64]</c>.
/// </summary>
/// <param name="Units">The number of hidden units, at least 1.</param>
public sealed record HiddenLayer(int Units)
{
    /// <summary>The activation function. Default null: that of the options.</summary>
    public Activation? Activation { get; init; }

    /// <summary>Dropout rate of the layer, in [0, 1). Default null: that of the options.</summary>
    public double? Dropout { get; init; }

    /// <summary>Whether the layer uses batch normalization. Default null: as in the options.</summary>
    public bool? BatchNormalization { get; init; }

    /// <summary>Creates a layer with that many units and the settings of the options.</summary>
    public static implicit operator HiddenLayer(int units) => new(units);

    internal void Check(string option)
    {
        OptionCheck.AtLeast(Units, 1, $"{option}.{nameof(Units)}");
        OptionCheck.Defined(Activation ?? default, $"{option}.{nameof(Activation)}");
        OptionCheck.Fraction(Dropout ?? 0, $"{option}.{nameof(Dropout)}");
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(HiddenLayer), PrintMembers);
}
