using MLExtensions.Families.Forecasting;
using MLExtensions.Models;
using MLExtensions.Onnx;
using MLExtensions.Persistence;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using MLExtensions;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(NetworkModelParameters), null, typeof(SignatureLoadModel), "Neural network", NetworkModelParameters.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained network: architecture, weights and training history. All families and tasks use this class.</summary>
/// <remarks>
/// Scoring is thread-safe. Disposing frees the weights as soon as nothing uses them; the transformer that holds the model disposes it. After
/// that, everything that needs the weights throws an <see cref="ObjectDisposedException"/> that says who owned them.
/// </remarks>
public sealed class NetworkModelParameters : ModelParametersBase<VBuffer<float>>, IPredictorProducing<float>, IValueMapperDist, ISchemaBindableMapper, IRowComputation, IInitialWeights, IBindableCanSaveOnnx, IDisposable
{
    internal const string LoaderSignature = "MLExtNetwork";

    private readonly NetworkModelParameters[] _self;

    /// <summary>Takes ownership of the network, which must be on the CPU in float32.</summary>
    internal NetworkModelParameters(IHostEnvironment env, NetworkArchitecture architecture, PredictionHead? head, nn.Module<Tensor, Tensor> network, TrainingHistory? history)
        : base(env, LoaderSignature)
    {
        Architecture = architecture;
        Head = head;
        History = history;
        Weights = new LeasedNetwork(network);
        _self = [this];
        (MultiplyAdds, ScoringRows) = (architecture.MultiplyAdds, architecture.ScoringRows);
        Format = architecture.Format;
    }

    private NetworkModelParameters(IHostEnvironment env, ModelLoadContext ctx)
        : base(env, LoaderSignature, ctx)
    {
        (Architecture, Head, Weights, History) = ModelStorage.Load(ctx);
        _self = [this];
        (MultiplyAdds, ScoringRows) = (Architecture.MultiplyAdds, Architecture.ScoringRows);
        Format = Architecture.Format;
    }

    /// <summary>The layers and sizes of the network.</summary>
    public NetworkArchitecture Architecture { get; }

    /// <summary>The training history: metrics per epoch; null for a network that was not trained by this library.</summary>
    public TrainingHistory? History { get; }

    /// <summary>The names and shapes of the weights, as in the saved <c>weights.safetensors</c>.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> WeightShapes
    {
        get
        {
            using var lease = Lease();
            return Weights.Shapes;
        }
    }

    /// <summary>What was learned from the data besides the weights, or null.</summary>
    internal PredictionHead? Head { get; set; }

    /// <inheritdoc/>
    internal IReadOnlyList<string>? ClassNames { get; set; }

    IReadOnlyList<string>? IInitialWeights.ClassNames => ClassNames;

    /// <summary>The head that turns outputs into scores.</summary>
    internal ScoreHead Scores => Head as ScoreHead ?? throw new InvalidOperationException("The network was not trained with a label, so it has no scores.");

    internal FeatureFormat Format { get; }

    /// <summary>The network, to be used with a lease.</summary>
    internal nn.Module<Tensor, Tensor> Network => Weights.Module;

    /// <summary>The ownership of the network.</summary>
    internal LeasedNetwork Weights { get; }

    internal double MultiplyAdds { get; }

    internal int ScoringRows { get; }

    FeatureFormat IBlockScorer.Format => Format;

    int IBlockScorer.OutputCount => Scores.OutputCount;

    PredictionHead? IInitialWeights.Head => Head;

    bool IInitialWeights.LacksOutput => false;

    DataViewType IValueMapper.InputType => Format.InputType;

    DataViewType IValueMapper.OutputType => Scores.ScoreType;

    DataViewType IValueMapperDist.DistType => NumberDataViewType.Single;

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => (Head as ScoreHead)?.Kind ?? PredictionKind.Custom;

    /// <inheritdoc cref="NetworkArchitecture.Summary"/>
    public string Summary() => Architecture.Summary();

    /// <summary>Returns a copy of one of the weight tensors, in row-major order.</summary>
    /// <param name="name">One of the names in <see cref="WeightShapes"/>.</param>
    /// <exception cref="ArgumentException">There are no weights with that name.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public float[] GetWeights(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        using var lease = Lease();
        return Weights.Find(name)?.Values.ToArray() ?? throw new ArgumentException($"The network has no weights '{name}'; it has {string.Join(", ", WeightShapes.Keys)}.", nameof(name));
    }

    /// <summary>
    /// Writes the weights as a safetensors file, with the names, shapes and types of <see cref="WeightShapes"/>. A network with
    /// torchvision's names can be loaded there: <c>model.load_state_dict(safetensors.torch.load_file(path))</c>.
    /// </summary>
    /// <param name="path">The file. It is replaced atomically, and its folder is created if necessary.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed. The file is then unchanged.</exception>
    public void SaveWeights(string path)
    {
        using var lease = Lease();
        var weights = Network.state_dict();
        AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, weights));
    }

    /// <summary>Frees the weights, as soon as nothing uses them.</summary>
    public void Dispose() => Weights.Dispose();

    /// <summary>Keeps the weights until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed; the message says who owned it and what to do.</exception>
    internal NetworkLease Lease() => NetworkLease.Of(_self);

    NetworkLease IInitialWeights.Lease() => Lease();

    IReadOnlyDictionary<string, Tensor> IInitialWeights.WeightsFor(NetworkArchitecture architecture) =>
        new Dictionary<string, Tensor>(Network.state_dict());

    ISchemaBoundMapper ISchemaBindableMapper.Bind(IHostEnvironment env, RoleMappedSchema schema)
    {
        var column = schema.Feature ?? throw new ArgumentException("The data has no feature column.", nameof(schema));
        Format.Check(column);
        return new NetworkRowMapper(this, Scores, schema);
    }

    double IRowComputation.MultiplyAdds => MultiplyAdds;

    int IRowComputation.PassRows => ScoringRows;

    IReadOnlyList<NetworkModelParameters> IRowComputation.Networks => _self;

    string IRowComputation.Name => Scores.GetType().Name;

    Tensor IRowComputation.Compute(Tensor rows) => Scores.Activate(Network.call(rows)).contiguous();

    string IRowComputation.Write(OnnxContext context, string rows)
    {
        var graph = CreateGraph(context);
        return Scores.Write(graph, Architecture.Write(graph, rows));
    }

    ValueMapper<TSrc, TDst> IValueMapper.GetMapper<TSrc, TDst>() => ModelValueMappers.Create<TSrc, TDst>(this);

    ValueMapper<TSrc, TDst, TDist> IValueMapperDist.GetMapper<TSrc, TDst, TDist>() => ModelValueMappers.CreateWithProbability<TSrc, TDst, TDist>(this);

    bool ICanSaveOnnx.CanSaveOnnx(OnnxContext ctx) => true;

    bool IBindableCanSaveOnnx.SaveAsOnnx(OnnxContext ctx, RoleMappedSchema schema, string[] outputNames)
    {
        using var lease = Lease();
        var graph = CreateGraph(ctx);
        var columns = new OnnxColumns(ctx, schema.Schema, Weights.Owner);
        var feature = schema.Feature!.Value;
        if (outputNames.Contains(columns.Variable(feature)))
            throw columns.NotExportable($"its feature column '{feature.Name}' has the name of a column that it adds. Copy it to one of another name (CopyColumns) before the training");
        Scores.WriteColumns(graph, Architecture.Write(graph, Format.Write(graph, columns, feature)), outputNames);
        return true;
    }

    /// <summary>Creates what adds the network to a graph of ONNX operators, to be used with a lease.</summary>
    /// <exception cref="ArgumentException">The graph was asked for in an older operator set than the network needs.</exception>
    /// <exception cref="NotSupportedException">The network does not fit a file.</exception>
    internal GraphWriter CreateGraph(OnnxContext context)
    {
        context.CheckOpSetVersion(GraphWriter.OperatorSet, Architecture.GetType().Name);
        GraphWriter.CheckSize(Architecture.ParameterCount, Weights.Owner);
        var weights = Weights.OpenWeights();
        return new GraphWriter(context, weights);
    }

    internal static NetworkModelParameters Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        return new NetworkModelParameters(env, ctx);
    }

    /// <inheritdoc/>
    protected override void SaveCore(ModelSaveContext ctx)
    {
        using var lease = Lease();
        base.SaveCore(ctx);
        ctx.SetVersionInfo(GetVersionInfo());
        ModelStorage.Save(ctx, this);
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of("MLEXTNET", LoaderSignature);
}

/// <summary>A source of initial weights for another training.</summary>
internal interface IInitialWeights
{
    /// <summary>The architecture of the trained network.</summary>
    NetworkArchitecture Architecture { get; }

    /// <summary>The head of the trained network; null if there is none.</summary>
    PredictionHead? Head { get; }

    /// <summary>The names of the classes in the order of the outputs; null if there are none or they have no names.</summary>
    IReadOnlyList<string>? ClassNames => null;

    /// <summary>Whether a network may have an output layer that these weights do not have.</summary>
    bool LacksOutput { get; }

    /// <summary>Keeps the weights until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed; the message says who owned it and what to do.</exception>
    NetworkLease Lease();

    /// <summary>Returns the weights with the names and shapes of another network; weights that do not fit it keep their own.</summary>
    /// <remarks>They are those of the model itself: they need a lease.</remarks>
    IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture);
}

/// <summary>A transformer with networks.</summary>
internal interface IHasNetworks
{
    IReadOnlyList<NetworkModelParameters> Networks { get; }
}

/// <summary>A transformer with trained networks that another training can start from.</summary>
internal interface INetworkHolder
{
    IInitialWeights InitialWeights { get; }
}

/// <summary>A saved model, checkpoint or history is damaged, truncated, or not in the expected format.</summary>
/// <remarks>The message begins with <see cref="EntryName"/> and says what was found and what was expected.</remarks>
public sealed class ModelFormatException : FormatException
{
    internal ModelFormatException(string entryName, string problem, Exception? inner = null)
        : base($"{entryName}: {problem}", inner)
    {
        EntryName = entryName;
    }

    /// <summary>The file, or the entry in the model's .zip, that cannot be read.</summary>
    public string EntryName { get; }
}
