using System.Globalization;
using Microsoft.ML.Model.OnnxConverter;

namespace MLExtensions.Onnx;

/// <summary>Adds a network to a graph of ONNX operators (operator set 12, the highest of ML.NET's converter).</summary>
/// <param name="context">The graph: that of ML.NET's converter, or any other.</param>
/// <param name="weights">Finds the weights of the network by name; null for what has none.</param>
/// <remarks>
/// A context takes every value for a column of the same name, and its converter then hands out that value instead of the column. So no name
/// here is that of a column.
/// </remarks>
internal sealed class GraphWriter(OnnxContext context, Func<string, GraphTensor?>? weights = null)
{
    public const int OperatorSet = 12;
    private const string Prefix = "network.";
    private const string WeightsEntry = "weights.safetensors";

    // Protocol buffers count bytes in 31 bits; the rest is for the operators and other steps.
    private const long MostWeights = (int.MaxValue - (1 << 26)) / sizeof(float);

    private readonly Dictionary<string, GraphTensor> _replaced = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _written = new(StringComparer.Ordinal);
    private int _count;

    public OnnxContext Context => context;

    /// <summary>Refuses a network that a file cannot hold.</summary>
    /// <param name="weights">The number of its weights.</param>
    /// <param name="step">The step that it belongs to, for the message.</param>
    /// <exception cref="NotSupportedException">There are too many.</exception>
    public static void CheckSize(long weights, string step)
    {
        if (weights > MostWeights)
            throw OnnxColumns.Refusal(step, FormattableString.Invariant($"its network has {weights} weights, and the file of ML.NET's converter, of less than 2 GB, can hold {MostWeights}"));
    }

    /// <summary>Adds an operator with one output.</summary>
    /// <param name="operation">Its name.</param>
    /// <param name="inputs">Its inputs; an empty one is left out.</param>
    /// <param name="attributes">Sets its attributes.</param>
    /// <param name="output">The variable that takes the output; null for a new one.</param>
    /// <param name="name">The name of the node, which errors of a runtime show; null for that of the operator.</param>
    public string Node(string operation, string[] inputs, Action<OnnxNode>? attributes = null, string? output = null, string? name = null) =>
        Nodes(operation, inputs, [output ?? NewVariable(operation)], attributes, name)[0];

    /// <summary>Adds an operator with one input and one output.</summary>
    public string Node(string operation, string input, Action<OnnxNode>? attributes = null, string? output = null) => Node(operation, [input], attributes, output);

    /// <summary>Adds an operator with several outputs.</summary>
    /// <returns>The outputs.</returns>
    public string[] Nodes(string operation, string[] inputs, int outputs, Action<OnnxNode>? attributes = null) =>
        Nodes(operation, inputs, Enumerable.Range(0, outputs).Select(_ => NewVariable(operation)).ToArray(), attributes);

    /// <summary>The weights with a name, as the network computes with them.</summary>
    /// <param name="name">The name.</param>
    /// <param name="shape">The shape that they must have.</param>
    /// <exception cref="ModelFormatException">They have another one, or there are none.</exception>
    public GraphTensor Tensor(string name, params ReadOnlySpan<long> shape)
    {
        var tensor = _replaced.GetValueOrDefault(name) ?? weights!(name) ?? throw new ModelFormatException(WeightsEntry, $"does not have the tensor '{name}' of the model");
        return shape.SequenceEqual(tensor.Shape)
            ? tensor
            : throw new ModelFormatException(WeightsEntry, $"tensor '{name}' should have the shape [{Sizes(shape.ToArray())}], but the file has [{Sizes(tensor.Shape)}]");

        static string Sizes(long[] shape) => string.Join(", ", shape.Select(size => size.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Computes with other weights of that name.</summary>
    public void Replace(string name, GraphTensor tensor) => _replaced[name] = tensor;

    /// <summary>The weights with a name, which are written once.</summary>
    /// <inheritdoc cref="Tensor"/>
    public string Weight(string name, params ReadOnlySpan<long> shape)
    {
        var tensor = Tensor(name, shape);
        if (!_written.TryGetValue(name, out var variable))
            _written.Add(name, variable = Constant(tensor, name));
        return variable;
    }

    public string Constant(GraphTensor tensor, string name = "constant") => context.AddInitializer(tensor.Values, tensor.Shape, NewName(name));

    /// <summary>Numbers in float64; a size of -1 is that of the number of values.</summary>
    public string Doubles(double[] values, params long[] shape) =>
        context.AddInitializer(values, shape.Select(size => size < 0 ? values.Length : size), NewName("constant"));

    public string Constant(double value) => context.AddInitializer((float)value, NewName("constant"));

    public string Constant(long value) => context.AddInitializer(value, NewName("constant"));

    /// <summary>A vector of whole numbers, such as the shape of a reshaping.</summary>
    public string Numbers(params long[] values) => context.AddInitializer(values, [values.Length], NewName("numbers"));

    /// <summary>A row of whole numbers, <c>[1, values]</c>.</summary>
    public string Row(IReadOnlyCollection<long> values) => context.AddInitializer(values, [1, values.Count], NewName("row"));

    private string[] Nodes(string operation, string[] inputs, string[] outputs, Action<OnnxNode>? attributes, string? name = null)
    {
        // Without a domain the context would take that of ML operators.
        var node = context.CreateNode(operation, inputs, outputs, context.GetNodeName(name ?? Prefix + operation), "");
        attributes?.Invoke(node);
        return outputs;
    }

    // The runtime finds the shape.
    private string NewVariable(string kind) => context.AddIntermediateVariable(null, NewName(kind), skip: true);

    private string NewName(string kind)
    {
        string name;
        do
            name = FormattableString.Invariant($"{Prefix}{_count++}.{kind}");
        while (context.ContainsColumn(name));
        return name;
    }
}
