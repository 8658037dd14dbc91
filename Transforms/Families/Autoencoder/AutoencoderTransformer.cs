using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(AutoencoderTransformer), typeof(AutoencoderTransformer), null, typeof(SignatureLoadModel), "", AutoencoderTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained autoencoder: adds the code of a column of features, and on demand what the code says that the features were.</summary>
public sealed class AutoencoderTransformer : FeatureColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtAutoencoder";
    private const string ModelSignature = "MLEXTAEN";
    private const string ModelFolder = "Model";

    private readonly AutoencoderNetwork _network;
    private readonly List<OutputColumn> _outputs;

    internal AutoencoderTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, string inputColumnName, string? reconstructionColumnName)
        : base(env.Register(LoaderSignature), inputColumnName)
    {
        OutputColumnName = outputColumnName;
        ReconstructionColumnName = reconstructionColumnName;
        Model = model;
        Architecture = (AutoencoderArchitecture)model.Architecture;
        _network = (AutoencoderNetwork)model.Network;
        MultiplyAdds = Architecture.MultiplyAdds / (reconstructionColumnName == null ? 2 : 1);
        _outputs = [OutputColumn.Vector(outputColumnName, LatentSize)];
        if (reconstructionColumnName != null)
            _outputs.Add(OutputColumn.Vector(reconstructionColumnName, InputCount));
    }

    /// <summary>The column of the code.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of the reconstructed features; null where there is none.</summary>
    public string? ReconstructionColumnName { get; }

    /// <summary>The network, with its weights and how it was trained. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The network's layers and sizes.</summary>
    public AutoencoderArchitecture Architecture { get; }

    /// <summary>The number of values of the code.</summary>
    public int LatentSize => Architecture.LatentSize;

    /// <summary>How the training went, epoch by epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained here.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    internal override FeatureFormat Format => Model.Format;

    internal override IReadOnlyList<OutputColumn> Outputs => _outputs;

    internal override double MultiplyAdds { get; }

    private int InputCount => Architecture.InputCount;

    /// <summary>The code of features.</summary>
    /// <param name="features">As many values as the network was trained on.</param>
    /// <returns><see cref="LatentSize"/> values.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Encode(float[] features) => Compute(features, InputCount, _network.Encode);

    /// <summary>What a code says that the features were; any code will do, also one that no row has.</summary>
    /// <param name="code"><see cref="LatentSize"/> values.</param>
    /// <returns>The features: probabilities, or real numbers, as <see cref="AutoencoderArchitecture.Output"/> says.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Decode(float[] code)
    {
        ArgumentNullException.ThrowIfNull(code);
        if (code.Length != LatentSize)
            throw new ArgumentException($"The code has {code.Length} values; the network's has {LatentSize}.", nameof(code));
        return Compute(code, LatentSize, _network.Reconstruct);
    }

    /// <summary>What the code of features says that they were.</summary>
    /// <param name="features">As many values as the network was trained on.</param>
    /// <returns>As many values.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Reconstruct(float[] features) => Compute(features, InputCount, Reconstruct);

    /// <summary>The mean squared difference between features and their reconstructions: per feature, over all rows.</summary>
    /// <param name="data">Data with the column of features.</param>
    /// <exception cref="ArgumentException">The column is missing, of another type or size, or there are no rows.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and value.</exception>
    public double ReconstructionError(IDataView data) => MeanOf(data, rows => (Reconstruct(rows) - rows).pow_(2).mean([1]));

    /// <inheritdoc/>
    public override void Dispose() => Model.Dispose();

    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        var code = _network.Encode(features);
        return active.Select(index => index == 0 ? code : _network.Reconstruct(code)).ToArray();
    }

    internal static AutoencoderTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var output = ctx.LoadNonEmptyString();
        var input = ctx.LoadNonEmptyString();
        var reconstruction = ctx.LoadStringOrNull();
        var model = ctx.LoadNetwork(env, ModelFolder, "an autoencoder", network => network is { Architecture: AutoencoderArchitecture, Head: null });
        return new AutoencoderTransformer(env, model, output, input, reconstruction);
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveStringOrNull(ReconstructionColumnName);
        ctx.SaveModel(Model, ModelFolder);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static float[] Compute(float[] values, int width, Func<Tensor, Tensor> network)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        return TensorMemory.Floats(network(FeatureRows.ToTensor([values], width)).contiguous()).ToArray();
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private Tensor Reconstruct(Tensor features) => _network.Reconstruct(_network.Encode(features));
}
