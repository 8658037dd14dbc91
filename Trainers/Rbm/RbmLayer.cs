using MLExtensions.Training;

namespace MLExtensions;

/// <summary>The hidden units of one restricted Boltzmann machine. A number converts to a machine of so many: <c>HiddenUnits = [500, 500, 2000]</c>.</summary>
/// <param name="Units">The number of hidden units, at least 1.</param>
public sealed record RbmLayer(int Units)
{
    /// <summary>What the hidden units are. Default <see cref="HiddenUnitType.Bernoulli"/>.</summary>
    public HiddenUnitType Type { get; init; }

    /// <summary>The learning rate of this machine. Default null: that of the options.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The epochs of this machine. Default null: those of the options.</summary>
    public int? Epochs { get; init; }

    /// <summary>A machine of so many hidden units.</summary>
    public static implicit operator RbmLayer(int units) => new(units);

    internal void Check(string option)
    {
        OptionCheck.AtLeast(Units, 1, $"{option}.{nameof(Units)}");
        OptionCheck.Defined(Type, $"{option}.{nameof(Type)}");
        OptionCheck.Positive(LearningRate ?? 1, $"{option}.{nameof(LearningRate)}");
        OptionCheck.AtLeast(Epochs ?? 1, 1, $"{option}.{nameof(Epochs)}");
    }
}
