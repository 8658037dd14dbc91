using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Codes;
using MLExtensions.Models;
using MLExtensions.Networks.Autoencoder;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(AutoencoderTransformer), typeof(AutoencoderTransformer), null, typeof(SignatureLoadModel), "", AutoencoderTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained autoencoder: adds the code of a column of features, and on demand what the code says that the features were.</summary>
public sealed class AutoencoderTransformer : CodeTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtAutoencoder";
    private const string ModelSignature = "MLEXTAEN";
    private const string ModelFolder = "Model";

    private readonly AutoencoderNetwork _network;
    private readonly List<CodeOutput> _outputs;

    internal AutoencoderTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, string inputColumnName, string? reconstructionColumnName)
        : base(env.Register(LoaderSignature), outputColumnName, inputColumnName, reconstructionColumnName)
    {
        Model = model;
        Architecture = (AutoencoderArchitecture)model.Architecture;
        _network = (AutoencoderNetwork)model.Network;
        MultiplyAdds = Architecture.MultiplyAdds / (reconstructionColumnName == null ? 2 : 1);
        _outputs = [new CodeOutput(outputColumnName, CodeSize, IsVector: true)];
        if (reconstructionColumnName != null)
            _outputs.Add(new CodeOutput(reconstructionColumnName, InputCount, IsVector: true));
    }

    /// <summary>The network, with its weights and how it was trained. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The network's layers and sizes.</summary>
    public AutoencoderArchitecture Architecture { get; }

    /// <summary>The number of values of the code.</summary>
    public int CodeSize => Architecture.CodeSize;

    IInitialWeights INetworkHolder.InitialWeights => Model;

    internal override int InputCount => Architecture.InputCount;

    internal override IReadOnlyList<CodeOutput> Outputs => _outputs;

    internal override double MultiplyAdds { get; }

    /// <summary>The code of features.</summary>
    /// <param name="features">As many values as the network was trained on.</param>
    /// <returns><see cref="CodeSize"/> values.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Encode(float[] features) => Compute(features, InputCount, _network.Encode);

    /// <summary>What a code says that the features were; any code will do, also one that no row has.</summary>
    /// <param name="code"><see cref="CodeSize"/> values.</param>
    /// <returns>The features: probabilities, or real numbers, as <see cref="AutoencoderArchitecture.Output"/> says.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Decode(float[] code)
    {
        ArgumentNullException.ThrowIfNull(code);
        if (code.Length != CodeSize)
            throw new ArgumentException($"The code has {code.Length} values; the network's has {CodeSize}.", nameof(code));
        return Compute(code, CodeSize, _network.Reconstruct);
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
        ctx.LoadModel<NetworkModelParameters, SignatureLoadModel>(env, out var model, ModelFolder);
        if (model.Architecture is AutoencoderArchitecture)
            return new AutoencoderTransformer(env, model, output, input, reconstruction);
        model.Dispose();
        throw new ModelFormatException(ModelFolder, $"is no autoencoder: {model.Architecture}");
    }

    private protected override void SaveModels(ModelSaveContext ctx) => ctx.SaveModel(Model, ModelFolder);

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static float[] Compute(float[] values, int width, Func<Tensor, Tensor> network)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        return TensorMemory.Floats(network(CodeRows.ToTensor([values], width)).contiguous()).ToArray();
    }

    private static VersionInfo GetVersionInfo() => new(
        ModelSignature,
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(AutoencoderTransformer).Assembly.FullName,
        loaderSignature: LoaderSignature);

    private Tensor Reconstruct(Tensor features) => _network.Reconstruct(_network.Encode(features));
}
