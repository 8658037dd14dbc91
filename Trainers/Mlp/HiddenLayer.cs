using MLExtensions.Training;

namespace MLExtensions;

/// <summary>A hidden layer of a multilayer perceptron. A number converts to a layer of so many units: <c>HiddenLayers = [128, 64]</c>.</summary>
/// <param name="Units">The number of hidden units, at least 1.</param>
public sealed record HiddenLayer(int Units)
{
    /// <summary>The activation function. Default null: that of the options.</summary>
    public Activation? Activation { get; init; }

    /// <summary>The probability of setting an activation to zero in training, in [0, 1). Default null: that of the options.</summary>
    public double? Dropout { get; init; }

    /// <summary>Whether the layer normalises over the batch. Default null: as in the options.</summary>
    public bool? BatchNormalization { get; init; }

    /// <summary>A layer of so many units, the rest as in the options.</summary>
    public static implicit operator HiddenLayer(int units) => new(units);

    internal void Check(string option)
    {
        OptionCheck.AtLeast(Units, 1, $"{option}.{nameof(Units)}");
        OptionCheck.Defined(Activation ?? default, $"{option}.{nameof(Activation)}");
        OptionCheck.Fraction(Dropout ?? 0, $"{option}.{nameof(Dropout)}");
    }
}
