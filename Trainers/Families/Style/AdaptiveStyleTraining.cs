using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
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

    private readonly IHost _host = host;
    private StyleEncoder? _encoder;
    private StylePictures? _pictures;
    private ImageShape? _content;
    private ImageShape? _style;

    /// <summary>The size of the content pictures of the training.</summary>
    public ImageShape Content => _content!;

    /// <summary>The size of the style pictures of the training; that of the content where they have many.</summary>
    public ImageShape Style => _style ?? Content;

    private protected override string NetworkName => "decoder";

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        _encoder = OpenEncoder(encoder);
        _content = ShapeOf(input, options.InputColumnName);
        if (options.HasStylePictures)
            _pictures = ReadStyles();
        else
            _style = ShapeOf(input, options.StyleColumnName);
        if (validation != null)
        {
            ShapeOf(validation, options.InputColumnName);
            if (!options.HasStylePictures)
                ShapeOf(validation, options.StyleColumnName);
        }
        var decoder = DecoderArchitecture.MirrorOf(_encoder, _encoder.TypicalSize());
        CheckMemory(decoder);
        return decoder;
    }

    private protected override double WorkOf(NetworkArchitecture architecture) =>
        (3 * PositionsOf(Content) * architecture.MultiplyAdds) + (5 * _encoder!.MultiplyAdds(Content.Height, Content.Width));

    private protected override TrainingData<StylePairBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        if (start.Model is AdaptiveStyleWeights known)
            CheckEncoderOf(known);
        var owned = new List<IDisposable?>();
        try
        {
            var network = loadLossNetwork();
            owned.Add(network);
            if (device.type != DeviceType.CPU)
                network.Network.to(device);
            var rows = UnlabeledData.Open(RowsOf(input), validation == null ? null : RowsOf(validation), ColumnsOf, options.CreateRowSettings(Seed), session.ThrowIfCancelled);
            owned.Add(rows);
            var (training, aside) = rows.CreateBatches(options.BatchSize, Seed, device, share: Distributed.ShareOf(options.Distributed));
            var looked = new ScaledBatches<RowBatch>(training, new FeatureScale(options.InputColumnName, firstNumber: null, session.Warn));
            return new StyleData(network, Pair(looked, input), aside == null ? null : Pair(aside, validation ?? input), owned);
        }
        catch
        {
            owned.ForEach(part => part?.Dispose());
            throw;
        }

        StylePairs Pair(IBatchSource<RowBatch> batches, IDataView data)
        {
            var content = ShapeOf(data, options.InputColumnName);
            StyleSource styles = _pictures == null
                ? new RowStyles(content.Count, ShapeOf(data, options.StyleColumnName), Seed)
                : new DrawnStyles(_pictures.Pictures, content, Seed, device, Distributed.ShareOf(options.Distributed));
            return new StylePairs(batches, content, styles, options.BatchSize);
        }
    }

    /// <summary>The data with all that is read of a row in one column.</summary>
    private IDataView RowsOf(IDataView data) => _pictures != null ? data : new PairColumn(
        (options.InputColumnName, FormatOf(ShapeOf(data, options.InputColumnName))),
        (options.StyleColumnName, FormatOf(ShapeOf(data, options.StyleColumnName)))).AddTo(_host, data);

    private TrainingColumns ColumnsOf(IDataView data)
    {
        var column = data.Schema[_pictures == null ? PairColumn.Name : options.InputColumnName];
        FeatureFormat format = _pictures == null ? new DenseFormat(FeatureReader.WidthOf(column)) : FormatOf(ShapeOf(data, column.Name));
        return new TrainingColumns(column, format, Label: null, Weight: null, ClassCount: 0);
    }

    private protected override TrainingStep<StylePairBatch> CreateStep(TrainedNetwork network, TrainingData<StylePairBatch> data)
    {
        var loss = new AdaptiveStyleLoss(OpenEncoder(((StyleData)data).LossNetwork), plan, options);
        // Reads rows, which may be bad: before there is anything to dispose.
        var samples = options.TensorBoardFolder == null ? null : StylePairSamples.Take(data.Training);
        return new AdaptiveStyleStep(network, loss, samples);
    }

    private protected override IReadOnlyDictionary<string, string> Fingerprint(TrainingData<StylePairBatch> data) => new Dictionary<string, string>
    {
        ["style pictures"] = _pictures == null ? "of the training data" : DrawnStyles.ChecksumOf(_pictures.Pictures),
        ["encoder layer"] = plan.EncoderLayer,
        ["style layers"] = string.Join(", ", plan.StyleLayers),
        ["weights of the loss network"] = WeightChecksum.Of(((StyleData)data).LossNetwork.Network.state_dict().Values),
    };

    private static PictureFormat FormatOf(ImageShape shape) => new(checked((int)shape.Count));

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
        var shape = PictureColumn.ShapeOf(FeatureRows.Find(data.Schema, name), options.ImageShape);
        return _encoder!.ProblemOf(shape.Height, shape.Width) is { } problem
            ? throw new ArgumentException(FormattableString.Invariant($"Column '{name}' has pictures of {shape.Height} x {shape.Width} pixels (height x width): {problem}"), name)
            : shape;
    }

    private StylePictures ReadStyles()
    {
        var styles = StylePictures.Read(new StyleTransferEstimator.Options { StylePaths = options.StylePaths, StyleImages = options.StyleImages, StyleScale = options.StyleScale, BorderPadding = 0 }, encoder, areSeenWhole: false);
        for (var i = 0; i < styles.Pictures.Count; i++)
        {
            var (height, width) = (styles.Pictures[i].Height, styles.Pictures[i].Width);
            var (name, option) = StylePictures.NameOf(options.StylePaths, i);
            if (_encoder!.ProblemOf(height, width) is { } problem)
                throw new ArgumentException(FormattableString.Invariant($"{name} has {height} x {width} pixels (height x width): {problem}"), option);
        }
        return styles;
    }

    /// <exception cref="ArgumentException">The initial model has another encoder.</exception>
    private void CheckEncoderOf(AdaptiveStyleWeights known)
    {
        if (WeightChecksum.Of(known.Encoder.Network.state_dict().Values) != WeightChecksum.Of(encoder.Network.state_dict().Values))
            throw new ArgumentException($"{nameof(options.InitialModel)} was trained with another encoder; {nameof(options.WeightsPath)}, {nameof(options.EncoderLayer)} and {nameof(options.Pooling)} must be the same.", nameof(options.InitialModel));
    }

    /// <exception cref="ArgumentException">A batch cannot fit; the message names size, options and remedy.</exception>
    private void CheckMemory(DecoderArchitecture decoder)
    {
        var (height, width) = (Content.Height, Content.Width);
        var pictures = PictureMemory.ValuesPerPixel * ((double)height * width) * 2;
        var bytes = PictureMemory.BytesOf(options.BatchSize * (pictures + (PositionsOf(Content) * decoder.ValuesPerRow) + _encoder!.LearningValues(height, width, plan.StyleLayers)));
        if (bytes > MachineMemory.Available)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.BatchSize)} is {options.BatchSize}: so many pictures of {height} x {width} pixels (height x width) need about {MachineMemory.Text(bytes)}; this process can have {MachineMemory.Text(MachineMemory.Available)}. Make the pictures smaller (ResizeImages), or the batch."), nameof(options.BatchSize));
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
