using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(AutoencoderTransformer), typeof(AutoencoderTransformer), null, typeof(SignatureLoadModel), "", AutoencoderTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// A trained autoencoder: adds the latent representation of a feature column, and optionally the reconstructed features and their error.
/// </summary>
public sealed class AutoencoderTransformer : FeatureColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtAutoencoder";
    private const string ModelSignature = "MLEXTAEN";
    private const string ModelFolder = "Model";

    private readonly List<(OutputColumn Column, Kind Kind)> _outputs;

    internal AutoencoderTransformer(IHostEnvironment env, NetworkModelParameters model, AutoencoderColumnNames names)
        : base(env.Register(LoaderSignature), names.Input, model)
    {
        OutputColumnName = names.Output;
        ReconstructionColumnName = names.Reconstruction;
        ErrorColumnName = names.Error;
        Model = model;
        Architecture = (AutoencoderArchitecture)model.Architecture;
        MultiplyAdds = Architecture.MultiplyAdds / (names is { Reconstruction: null, Error: null } ? 2 : 1);
        _outputs = [(OutputColumn.Vector(names.Output, LatentSize), Kind.Code)];
        if (names.Reconstruction != null)
            _outputs.Add((OutputColumn.Vector(names.Reconstruction, InputCount), Kind.Reconstruction));
        if (names.Error != null)
            _outputs.Add((OutputColumn.Number(names.Error), Kind.Error));
    }

    private enum Kind
    {
        Code,
        Reconstruction,
        Error,
    }

    /// <summary>The column of the latent representation.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of the reconstructed features; null if there is none.</summary>
    public string? ReconstructionColumnName { get; }

    /// <summary>The column of the mean squared error per feature, a <c>Single</c>; null if there is none.</summary>
    public string? ErrorColumnName { get; }

    /// <summary>The trained network with its history. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The layers and sizes of the network.</summary>
    public AutoencoderArchitecture Architecture { get; }

    /// <summary>The number of values of the code.</summary>
    public int LatentSize => Architecture.LatentSize;

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    internal override FeatureFormat Format => Model.Format;


    internal override IReadOnlyList<OutputColumn> Outputs => _outputs.ConvertAll(output => output.Column);

    internal override double MultiplyAdds { get; }

    private AutoencoderNetwork Network => (AutoencoderNetwork)Model.Network;

    private int InputCount => Architecture.InputCount;

    /// <summary>Encodes features.</summary>
    /// <param name="features">The features, as many values as the network was trained on.</param>
    /// <returns>The latent representation, <see cref="LatentSize"/> values.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Encode(float[] features) => Compute(features, InputCount, Network.Encode);

    /// <summary>Decodes a latent representation, which need not come from a row.</summary>
    /// <param name="code">The latent representation, <see cref="LatentSize"/> values.</param>
    /// <returns>The features: probabilities or real numbers, depending on <see cref="AutoencoderArchitecture.Output"/>.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Decode(float[] code)
    {
        ArgumentNullException.ThrowIfNull(code);
        if (code.Length != LatentSize)
            throw new ArgumentException(FormattableString.Invariant($"The latent representation has {code.Length} values; the network's has {LatentSize}."), nameof(code));
        return Compute(code, LatentSize, Network.Reconstruct);
    }

    /// <summary>Reconstructs features: encodes and decodes them.</summary>
    /// <param name="features">The features, as many values as the network was trained on.</param>
    /// <returns>The reconstructed features, as many values.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Reconstruct(float[] features) => Compute(features, InputCount, Reconstruct);

    /// <summary>Returns the mean squared error per feature between features and their reconstructions, over all rows.</summary>
    /// <param name="data">Data with the feature column.</param>
    /// <exception cref="ArgumentException">The column is missing, of another type or size, or there are no rows.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and value.</exception>
    public double ReconstructionError(IDataView data) => MeanOf(data, rows => Error(Reconstruct(rows), rows));

    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        var code = Network.Encode(features);
        var reconstruction = active.Any(index => _outputs[index].Kind != Kind.Code) ? Network.Reconstruct(code) : null;
        return active.Select(index => _outputs[index].Kind switch
        {
            Kind.Reconstruction => reconstruction!,
            Kind.Error => Error(reconstruction!, features).unsqueeze(1),
            _ => code,
        }).ToArray();
    }

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows)
    {
        var graph = Model.CreateGraph(context);
        var code = Architecture.WriteCode(graph, rows);
        var reconstruction = _outputs.Count == 1 ? null : Architecture.WriteReconstruction(graph, code);
        return _outputs.ConvertAll(output => output.Kind switch
        {
            Kind.Reconstruction => reconstruction!,
            Kind.Error => Error(graph, reconstruction!, rows),
            _ => code,
        });
    }

    internal static AutoencoderTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var output = ctx.LoadNonEmptyString();
        var input = ctx.LoadNonEmptyString();
        var reconstruction = ctx.LoadStringOrNull();
        var error = ctx.Header.ModelVerWritten >= ModelVersion.Second ? ctx.LoadStringOrNull() : null;
        var model = ctx.LoadNetwork(env, ModelFolder, "an autoencoder", network => network is { Architecture: AutoencoderArchitecture, Head: null });
        return new AutoencoderTransformer(env, model, new(output, input, reconstruction, error));
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveStringOrNull(ReconstructionColumnName);
        ctx.SaveStringOrNull(ErrorColumnName);
        ctx.SaveModel(Model, ModelFolder);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private float[] Compute(float[] values, int width, Func<Tensor, Tensor> network)
    {
        using var lease = Lease();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        return TensorMemory.Floats(network(FeatureRows.ToTensor([values], width)).contiguous()).ToArray();
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature, ModelVersion.Second);

    private Tensor Reconstruct(Tensor features) => Network.Reconstruct(Network.Encode(features));

    /// <summary>The mean squared error of each row, <c>[rows]</c>.</summary>
    private static Tensor Error(Tensor reconstruction, Tensor features) => (reconstruction - features).pow_(Number.Of(2)).mean([1]);

    private static string Error(GraphWriter graph, string reconstruction, string features)
    {
        var difference = graph.Node("Sub", [reconstruction, features]);
        return graph.Reduce("ReduceMean", graph.Multiply(difference, difference), keepDimensions: true, 1);
    }
}

/// <summary>The column names of an autoencoder.</summary>
/// <param name="Output">The column of the latent representation.</param>
/// <param name="Input">The feature column.</param>
/// <param name="Reconstruction">The column of the reconstruction, or null.</param>
/// <param name="Error">The column of the error, or null.</param>
internal sealed record AutoencoderColumnNames(string Output, string Input, string? Reconstruction, string? Error);
