using MLExtensions.Messages;
using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Families.Rbm;
using MLExtensions.Networks;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A restricted Boltzmann machine (RBM): visible units, hidden units, and a weight between each visible and each hidden unit.
/// </summary>
/// <remarks>
/// Its weights are <c>weight [hidden, visible]</c>, <c>hidden_bias</c> and <c>visible_bias</c>. Smolensky, 1986; Hinton, "Training Products
/// of Experts by Minimizing Contrastive Divergence", 2002.
/// </remarks>
public sealed record RbmArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "rbm";

    /// <summary>The type of the visible units.</summary>
    public required VisibleUnitType VisibleUnits { get; init; }

    /// <summary>The type of the hidden units.</summary>
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

    /// <summary>The activation function that computes the means of the hidden units, for networks without noise.</summary>
    internal Activation HiddenActivation => HiddenUnits switch
    {
        HiddenUnitType.Bernoulli => Activation.Sigmoid,
        HiddenUnitType.ReLU => Activation.ReLU,
        _ => Activation.Identity,
    };

    internal override int MinimumBatchRows => 1;

    /// <summary>The hidden units are not an output that could be exchanged: there is no such layer.</summary>
    internal override string OutputLayer => "output";

    internal override IEnumerable<LayerDescription> Describe() =>
    [
        new("visible_bias", $"visible {VisibleUnits} units", LayerDescription.Size(InputCount), InputCount),
        new("weight", "connections", "", (long)InputCount * OutputCount, (long)InputCount * OutputCount),
        new("hidden_bias", $"hidden {HiddenUnits} units", LayerDescription.Size(OutputCount), OutputCount),
    ];

    internal override nn.Module<Tensor, Tensor> CreateModule() => new RbmNetwork(this);

    /// <summary>Writes the expected values of the hidden units as ONNX operators.</summary>
    internal string WriteHidden(GraphWriter graph, string visible) => graph.Activate(WriteHiddenInput(graph, visible), HiddenActivation);

    /// <summary>Writes the expected values of the visible units as ONNX operators.</summary>
    internal string WriteVisible(GraphWriter graph, string hidden)
    {
        var input = graph.Product(hidden, WriteWeight(graph), graph.Weight("visible_bias", InputCount), transposed: true);
        if (VisibleUnits != VisibleUnitType.Softmax)
            return graph.Activate(input, VisibleUnits == VisibleUnitType.Bernoulli ? Activation.Sigmoid : Activation.Identity);
        var groups = graph.Nodes("Split", [input], SoftmaxGroups.Count, node =>
        {
            node.AddAttribute("axis", 1L);
            node.AddAttribute("split", SoftmaxGroups.Select(size => (long)size));
        });
        return graph.Concatenate(1, Array.ConvertAll(groups, group => graph.Softmax(group)));
    }

    /// <summary>Writes the free energy as ONNX operators, <c>[rows, 1]</c>.</summary>
    internal string WriteFreeEnergy(GraphWriter graph, string visible)
    {
        var input = WriteHiddenInput(graph, visible);
        var hidden = HiddenUnits switch
        {
            HiddenUnitType.Bernoulli => graph.Activate(input, Activation.Softplus),
            HiddenUnitType.ReLU => HalfSquare(graph.Activate(input, Activation.ReLU)),
            _ => HalfSquare(input),
        };
        var bias = graph.Weight("visible_bias", InputCount);
        var energy = VisibleUnits == VisibleUnitType.Gaussian
            ? HalfSquare(graph.Node("Sub", [visible, bias]))
            : graph.Node("Neg", graph.Multiply(visible, bias));
        return graph.Node("Sub", [Sum(energy), Sum(hidden)]);

        string HalfSquare(string x) => graph.Scale(graph.Multiply(x, x), 0.5);

        string Sum(string x) => graph.Reduce("ReduceSum", x, keepDimensions: true, 1);
    }

    /// <remarks>What the RBM reconstructs.</remarks>
    internal override string Write(GraphWriter graph, string rows) => WriteVisible(graph, WriteHidden(graph, rows));

    internal override void Check()
    {
        base.Check();
        if (!Enum.IsDefined(VisibleUnits))
            throw new FormatException($"visibleUnits is {VisibleUnits}, which is not a valid kind of unit.");
        if (!Enum.IsDefined(HiddenUnits))
            throw new FormatException($"hiddenUnits is {HiddenUnits}, which is not a valid kind of unit.");
        if (SoftmaxGroups == null)
            throw new FormatException("softmaxGroups is missing.");
        if (VisibleUnits != VisibleUnitType.Softmax && SoftmaxGroups.Count == 0)
            return;
        if (VisibleUnits != VisibleUnitType.Softmax || SoftmaxGroups.Any(size => size < 2) || SoftmaxGroups.Sum(size => (long)size) != InputCount)
            throw new FormatException(FormattableString.Invariant($"softmaxGroups is [{NumberList.Of(SoftmaxGroups)}]; softmax units need 2 or more categories each and {InputCount} in total; other units have none."));
    }

    private string WriteHiddenInput(GraphWriter graph, string visible) => graph.Product(visible, WriteWeight(graph), graph.Weight("hidden_bias", OutputCount), transposed: false);

    private string WriteWeight(GraphWriter graph) => graph.Weight("weight", OutputCount, InputCount);
}

/// <summary>The types of visible units of an RBM.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VisibleUnitType>))]
public enum VisibleUnitType
{
    /// <summary>0 or 1 with a probability; values in [0, 1] are probabilities. Smolensky, 1986.</summary>
    Bernoulli,

    /// <summary>
    /// Real numbers with normal noise of variance 1: the values should have mean 0 and variance 1. Welling, Rosen-Zvi and Hinton, 2005.
    /// </summary>
    Gaussian,

    /// <summary>
    /// One of several categories, with one unit per category, exactly one of which is 1. Salakhutdinov, Mnih and Hinton, 2007.
    /// </summary>
    Softmax,
}

/// <summary>The types of hidden units of an RBM.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HiddenUnitType>))]
public enum HiddenUnitType
{
    /// <summary>0 or 1 with a probability.</summary>
    Bernoulli,

    /// <summary>
    /// max(0, x) with noise of variance sigmoid(x); Nair and Hinton, 2010. Needs a smaller learning rate than Bernoulli units.
    /// </summary>
    ReLU,

    /// <summary>
    /// x with normal noise of variance 1, as for a real-valued latent representation (Hinton and Salakhutdinov, 2006). Needs a much smaller
    /// learning rate than Bernoulli units.
    /// </summary>
    Gaussian,
}
