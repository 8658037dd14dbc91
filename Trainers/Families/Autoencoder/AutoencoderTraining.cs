using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Families.Rbm;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Autoencoder;

/// <summary>One training of an autoencoder.</summary>
internal sealed class AutoencoderTraining(IHost host, AutoencoderEstimator.Options options, int seed) : NetworkTraining<RowBatch>(host, options, seed)
{
    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session) =>
        new AutoencoderDesign(options, start.Model).CreateArchitecture(WidthOf(input, validation));

    private protected override TrainingData<RowBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var rows = UnlabeledData.Open(input, validation, options.InputColumnName, FormatOf((AutoencoderArchitecture)architecture), options.CreateRowSettings(Seed), session.ThrowIfCancelled);
        var (training, aside) = rows.CreateBatches(options.BatchSize, Seed, device, share: Distributed.ShareOf(options.Distributed));
        var scaled = new ScaledBatches<RowBatch>(training, new FeatureScale(options.InputColumnName, firstNumber: 0, session.Warn));
        return new TrainingData<RowBatch>(scaled, aside, head: null, rows);
    }

    private protected override TrainingStep<RowBatch> CreateStep(TrainedNetwork network, TrainingData<RowBatch> data) =>
        new AutoencoderStep(network, ((AutoencoderArchitecture)network.Architecture).Output);

    private static FeatureFormat FormatOf(AutoencoderArchitecture architecture)
    {
        var values = new DenseFormat(architecture.InputCount);
        return architecture.Output == AutoencoderOutput.Bernoulli
            ? new RangeFormat(values, $"features of an autoencoder with {nameof(options.Output)} = {architecture.Output}")
            : values;
    }

    private int WidthOf(IDataView input, IDataView? validation)
    {
        var width = FeatureReader.WidthOf(FeatureRows.Find(input.Schema, options.InputColumnName));
        if (validation == null)
            return width;
        var other = FeatureReader.WidthOf(FeatureRows.Find(validation.Schema, options.InputColumnName));
        if (other != width)
            throw new ArgumentException(FormattableString.Invariant($"Column '{options.InputColumnName}' has {other} values in the validation data and {width} in the training data."), nameof(validation));
        return width;
    }
}

/// <summary>The training step of an autoencoder. The loss compares the reconstructed features with the features.</summary>
internal sealed class AutoencoderStep(TrainedNetwork network, AutoencoderOutput output) : PredictionStep<RowBatch>(network)
{
    protected override Tensor InputsOf(RowBatch batch) => batch.Features;

    protected override Tensor Loss(Tensor outputs, RowBatch batch) => output == AutoencoderOutput.Bernoulli
        ? nn.functional.binary_cross_entropy_with_logits(outputs, batch.Features)
        : nn.functional.mse_loss(outputs, batch.Features);

    protected override void Measure(Tensor outputs, RowBatch batch, MetricSums metrics)
    {
        using var noGradient = no_grad();
        var means = output == AutoencoderOutput.Bernoulli ? outputs.sigmoid() : outputs;
        metrics.Add("mse", nn.functional.mse_loss(means, batch.Features).item<float>() * (double)batch.RowCount);
    }
}

/// <summary>Creates an architecture from the options, the initial model and the defaults, in this order.</summary>
internal sealed class AutoencoderDesign
{
    private readonly AutoencoderEstimator.Options _options;
    private readonly AutoencoderArchitecture? _given;
    private readonly bool _isUnrolled;

    /// <exception cref="ArgumentException">The initial model has no network, or one that cannot be unrolled.</exception>
    public AutoencoderDesign(AutoencoderEstimator.Options options, IInitialWeights? initial)
    {
        _options = options;
        _isUnrolled = initial is RbmWeights;
        _given = initial is RbmWeights stack ? stack.Unroll() : initial?.Architecture as AutoencoderArchitecture;
        Output = options.Output ?? _given?.Output ?? AutoencoderOutput.Bernoulli;
    }

    public AutoencoderOutput Output { get; }

    /// <exception cref="ArgumentException">The options contradict the stack of RBMs that training starts from.</exception>
    public AutoencoderArchitecture CreateArchitecture(int featureCount)
    {
        var hidden = _options.HiddenLayers ?? _given?.EncoderLayers.SkipLast(1).Select(layer => layer.Units).ToArray() ?? AutoencoderEstimator.Options.DefaultHiddenLayers;
        var code = new AutoencoderLayer(
            _options.LatentSize ?? _given?.LatentSize ?? AutoencoderEstimator.Options.DefaultLatentSize,
            _options.LatentActivation ?? _given?.EncoderLayers[^1].Activation ?? Activation.Identity);
        var architecture = new AutoencoderArchitecture
        {
            InputCount = featureCount,
            OutputCount = featureCount,
            EncoderLayers = [.. hidden.Select((units, i) => new AutoencoderLayer(units, HiddenActivation(i))), code],
            Output = Output,
        };
        if (_isUnrolled && architecture != _given)
            throw Differs(architecture, _given!);
        return architecture;
    }

    private Activation HiddenActivation(int layer) =>
        _options.Activation ?? (layer < _given?.EncoderLayers.Count - 1 ? _given!.EncoderLayers[layer].Activation : Activation.ReLU);

    private static ArgumentException Differs(AutoencoderArchitecture wanted, AutoencoderArchitecture unrolled) => new(
        $"InitialModel unrolls to {Describe(unrolled)}, but column and options ask for {Describe(wanted)}. HiddenLayers, LatentSize, Activation, LatentActivation and Output must match the RBMs or be null.",
        nameof(TrainingOptions.InitialModel));

    private static string Describe(AutoencoderArchitecture architecture) =>
        FormattableString.Invariant($"{architecture.InputCount} {architecture.Output} - {string.Join(" - ", architecture.EncoderLayers.Select(layer => FormattableString.Invariant($"{layer.Units} {layer.Activation}")))}");
}
