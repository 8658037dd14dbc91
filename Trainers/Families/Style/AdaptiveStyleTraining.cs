using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>One training of a decoder.</summary>
/// <param name="host">The host.</param>
/// <param name="options">The options.</param>
/// <param name="seed">The seed.</param>
/// <param name="plan">The layers.</param>
/// <param name="encoder">The encoder, on the CPU.</param>
/// <param name="loadLossNetwork">Loads the network of the losses.</param>
internal sealed class AdaptiveStyleTraining(
    IHost host,
    AdaptiveStyleTransferEstimator.Options options,
    int seed,
    AdaptiveStylePlan plan,
    NetworkModelParameters encoder,
    Func<NetworkModelParameters> loadLossNetwork) : NetworkTraining<StylePairBatch>(host, options, seed)
{
    private const int ColumnStyleSeed = 0x53;
    private const int MeasuredPictures = 8;

    private StyleEncoder? _encoder;
    private ImageShape? _content;
    private StylePictures? _pictures;

    private protected override string NetworkName => "decoder";

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        _encoder = OpenEncoder(encoder);
        _content = ShapeOf(input, options.InputColumnName);
        if (options.HasStylePictures)
            _pictures = ReadStyles();
        else
            ShapeOf(input, options.StyleColumnName);
        if (validation != null)
        {
            ShapeOf(validation, options.InputColumnName);
            if (!options.HasStylePictures)
                ShapeOf(validation, options.StyleColumnName);
        }
        var decoder = DecoderArchitecture.MirrorOf(_encoder, DivisorOf(input, start));
        CheckMemory(decoder);
        return decoder;
    }

    private protected override double WorkOf(NetworkArchitecture architecture) =>
        (3 * PositionsOf(_content!) * architecture.MultiplyAdds) + (5 * _encoder!.MultiplyAdds(_content!.Height, _content.Width));

    private protected override TrainingData<StylePairBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var owned = new List<IDisposable?>();
        try
        {
            var network = loadLossNetwork();
            owned.Add(network);
            if (device.type != DeviceType.CPU)
                network.Network.to(device);
            var contents = OpenRows(options.InputColumnName, Seed);
            var styles = options.HasStylePictures ? default : OpenRows(options.StyleColumnName, Seed ^ ColumnStyleSeed);
            var training = Pair(input, contents.Training, styles.Training);
            var aside = contents.Validation == null ? null : Pair(validation ?? input, contents.Validation, styles.Validation);
            return new StyleData(network, training, aside, owned);
        }
        catch
        {
            owned.ForEach(part => part?.Dispose());
            throw;
        }

        (IBatchSource<RowBatch> Training, IBatchSource<RowBatch>? Validation) OpenRows(string column, int order)
        {
            var rows = UnlabeledData.Open(input, validation, data => new TrainingColumns(data.Schema[column], new DenseFormat(checked((int)ShapeOf(data, column).Count)), Label: null, Weight: null, ClassCount: 0), options.CreateRowSettings(Seed), session.ThrowIfCancelled);
            owned.Add(rows);
            return rows.CreateBatches(options.BatchSize, order, device);
        }

        StylePairs Pair(IDataView data, IBatchSource<RowBatch> contents, IBatchSource<RowBatch>? styles)
        {
            StyleSource source = styles == null ? new DrawnStyles(_pictures!.Pictures, Seed, device) : new ColumnStyles(styles, ShapeOf(data, options.StyleColumnName));
            return new StylePairs(contents, ShapeOf(data, options.InputColumnName), source, options.BatchSize);
        }
    }

    private protected override TrainingStep<StylePairBatch> CreateStep(TrainedNetwork network, TrainingData<StylePairBatch> data)
    {
        var loss = new AdaptiveStyleLoss(OpenEncoder(((StyleData)data).LossNetwork), plan, options);
        // Reads rows, which may be bad: before there is anything to dispose.
        var samples = options.TensorBoardFolder == null ? null : StyleSamples.Take(data.Training);
        return new AdaptiveStyleStep(network, loss, samples);
    }

    private protected override IReadOnlyDictionary<string, string> Fingerprint(TrainingData<StylePairBatch> data) => new Dictionary<string, string>
    {
        ["style pictures"] = _pictures == null ? "of the training data" : new DrawnStyles(_pictures.Pictures, Seed, CPU).Checksum,
        ["encoder layer"] = plan.EncoderLayer,
        ["style layers"] = string.Join(", ", plan.StyleLayers),
        ["weights of the loss network"] = WeightChecksum.Of(((StyleData)data).LossNetwork.Network.state_dict().Values),
    };

    private StyleEncoder OpenEncoder(NetworkModelParameters network)
    {
        try
        {
            return new StyleEncoder(network, plan.EncoderLayer);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"{nameof(options.EncoderLayer)} is '{plan.EncoderLayer}': {e.Message}", nameof(options.EncoderLayer), e);
        }
    }

    /// <summary>The size of the pictures of a column.</summary>
    /// <exception cref="ArgumentException">It is not known, or the encoder cannot see such pictures; the message names the column.</exception>
    private ImageShape ShapeOf(IDataView data, string name)
    {
        var shape = ImageShape.Of(PictureReader.Find(data.Schema, name), given: null);
        return _encoder!.ProblemOf(shape.Height, shape.Width) is { } problem
            ? throw new ArgumentException(FormattableString.Invariant($"Column '{name}' has pictures of {shape.Height} x {shape.Width} pixels (height x width): {problem}"), name)
            : shape;
    }

    private StylePictures ReadStyles()
    {
        var styles = StylePictures.Read(new StyleTransferEstimator.Options { StylePaths = options.StylePaths, StyleImages = options.StyleImages, StyleScale = options.StyleScale, BorderPadding = 0 }, encoder);
        for (var i = 0; i < styles.Pictures.Count; i++)
        {
            var (height, width) = (styles.Pictures[i].Height, styles.Pictures[i].Width);
            if (_encoder!.ProblemOf(height, width) is { } problem)
                throw new ArgumentException(FormattableString.Invariant($"{NameOf(i)} has {height} x {width} pixels (height x width): {problem}"), nameof(options.StylePaths));
        }
        return styles;

        string NameOf(int index) => index < options.StylePaths.Count
            ? $"{nameof(options.StylePaths)} '{options.StylePaths[index]}'"
            : FormattableString.Invariant($"{nameof(options.StyleImages)}[{index - options.StylePaths.Count}]");
    }

    /// <summary>
    /// The size of what the encoder sees, which differs by network: the root mean square over the first pictures, as a power of two so that rounding
    /// does not matter.
    /// </summary>
    private double DivisorOf(IDataView input, StartingWeights start)
    {
        if (start.Model is AdaptiveStyleWeights known)
        {
            if (WeightChecksum.Of(known.Encoder.Network.state_dict().Values) != WeightChecksum.Of(encoder.Network.state_dict().Values))
                throw new ArgumentException($"{nameof(options.InitialModel)} was trained with another encoder; {nameof(options.WeightsPath)}, {nameof(options.EncoderLayer)} and {nameof(options.Pooling)} must be the same.", nameof(options.InitialModel));
            return ((DecoderArchitecture)known.Architecture).InputDivisor;
        }
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (squares, count) = (0.0, 0);
        using var cursor = input.GetRowCursor([input.Schema[options.InputColumnName]]);
        var reader = new PictureReader(cursor, input.Schema[options.InputColumnName]);
        while (count < MeasuredPictures && cursor.MoveNext())
        {
            squares += _encoder!.Encode(reader.Read().ToTensor()).pow(Number.Of(2)).mean().item<float>();
            count++;
        }
        return squares > 0 && double.IsFinite(squares) ? Math.Pow(2, Math.Round(Math.Log2(squares / count) / 2)) : 1;
    }

    /// <exception cref="ArgumentException">A batch cannot fit; the message names size, options and remedy.</exception>
    private void CheckMemory(DecoderArchitecture decoder)
    {
        var (height, width) = (_content!.Height, _content.Width);
        var bytes = sizeof(float) * (double)options.BatchSize * ((PositionsOf(_content) * decoder.ValuesPerRow) + _encoder!.KeptValues(height, width));
        if (bytes > MachineMemory.Available)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.BatchSize)} is {options.BatchSize}: so many pictures of {height} x {width} pixels (height x width) need at least {MachineMemory.Text(bytes)}; this process can have {MachineMemory.Text(MachineMemory.Available)}. Make the pictures smaller (ResizeImages), or the batch."), nameof(options.BatchSize));
    }

    private double PositionsOf(ImageShape shape)
    {
        var (rows, columns) = _encoder!.PositionsOf(shape.Height, shape.Width);
        return (double)rows * columns;
    }

    private sealed class StyleData(NetworkModelParameters lossNetwork, StylePairs training, StylePairs? validation, IReadOnlyList<IDisposable?> owned)
        : TrainingData<StylePairBatch>(training, validation, head: null, owned)
    {
        public NetworkModelParameters LossNetwork => lossNetwork;
    }
}
