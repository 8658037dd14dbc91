using MLExtensions.Families.Rbm;
using MLExtensions.Models;
using MLExtensions.Onnx;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using MLExtensions;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(RbmTransformer), typeof(RbmTransformer), null, typeof(SignatureLoadModel), "", RbmTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// A trained restricted Boltzmann machine (RBM) or a stack of RBMs: adds the values of the topmost hidden units for a feature column.
/// </summary>
/// <remarks>In a stack, means are propagated up and down between the RBMs. Sampling and the free energy use the topmost RBM.</remarks>
public sealed class RbmTransformer : FeatureColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtRbm";
    private const string ModelSignature = "MLEXTRBM";
    internal const int MaximumLayers = 1000;

    private readonly RbmStack _stack;
    private readonly RbmOutput _output;
    private readonly int _seed;
    private readonly List<(OutputColumn Column, Kind Kind)> _outputs;

    internal RbmTransformer(IHostEnvironment env, IReadOnlyList<NetworkModelParameters> layers, RbmColumnNames names, RbmOutput output, int seed)
        : base(env.Register(LoaderSignature), names.Input, layers)
    {
        Layers = layers;
        OutputColumnName = names.Output;
        ReconstructionColumnName = names.Reconstruction;
        FreeEnergyColumnName = names.FreeEnergy;
        _stack = new RbmStack(layers);
        _output = output;
        _seed = seed;
        MultiplyAdds = layers.Sum(layer => layer.Architecture.MultiplyAdds) * (names.Reconstruction == null ? 1 : 2);
        _outputs = [(OutputColumn.Vector(OutputColumnName, layers[^1].Architecture.OutputCount), Kind.Hidden)];
        if (names.Reconstruction != null)
            _outputs.Add((OutputColumn.Vector(names.Reconstruction, InputCount), Kind.Reconstruction));
        if (names.FreeEnergy != null)
            _outputs.Add((OutputColumn.Number(names.FreeEnergy), Kind.FreeEnergy));
    }

    private enum Kind
    {
        Hidden,
        Reconstruction,
        FreeEnergy,
    }

    /// <summary>The column of the hidden units.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of the reconstructed features; null if there is none.</summary>
    public string? ReconstructionColumnName { get; }

    /// <summary>The column of the free energy, a <c>Single</c>; null if there is none.</summary>
    public string? FreeEnergyColumnName { get; }

    /// <summary>
    /// The RBMs, from the lowest to the topmost, with their architectures (<see cref="RbmArchitecture"/>), weights (<c>weight</c>,
    /// <c>hidden_bias</c>, <c>visible_bias</c>) and histories. The transformer owns them.
    /// </summary>
    public IReadOnlyList<NetworkModelParameters> Layers { get; }

    /// <summary>The training history of each RBM, from the lowest to the topmost.</summary>
    public IReadOnlyList<TrainingHistory> Histories => Layers.Select(layer => layer.History ?? throw new InvalidOperationException("The RBM was not trained by this library, so it has no history.")).ToArray();

    /// <summary>The training history of an RBM that is no stack.</summary>
    /// <exception cref="InvalidOperationException">It is a stack: use <see cref="Histories"/>.</exception>
    public TrainingHistory History => Layers.Count == 1 ? Histories[0] : throw new InvalidOperationException(FormattableString.Invariant($"The stack has {Layers.Count} RBMs, each with a history of its own: use Histories."));

    IInitialWeights INetworkHolder.InitialWeights => new RbmWeights(Layers);


    internal override string? WhyLibtorch => _output == RbmOutput.Samples ? $"column '{OutputColumnName}' has samples, which are drawn from a hash of the row" : null;

    internal override FeatureFormat Format => Layers[0].Format;

    internal override IReadOnlyList<OutputColumn> Outputs => _outputs.ConvertAll(output => output.Column);

    internal override double MultiplyAdds { get; }

    private int InputCount => Layers[0].Architecture.InputCount;

    /// <summary>Returns a copy of the weights of an RBM: one row per hidden unit with its weights to the visible units.</summary>
    /// <param name="layer">The index of the RBM, 0 for the lowest. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no RBM with this index.</exception>
    public float[][] GetWeights(int layer = 0)
    {
        if (layer < 0 || layer >= Layers.Count)
            throw new ArgumentOutOfRangeException(nameof(layer), layer, FormattableString.Invariant($"layer is {layer}; it must be from 0 to {Layers.Count - 1}."));
        return Layers[layer].GetWeights("weight").Chunk(Layers[layer].Architecture.InputCount).ToArray();
    }

    /// <summary>Reconstructs features: propagates means up to the topmost hidden units and down again.</summary>
    /// <param name="features">The features, as many values as there are visible units.</param>
    /// <returns>The expected values of the visible units.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Reconstruct(float[] features)
    {
        using var lease = Lease();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        return TensorMemory.Floats(_stack.Visible(_stack.Hidden(_stack.BelowTop(FeatureRows.ToTensor([features], InputCount))))).ToArray();
    }

    /// <summary>Generates samples with Gibbs sampling that starts from noise.</summary>
    /// <param name="count">The number of samples, each from its own chain.</param>
    /// <param name="steps">The number of Gibbs steps per chain; after a few thousand the noise is forgotten.</param>
    /// <param name="seed">The seed.</param>
    /// <returns>The expected values of the visible units after the last step, one row per chain.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or there are more samples than fit into memory.</exception>
    public float[][] Sample(int count, int steps, int seed)
    {
        RbmRows.CheckPositive(count, nameof(count));
        RbmRows.CheckPositive(steps, nameof(steps));
        return Sample(null, count, steps, seed);
    }

    /// <summary>Generates samples with Gibbs sampling that starts from data.</summary>
    /// <param name="start">The initial visible units, one row per chain.</param>
    /// <param name="steps">The number of Gibbs steps per chain.</param>
    /// <param name="seed">The seed.</param>
    /// <returns>The expected values of the visible units after the last step, one row per chain.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">There are no rows, or one has too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[][] Sample(IReadOnlyList<float[]> start, int steps, int seed)
    {
        RbmRows.CheckPositive(steps, nameof(steps));
        return Sample(start, start?.Count ?? 0, steps, seed);
    }

    /// <summary>
    /// Returns the mean pseudo-log-likelihood of data under the lowest RBM, in nats per row: the sum over all Bernoulli units of the
    /// logarithm of the unit's probability given all others. It is estimated with one random unit per row (Besag, 1975).
    /// </summary>
    /// <param name="data">Data with the feature column; values in [0, 1].</param>
    /// <param name="seed">The seed. Default 1.</param>
    /// <exception cref="InvalidOperationException">The visible units are not Bernoulli units.</exception>
    /// <exception cref="ArgumentException">The column is missing, of another type or size, or there are no rows.</exception>
    public double PseudoLogLikelihood(IDataView data, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(data);
        var kind = _stack.Lowest.Architecture.VisibleUnits;
        if (kind != VisibleUnitType.Bernoulli)
            throw new InvalidOperationException($"The visible units are {kind} units; the pseudo-log-likelihood needs Bernoulli units.");
        var random = new SplitMix64((ulong)(uint)seed);
        return MeanOf(data, rows => _stack.Lowest.PseudoLogLikelihood(rows, RbmRows.DrawUnits(rows, ref random)));
    }

    /// <summary>
    /// Returns the mean free energy of data under the topmost RBM. A higher value on new data than on training data indicates overfitting.
    /// </summary>
    /// <param name="data">Data with the feature column.</param>
    /// <exception cref="ArgumentException">The column is missing, of another type or size, or there are no rows.</exception>
    public double FreeEnergy(IDataView data) => MeanOf(data, rows => _stack.FreeEnergy(_stack.BelowTop(rows)));

    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        var belowTop = _stack.BelowTop(features);
        var hidden = active.Any(index => _outputs[index].Kind != Kind.FreeEnergy) ? _stack.Hidden(belowTop) : null;
        return active.Select(index => _outputs[index].Kind switch
        {
            Kind.FreeEnergy => _stack.FreeEnergy(belowTop).unsqueeze(1),
            Kind.Reconstruction => _stack.Visible(hidden!),
            _ => _output == RbmOutput.Samples ? RbmStack.Draw(features, hidden!, _seed) : hidden!,
        }).ToArray();
    }

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows)
    {
        if (WhyLibtorch is { } why)
            throw OnnxColumns.Refusal(nameof(RbmTransformer), $"{why}. Train with {nameof(RbmOutput)}.{nameof(RbmOutput.Means)}");
        var graphs = Layers.Select(layer => layer.CreateGraph(context)).ToArray();
        var machines = Layers.Select(layer => (RbmArchitecture)layer.Architecture).ToArray();
        var belowTop = rows;
        for (var layer = 0; layer < machines.Length - 1; layer++)
            belowTop = machines[layer].WriteHidden(graphs[layer], belowTop);
        var hidden = machines[^1].WriteHidden(graphs[^1], belowTop);
        return _outputs.ConvertAll(output => output.Kind switch
        {
            Kind.FreeEnergy => machines[^1].WriteFreeEnergy(graphs[^1], belowTop),
            Kind.Reconstruction => Enumerable.Range(0, machines.Length).Reverse().Aggregate(hidden, (values, layer) => machines[layer].WriteVisible(graphs[layer], values)),
            _ => hidden,
        });
    }

    internal static RbmTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var output = ctx.LoadNonEmptyString();
        var input = ctx.LoadNonEmptyString();
        var reconstruction = ctx.LoadStringOrNull();
        var names = new RbmColumnNames(output, input, reconstruction, ctx.LoadStringOrNull());
        var kind = (RbmOutput)ctx.Reader.ReadInt32();
        if (!Enum.IsDefined(kind))
            throw new ModelFormatException(LoaderSignature, $"has the output {kind}, which is not a valid kind of output");
        var seed = ctx.Reader.ReadInt32();
        return new RbmTransformer(env, LoadLayers(env, ctx), names, kind, seed);
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveStringOrNull(ReconstructionColumnName);
        ctx.SaveStringOrNull(FreeEnergyColumnName);
        ctx.Writer.Write((int)_output);
        ctx.Writer.Write(_seed);
        ctx.Writer.Write(Layers.Count);
        for (var i = 0; i < Layers.Count; i++)
            ctx.SaveModel(Layers[i], Folder(i));
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static string Folder(int layer) => FormattableString.Invariant($"Layer{layer}");

    private static List<NetworkModelParameters> LoadLayers(IHostEnvironment env, ModelLoadContext ctx)
    {
        var count = ctx.Reader.ReadInt32();
        var layers = new List<NetworkModelParameters>();
        try
        {
            if (count is < 1 or > MaximumLayers)
                throw new ModelFormatException(LoaderSignature, FormattableString.Invariant($"has {count} layers; it must have from 1 to {MaximumLayers}"));
            for (var i = 0; i < count; i++)
            {
                ctx.LoadModel<NetworkModelParameters, SignatureLoadModel>(env, out var layer, Folder(i));
                layers.Add(layer);
                if (layer.Architecture is not RbmArchitecture || (i > 0 && layers[i - 1].Architecture.OutputCount != layer.Architecture.InputCount))
                    throw new ModelFormatException(Folder(i), $"is not an RBM that fits the one below it: {layer.Architecture}");
            }
            return layers;
        }
        catch
        {
            layers.ForEach(layer => layer.Dispose());
            throw;
        }
    }

    private float[][] Sample(IReadOnlyList<float[]>? start, int count, int steps, int seed)
    {
        RbmRows.CheckSize(count, Layers.Max(layer => Math.Max(layer.Architecture.InputCount, layer.Architecture.OutputCount)), nameof(count));
        using var lease = Lease();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        // There are many small steps, so threads would mostly wait for each other. Also, a seed then gives the same samples for any number of threads.
        using var threads = TorchThreads.Use(1);
        var visible = start == null ? null : _stack.BelowTop(FeatureRows.ToTensor(start, InputCount));
        var samples = _stack.Sample(visible, count, steps, (ulong)(uint)seed);
        return TensorMemory.Floats(samples.contiguous()).ToArray().Chunk(InputCount).ToArray();
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);
}

/// <summary>What the output column of an RBM contains.</summary>
public enum RbmOutput
{
    /// <summary>The expected values of the hidden units: probabilities for Bernoulli units.</summary>
    Means,

    /// <summary>
    /// Ones and zeros, sampled with the probabilities of Bernoulli units. They depend on the seed and the values of the row, so the same
    /// row always gives the same sample.
    /// </summary>
    Samples,
}

/// <summary>The column names of an RBM.</summary>
/// <param name="Output">The column of the hidden units.</param>
/// <param name="Input">The column of the visible units.</param>
/// <param name="Reconstruction">The column of the reconstruction, or null.</param>
/// <param name="FreeEnergy">The column of the free energy, or null.</param>
internal sealed record RbmColumnNames(string Output, string Input, string? Reconstruction, string? FreeEnergy);
