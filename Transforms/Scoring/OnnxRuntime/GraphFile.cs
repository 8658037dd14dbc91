using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using MLExtensions.Onnx;

namespace MLExtensions.Scoring.OnnxRuntime;

/// <summary>A graph with rows as input and outputs as output, in ONNX's format, without ML.NET's converter and its packages.</summary>
internal sealed class GraphFile : OnnxContext
{
    public const string Rows = "rows";
    public const string Outputs = "outputs";

    // Element types of tensors, and the version of the format that goes with the operator set.
    private const int FloatType = 1;
    private const int Int64Type = 7;
    private const int DoubleType = 11;
    private const int FormatVersion = 7;

    private readonly Protobuf _graph = new();
    private readonly HashSet<string> _names = [Rows, Outputs];
    private readonly List<GraphNode> _nodes = [];

    private GraphFile()
    {
    }

    /// <summary>Checks that weights are those of a network: what a graph of it asks for.</summary>
    /// <param name="architecture">The network.</param>
    /// <param name="weights">Finds the weights by name; the names that it is asked for are those that the network needs.</param>
    /// <exception cref="ModelFormatException">Weights are missing, or have another shape.</exception>
    /// <exception cref="NotSupportedException">There is no graph of the network.</exception>
    public static void Check(NetworkArchitecture architecture, Func<string, GraphTensor?> weights) => architecture.Write(new GraphWriter(new GraphFile(), weights), Rows);

    /// <summary>Writes a computation.</summary>
    /// <exception cref="NotSupportedException">It is more than a graph can say.</exception>
    public static byte[] Of(IRowComputation computation)
    {
        var file = new GraphFile();
        new GraphWriter(file).Node("Identity", computation.Write(file, Rows), output: Outputs);
        return file.ToArray();
    }

    public override string GetNodeName(string prefix) => Unique(prefix);

    public override bool IsVariableDefined(string variableName) => _names.Contains(variableName);

    public override bool ContainsColumn(string colName) => _names.Contains(colName);

    public override void CheckOpSetVersion(int thisTransformerMinumumOpSetVersion, string registerTransformerName)
    {
    }

    public override string GetVariableName(string colName) => colName;

    public override string AddIntermediateVariable(DataViewType type, string colName, bool skip = false) => Unique(colName);

    public override OnnxVersion GetOnnxVersion() => OnnxVersion.Stable;

    public override List<long>? RetrieveShapeOrNull(string variableName) => null;

    public override OnnxNode CreateNode(string opType, IEnumerable<string> inputs, IEnumerable<string> outputs, string name, string? domain = null)
    {
        var node = new GraphNode(opType, inputs, outputs, name);
        _nodes.Add(node);
        return node;
    }

    public override string AddInitializer(float value, string? name = null, bool makeUniqueName = true) => Add(name, FloatType, [], [value]);

    public override string AddInitializer(long value, string? name = null, bool makeUniqueName = true) => Add(name, Int64Type, [], [value]);

    public override string AddInitializer(double value, string? name = null, bool makeUniqueName = true) => Add(name, DoubleType, [], [value]);

    public override string AddInitializer(IEnumerable<float> values, IEnumerable<long> dims, string? name = null, bool makeUniqueName = true) => Add(name, FloatType, dims, Array(values));

    public override string AddInitializer(IEnumerable<long> values, IEnumerable<long> dims, string? name = null, bool makeUniqueName = true) => Add(name, Int64Type, dims, Array(values));

    public override string AddInitializer(IEnumerable<double> values, IEnumerable<long> dims, string? name = null, bool makeUniqueName = true) => Add(name, DoubleType, dims, Array(values));

    public override string AddInitializer(bool value, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override string AddInitializer(int value, Type type, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override string AddInitializer(string value, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override string AddInitializer(ulong value, bool isUint64, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override string AddInitializer(IEnumerable<bool> values, IEnumerable<long> dims, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override string AddInitializer(IEnumerable<int> values, Type type, IEnumerable<long> dims, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override string AddInitializer(IEnumerable<string> values, IEnumerable<long> dims, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override string AddInitializer(IEnumerable<ulong> values, bool isUint64, IEnumerable<long> dims, string? name = null, bool makeUniqueName = true) => throw new NotSupportedException();

    public override void RemoveColumn(string colName, bool removeVariable = false) => throw new NotSupportedException();

    public override void RemoveVariable(string variableName, bool removeColumn) => throw new NotSupportedException();

    public override void RemoveInputVariable(string variableName) => throw new NotSupportedException();

    private static T[] Array<T>(IEnumerable<T> values) => values as T[] ?? values.ToArray();

    private string Add<T>(string? name, int type, IEnumerable<long> sizes, T[] values)
        where T : unmanaged
    {
        name = Unique(name ?? "constant");
        var tensor = new Protobuf();
        foreach (var size in sizes)
            tensor.Number(1, size);
        _graph.Message(5, tensor.Number(2, type).Text(8, name).Values(9, values, checked(values.Length * Unsafe.SizeOf<T>())));
        return name;
    }

    private string Unique(string name)
    {
        var unique = name;
        for (var i = 0; !_names.Add(unique); i++)
            unique = FormattableString.Invariant($"{name}{i}");
        return unique;
    }

    private byte[] ToArray()
    {
        foreach (var node in _nodes)
            _graph.Message(1, node.Message);
        _graph.Text(2, "network").Message(11, Matrix(Rows)).Message(12, Matrix(Outputs));
        return new Protobuf().Number(1, FormatVersion).Text(2, "MLExtensions").Message(7, _graph).Message(8, new Protobuf().Text(1, "").Number(2, GraphWriter.OperatorSet)).ToArray();
    }

    /// <summary>Describes a variable: floats of two dimensions of any size.</summary>
    private static Protobuf Matrix(string name)
    {
        var shape = new Protobuf().Message(1, new Protobuf().Text(2, "n")).Message(1, new Protobuf().Text(2, name + ".width"));
        return new Protobuf().Text(1, name).Message(2, new Protobuf().Message(1, new Protobuf().Number(1, FloatType).Message(2, shape)));
    }
}

/// <summary>An operator in a <see cref="GraphFile"/>.</summary>
internal sealed class GraphNode : OnnxNode
{
    // Types of attributes.
    private const int FloatAttribute = 1;
    private const int IntAttribute = 2;
    private const int StringAttribute = 3;
    private const int IntsAttribute = 7;

    public GraphNode(string operation, IEnumerable<string> inputs, IEnumerable<string> outputs, string name)
    {
        foreach (var input in inputs)
            Message.Text(1, input);
        foreach (var output in outputs)
            Message.Text(2, output);
        Message.Text(3, name).Text(4, operation);
    }

    public Protobuf Message { get; } = new();

    public override void AddAttribute(string argName, double value) => Add(argName, FloatAttribute, attribute => attribute.Float(2, (float)value));

    public override void AddAttribute(string argName, long value) => Add(argName, IntAttribute, attribute => attribute.Number(3, value));

    public override void AddAttribute(string argName, bool value) => AddAttribute(argName, value ? 1L : 0L);

    public override void AddAttribute(string argName, string value) => Add(argName, StringAttribute, attribute => attribute.Text(4, value));

    public override void AddAttribute(string argName, IEnumerable<long> value) => Add(argName, IntsAttribute, attribute =>
    {
        foreach (var number in value)
            attribute.Number(8, number);
    });

    /// <summary>The element type that a cast makes.</summary>
    public override void AddAttribute(string argName, Type t) => AddAttribute(argName, t == typeof(float) ? 1L : t == typeof(int) ? 6L : t == typeof(long) ? 7L : t == typeof(bool) ? 9L : t == typeof(double) ? 11L : t == typeof(uint) ? 12L : throw new NotSupportedException(t.Name));

    public override void AddAttribute(string argName, ReadOnlyMemory<char> value) => throw new NotSupportedException();

    public override void AddAttribute(string argName, IEnumerable<double> value) => throw new NotSupportedException();

    public override void AddAttribute(string argName, IEnumerable<float> value) => throw new NotSupportedException();

    public override void AddAttribute(string argName, IEnumerable<ReadOnlyMemory<char>> value) => throw new NotSupportedException();

    public override void AddAttribute(string argName, string[] value) => throw new NotSupportedException();

    public override void AddAttribute(string argName, IEnumerable<string> value) => throw new NotSupportedException();

    public override void AddAttribute(string argName, IEnumerable<bool> value) => throw new NotSupportedException();

    private void Add(string name, int type, Action<Protobuf> value)
    {
        var attribute = new Protobuf().Text(1, name);
        value(attribute);
        Message.Message(5, attribute.Number(20, type));
    }
}
