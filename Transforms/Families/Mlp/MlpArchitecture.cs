using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Messages;
using MLExtensions.Networks;
using TorchSharp.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>A multilayer perceptron: fully connected layers.</summary>
/// <remarks>Without hidden layers it is linear or logistic regression. Rumelhart, Hinton and Williams, 1986.</remarks>
public sealed record MlpArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "mlp";

    /// <summary>The hidden layers, from the features to the output.</summary>
    public required IReadOnlyList<MlpLayer> HiddenLayers { get; init; }

    /// <summary>The dropout rate of the features.</summary>
    public double InputDropout { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount
    {
        get
        {
            long count = 0;
            long width = InputCount;
            foreach (var layer in HiddenLayers)
            {
                var normalization = layer.BatchNormalization ? 2L * layer.Units : 0;
                var slope = layer.Activation == Activation.PReLU ? 1 : 0;
                count = checked(count + ((width + 1) * layer.Units) + normalization + slope);
                width = layer.Units;
            }
            return checked(count + ((width + 1) * OutputCount));
        }
    }

    /// <inheritdoc/>
    public bool Equals(MlpArchitecture? other) =>
        base.Equals(other) && InputDropout.Equals(other.InputDropout) && HiddenLayers.SequenceEqual(other.HiddenLayers);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HiddenLayers.Aggregate(HashCode.Combine(base.GetHashCode(), InputDropout), HashCode.Combine);

    internal override double ValuesPerRow => base.ValuesPerRow + HiddenLayers.Sum(layer => (double)layer.Units);

    internal override int MinimumBatchRows => HiddenLayers.Any(layer => layer.BatchNormalization) ? 2 : 1;

    internal override string OutputLayer => "output";

    internal override IEnumerable<LayerDescription> Describe()
    {
        if (InputDropout > 0)
            yield return LayerDescription.Dropout("input_dropout", InputDropout, LayerDescription.Size(InputCount));
        var width = InputCount;
        for (var i = 0; i < HiddenLayers.Count; i++)
        {
            var layer = HiddenLayers[i];
            var output = LayerDescription.Size(layer.Units);
            yield return LayerDescription.Dense(FormattableString.Invariant($"hidden.{i}.linear"), width, layer.Units, layer.BatchNormalization ? Activation.Identity : layer.Activation);
            if (layer.BatchNormalization)
                yield return new(FormattableString.Invariant($"hidden.{i}.norm"), "batch normalization" + LayerDescription.Suffix(layer.Activation), output, 2L * layer.Units);
            if (layer.Activation == Activation.PReLU)
                yield return new(FormattableString.Invariant($"hidden.{i}.prelu"), "PReLU", output, 1);
            if (layer.Dropout > 0)
                yield return LayerDescription.Dropout(FormattableString.Invariant($"hidden.{i}.dropout"), layer.Dropout, output);
            width = layer.Units;
        }
        yield return LayerDescription.Dense("output", width, OutputCount);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule() => new MlpNetwork(this);

    internal override string Write(GraphWriter graph, string rows)
    {
        var width = InputCount;
        for (var i = 0; i < HiddenLayers.Count; i++)
        {
            var (layer, path) = (HiddenLayers[i], FormattableString.Invariant($"hidden.{i}"));
            rows = graph.Dense(rows, path + ".linear", width, layer.Units);
            if (layer.BatchNormalization)
                rows = graph.BatchNormalization(rows, path + ".norm", Layers.NormalizationEpsilon, layer.Units);
            rows = graph.Activate(rows, layer.Activation, path + ".prelu");
            width = layer.Units;
        }
        return graph.Dense(rows, OutputLayer, width, OutputCount);
    }

    internal override void Check()
    {
        base.Check();
        if (HiddenLayers == null)
            throw new FormatException("hiddenLayers is missing.");
        CheckProbability(InputDropout, "inputDropout");
        for (var i = 0; i < HiddenLayers.Count; i++)
        {
            var layer = HiddenLayers[i] ?? throw new FormatException(FormattableString.Invariant($"hiddenLayers[{i}] is null."));
            if (layer.Units < 1)
                throw new FormatException(FormattableString.Invariant($"hiddenLayers[{i}].units is {layer.Units}; it must be at least 1."));
            if (!Enum.IsDefined(layer.Activation))
                throw new FormatException(FormattableString.Invariant($"hiddenLayers[{i}].activation is {layer.Activation}, which is not a valid activation."));
            CheckProbability(layer.Dropout, FormattableString.Invariant($"hiddenLayers[{i}].dropout"));
        }
    }

    private static void CheckProbability(double value, string name)
    {
        if (!(value >= 0 && value < 1))
            throw new FormatException(FormattableString.Invariant($"{name} is {value}; it must be in [0, 1)."));
    }
}

/// <summary>A hidden layer of a multilayer perceptron: linear, batch normalization, activation and dropout, in this order.</summary>
/// <param name="Units">The number of hidden units.</param>
/// <param name="Activation">The activation function.</param>
/// <param name="Dropout">The dropout rate of the layer, in [0, 1).</param>
/// <param name="BatchNormalization">Whether the layer uses batch normalization (Ioffe and Szegedy, 2015).</param>
public sealed record MlpLayer(int Units, Activation Activation = Activation.ReLU, double Dropout = 0, bool BatchNormalization = false)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(MlpLayer), PrintMembers);
}

/// <summary>The module of <see cref="MlpArchitecture"/>: maps <c>[rows, inputs]</c> to <c>[rows, outputs]</c>.</summary>
internal sealed class MlpNetwork : nn.Module<Tensor, Tensor>
{
    private readonly SeededDropout? input_dropout;
    private readonly ModuleList<MlpHiddenLayer> hidden;
    private readonly Linear output;

    public MlpNetwork(MlpArchitecture architecture)
        : base(nameof(MlpNetwork))
    {
        input_dropout = architecture.InputDropout > 0 ? new SeededDropout(architecture.InputDropout) : null;
        hidden = nn.ModuleList<MlpHiddenLayer>();
        var width = architecture.InputCount;
        foreach (var layer in architecture.HiddenLayers)
        {
            hidden.Add(new MlpHiddenLayer(width, layer));
            width = layer.Units;
        }
        output = Layers.Linear(width, architecture.OutputCount);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        if (input_dropout != null)
            x = input_dropout.call(x);
        foreach (var layer in hidden)
            x = layer.call(x);
        return output.call(x);
    }
}

/// <summary>One hidden layer.</summary>
internal sealed class MlpHiddenLayer : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear;
    private readonly BatchNormalization? norm;
    private readonly ParametricReLU? prelu;
    private readonly SeededDropout? dropout;
    private readonly Activation _activation;

    public MlpHiddenLayer(int inputs, MlpLayer layer)
        : base(nameof(MlpHiddenLayer))
    {
        _activation = layer.Activation;
        linear = Layers.Linear(inputs, layer.Units);
        norm = layer.BatchNormalization ? Layers.BatchNormalization(layer.Units) : null;
        prelu = layer.Activation == Activation.PReLU ? new ParametricReLU() : null;
        dropout = layer.Dropout > 0 ? new SeededDropout(layer.Dropout) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = linear.call(x);
        if (norm != null)
            x = norm.call(x);
        x = prelu != null ? prelu.call(x) : _activation.Apply(x);
        return dropout != null ? dropout.call(x) : x;
    }
}
