using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Families.Images;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>What a network is to learn: the styles, and the losses that tell how near it is.</summary>
/// <param name="Network">The loss network.</param>
/// <param name="Loss">The losses.</param>
/// <param name="Pictures">The pictures of the styles.</param>
internal sealed record LearnedStyles(NetworkModelParameters Network, TransferLossSettings Loss, StylePictures Pictures)
{
    /// <summary>The SHA-256 of the style pictures.</summary>
    public string ChecksumOfPictures()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var picture in Pictures.Pictures)
        {
            hash.AppendData(BitConverter.GetBytes(((long)picture.Height << 32) | (uint)picture.Width));
            hash.AppendData(picture.Colors);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The layers of the loss network, and the SHA-256 of its weights.</summary>
    public string ChecksumOfNetwork() =>
        $"{JsonSerializer.Serialize(Network.Architecture)} SHA-256 {WeightChecksum.Of(Network.Network.state_dict().OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value))}";
}

/// <summary>One training of a network that paints in one style or several.</summary>
internal sealed class FastStyleTraining(IHost host, FastStyleTransferEstimator.Options options, LearnedStyles styles, int seed) : NetworkTraining<RowBatch>(host, options, seed)
{
    private readonly PictureSizes _sizes = new(styles.Network, options.BorderPadding);
    private ImageShape? _image;

    /// <summary>The pictures of the training, before cropping.</summary>
    public ImageShape Image => _image!;

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        _image = PictureColumn.ShapeOf(FeatureRows.Find(input.Schema, options.InputColumnName), options.ImageShape);
        if (validation != null && PictureColumn.ShapeOf(FeatureRows.Find(validation.Schema, options.InputColumnName), options.ImageShape) is var other && other != Image)
            throw new ArgumentException(FormattableString.Invariant($"Column '{options.InputColumnName}' has pictures of {other} in the validation data and of {Image} in the training data."), nameof(validation));
        if (options.CropSize > Math.Min(Image.Height, Image.Width))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.CropSize)} is {options.CropSize}, but the pictures of column '{options.InputColumnName}' have {Image.Height} x {Image.Width} pixels (height x width); it must be at most {Math.Min(Image.Height, Image.Width)}."), nameof(options.CropSize));
        var seen = new ImageShape(Image.Channels, options.CropSize ?? Image.Height, options.CropSize ?? Image.Width);
        CheckSize(seen);
        var count = styles.Pictures.Pictures.Count;
        var architecture = new StyleNetworkArchitecture
        {
            InputCount = checked((int)seen.Count + (count > 1 ? count : 0)),
            OutputCount = (int)seen.Count,
            Image = seen,
            Width = options.Width,
            ResidualBlocks = options.ResidualBlocks,
            StyleCount = count,
        };
        CheckMemory(seen, architecture);
        return architecture;
    }

    private protected override TrainingData<RowBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var rows = UnlabeledData.Open(input, validation, options.InputColumnName, new PictureFormat((int)Image.Count), options.CreateRowSettings(Seed), session.ThrowIfCancelled);
        // Pictures are large, and the loss network keeps many values of each.
        var (training, aside) = rows.CreateBatches(options.BatchSize, Seed, device, validationRows: options.BatchSize, share: Distributed.ShareOf(options.Distributed));
        var scaled = new ScaledBatches<RowBatch>(training, new FeatureScale(options.InputColumnName, firstNumber: null, session.Warn) { UsualLargest = ValueRange.Pixels.Maximum });
        return new TrainingData<RowBatch>(scaled, aside, head: null, rows);
    }

    private protected override TrainingStep<RowBatch> CreateStep(TrainedNetwork network, TrainingData<RowBatch> data)
    {
        if (network.Device.type != DeviceType.CPU)
            styles.Network.Network.to(network.Device);
        var loss = new TransferLoss(new LossNetwork(styles.Network, options.BorderPadding), styles.Loss);
        var input = new ImageInput(Image) { CropSize = options.CropSize };
        var augmenter = ImageAugmenter.Create(Augmentations().ToArray(), Image.Channels, Image.Height, Image.Width);
        // Reads rows, which may be bad: before there is anything to dispose.
        var samples = options.TensorBoardFolder == null ? null : StyleSamples.Take(data.Validation ?? data.Training, input);
        return new FastStyleStep(network, loss, styles.Pictures.GramsOfEach(loss, network.Device), input, augmenter, samples, Seed, Distributed.ShareOf(options.Distributed));
    }

    private protected override double WorkOf(NetworkArchitecture architecture)
    {
        var seen = ((StyleNetworkArchitecture)architecture).Image;
        return architecture.MultiplyAdds + (2 * _sizes.MultiplyAdds(seen.Height, seen.Width));
    }

    private protected override IReadOnlyDictionary<string, string> Fingerprint(TrainingData<RowBatch> data) => new Dictionary<string, string>
    {
        ["style pictures"] = styles.ChecksumOfPictures(),
        ["loss network"] = styles.ChecksumOfNetwork(),
    };

    private IEnumerable<ImageAugmentation> Augmentations()
    {
        if (options.CropSize is { } size)
            yield return ImageAugmentation.Crop(padding: 0, size, size);
        if (options.MirrorPictures)
            yield return ImageAugmentation.Flip();
    }

    /// <exception cref="ArgumentException">The pictures are too small for one of the networks.</exception>
    private void CheckSize(ImageShape seen)
    {
        var what = NameOf(seen);
        if (Math.Min(seen.Height, seen.Width) < StyleNetworkArchitecture.LeastSide)
            throw new ArgumentException(FormattableString.Invariant($"{what}: each side must have at least {StyleNetworkArchitecture.LeastSide} pixels. Enlarge the pictures (ResizeImages)."));
        if (_sizes.ProblemOf(seen.Height, seen.Width) is { } problem)
            throw new ArgumentException($"{what}: {problem}");
    }

    /// <exception cref="ArgumentException">A batch needs more memory than there is.</exception>
    private void CheckMemory(ImageShape seen, StyleNetworkArchitecture architecture)
    {
        var ofPicture = (PictureMemory.ValuesPerPixel * seen.Height * seen.Width) + architecture.ValuesPerRow + _sizes.LearningValues(seen.Height, seen.Width);
        var bytes = PictureMemory.BytesOf(options.BatchSize * ofPicture);
        if (bytes > MachineMemory.Available)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{NameOf(seen)}: the {options.BatchSize} pictures of a step need about {MachineMemory.Text(bytes)} in the network and the loss network; this process can have {MachineMemory.Text(MachineMemory.Available)}. Make {nameof(options.BatchSize)}, {nameof(options.CropSize)} or {nameof(options.Width)} smaller, or choose earlier layers."), nameof(options.BatchSize));
    }

    private string NameOf(ImageShape seen) =>
        FormattableString.Invariant($"Column '{options.InputColumnName}', {(options.CropSize == null ? "" : FormattableString.Invariant($"{nameof(options.CropSize)} {options.CropSize}, "))}{seen.Height} x {seen.Width} pixels (height x width)");
}
