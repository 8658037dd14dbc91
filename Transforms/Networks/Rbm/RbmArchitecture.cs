using System.Text.Json.Serialization;
using MLExtensions.Networks.Rbm;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A restricted Boltzmann machine: visible units, hidden units, and a weight between each of the ones and each of the others.
/// </summary>
/// <remarks>
/// Its weights are <c>weight [hidden, visible]</c>, <c>hidden_bias</c> and <c>visible_bias</c>. Smolensky, 1986; Hinton, "Training Products of
/// Experts by Minimizing Contrastive Divergence", 2002.
/// </remarks>
public sealed record RbmArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "rbm";

    /// <summary>What the visible units are.</summary>
    public required VisibleUnitType VisibleUnits { get; init; }

    /// <summary>What the hidden units are.</summary>
    public required HiddenUnitType HiddenUnits { get; init; }

    /// <summary>The number of categories of each softmax unit, in the order of the visible units; empty for other units.</summary>
    public IReadOnlyList<int> SoftmaxGroups { get; init; } = [];

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => checked(((long)InputCount * OutputCount) + InputCount + OutputCount);

    /// <inheritdoc/>
    public bool Equals(RbmArchitecture? other) =>
        base.Equals(other) && VisibleUnits == other.VisibleUnits && HiddenUnits == other.HiddenUnits && SoftmaxGroups.SequenceEqual(other.SoftmaxGroups);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), VisibleUnits, HiddenUnits, SoftmaxGroups.Count);

    /// <summary>The activation function that gives the hidden units' means, for networks without noise.</summary>
    internal Activation HiddenActivation => HiddenUnits switch
    {
        HiddenUnitType.Bernoulli => Activation.Sigmoid,
        HiddenUnitType.ReLU => Activation.ReLU,
        _ => Activation.Identity,
    };

    internal override int MinimumBatchRows => 1;

    /// <summary>The hidden units are no output that could be exchanged: there is no such layer.</summary>
    internal override string OutputLayer => "output";

    internal override nn.Module<Tensor, Tensor> CreateModule() => new RbmNetwork(this);

    internal override void Check()
    {
        base.Check();
        if (!Enum.IsDefined(VisibleUnits))
            throw new FormatException($"visibleUnits is {VisibleUnits}, which is no kind of unit.");
        if (!Enum.IsDefined(HiddenUnits))
            throw new FormatException($"hiddenUnits is {HiddenUnits}, which is no kind of unit.");
        if (SoftmaxGroups == null)
            throw new FormatException("softmaxGroups is missing.");
        if (VisibleUnits != VisibleUnitType.Softmax && SoftmaxGroups.Count == 0)
            return;
        if (VisibleUnits != VisibleUnitType.Softmax || SoftmaxGroups.Any(size => size < 2) || SoftmaxGroups.Sum(size => (long)size) != InputCount)
            throw new FormatException($"softmaxGroups is [{string.Join(", ", SoftmaxGroups)}]; softmax units have 2 categories or more each and {InputCount} together, other units none.");
    }
}
