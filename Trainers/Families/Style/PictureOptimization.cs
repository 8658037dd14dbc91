using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Native;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>The pictures of a row.</summary>
/// <param name="Row">Its position.</param>
/// <param name="Content">The content picture.</param>
/// <param name="Mask">The mask, or null.</param>
/// <param name="Start">The picture to start with, or null.</param>
internal sealed record PictureRow(long Row, Picture Content, Picture? Mask, Picture? Start);

/// <summary>The result of a row.</summary>
/// <param name="Picture">The best picture.</param>
/// <param name="Loss">Its loss, before its values are rounded.</param>
internal sealed record OptimizedPicture(FinishedPicture Picture, float Loss);

/// <summary>Optimizes pictures with the engine's loop.</summary>
internal sealed class PictureOptimization(IHost host, NetworkModelParameters network, StyleTransferEstimator.Options options, TransferLossSettings settings, StylePictures style, int seed)
{
    // The picture, its gradient, the best one and the finished one.
    private const int PictureCopies = 4;

    private readonly PictureSizes _sizes = new(network, options.BorderPadding);
    private readonly Lock _gate = new();

    // In managed memory, which needs no owner: small beside what they are computed from.
    private (long[] Shape, float[] Values)[]? _grams;

    /// <summary>Optimizes the picture of a row. The caller has a lease on the network.</summary>
    /// <exception cref="FormatException">The picture is too small, or mask or start have other sizes; the message names column and row.</exception>
    /// <exception cref="InsufficientMemoryException">The picture needs more memory than there is.</exception>
    /// <exception cref="OperationCanceledException">The optimization was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    public OptimizedPicture Run(PictureRow row, IProgress<StyleTransferProgress>? progress, CancellationToken cancellation)
    {
        Check(row);
        using var channel = host.Start("Style transfer");
        using var progressChannel = host.StartProgressChannel("Style transfer");
        using var threads = TorchThreads.Use(options.ThreadCount ?? TorchThreads.CountFor(3 * _sizes.MultiplyAdds(row.Content.Height, row.Content.Width)));
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        using var freed = FreedMemory.Keep();
        var canvas = PictureCanvas.Of(row.Content.ToTensor(), MaskOf(row), options.PreserveColors);
        var loss = new TransferLoss(new LossNetwork(network, options.BorderPadding), settings);
        using var step = StepOf(row, canvas, loss, progress);
        var training = PictureOptions.Of(options);
        using var reporter = new TrainingReporter(channel, progressChannel, training, logsEpochs: false);
        using var loop = new TrainingLoop<PictureBatch>(step, new PictureBatches(options.Iterations), validation: null, goal: null, training, reporter, checkpoint: null, ThrowIfCancelled);
        loop.Run();
        using var noGradient = no_grad();
        using var picture = row.Content.WithColors(canvas.Finished(step.Best));
        return new OptimizedPicture(FinishedPicture.Of(picture), (float)step.BestLoss);

        void ThrowIfCancelled()
        {
            cancellation.ThrowIfCancellationRequested();
            host.CheckAlive();
        }
    }

    private PictureStep StepOf(PictureRow row, PictureCanvas canvas, TransferLoss loss, IProgress<StyleTransferProgress>? progress)
    {
        using var noGradient = no_grad();
        var content = loss.ContentOf(canvas.ContentSeen);
        var grams = canvas.StyleSeen is { } prepare ? style.Grams(loss, prepare) : KnownGrams(loss);
        var numbers = canvas.NumbersOf(StartOf(row));
        canvas.Clamp(numbers);
        var architecture = new PictureArchitecture { InputCount = 1, OutputCount = checked((int)numbers.NumberOfElements) };
        var picture = new TrainedNetwork("picture", architecture, new PictureModule(numbers), new OptimizationSettings { Optimizer = options.Optimizer }, seed, CPU);
        PictureStep? step = null;
        step = new PictureStep(picture, canvas, loss, content, grams, progress == null ? null : Report);
        return step;

        void Report(int done, TransferLosses losses) => progress!.Report(new StyleTransferProgress
        {
            Row = row.Row,
            Iteration = done + 1,
            Iterations = options.Iterations,
            Loss = losses.Total.item<float>(),
            ContentLoss = losses.Content.item<float>(),
            StyleLoss = losses.Style.item<float>(),
            TotalVariation = losses.TotalVariation.item<float>(),
            StyleLossByLayer = losses.StyleByLayer.Select((layer, i) => (settings.StyleLayers[i], (double)layer.item<float>())).ToDictionary(),
            Picture = options.PictureInterval > 0 && (done + 1) % options.PictureInterval == 0 ? BestSoFar() : null,
        });

        MLImage BestSoFar()
        {
            using var without = no_grad();
            return row.Content.WithColors(canvas.Finished(step!.Best));
        }
    }

    /// <summary>The Gram matrices of the style where they do not depend on the row: they are computed for the first one.</summary>
    private Tensor[] KnownGrams(TransferLoss loss)
    {
        lock (_gate)
            _grams ??= Array.ConvertAll(style.Grams(loss), gram => (gram.shape, TensorMemory.Floats(gram.contiguous()).ToArray()));
        return Array.ConvertAll(_grams, gram => tensor(gram.Values, gram.Shape, ScalarType.Float32, CPU));
    }

    private Tensor StartOf(PictureRow row)
    {
        if (row.Start != null)
            return row.Start.ToTensor();
        if (options.Start == StyleTransferStart.Content)
            return row.Content.ToTensor();
        var random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.StyleNoise));
        var noise = new float[3 * row.Content.Height * row.Content.Width];
        for (var i = 0; i < noise.Length; i++)
            noise[i] = 255 * (float)random.NextDouble();
        return tensor(noise, [1, 3, row.Content.Height, row.Content.Width], ScalarType.Float32, CPU);
    }

    private static Tensor? MaskOf(PictureRow row) => row.Mask == null ? null : PictureCanvas.LuminanceOf(row.Mask.ToTensor()).div(Number.Of(255L)).clamp_(Number.Zero, Number.One);

    private void Check(PictureRow row)
    {
        var (height, width) = (row.Content.Height, row.Content.Width);
        if (_sizes.ProblemOf(height, width) is { } problem)
            throw new FormatException(FormattableString.Invariant($"Image column '{options.InputColumnName}', {RowName.Of(row.Row)}: the picture has {height} x {width} pixels (height x width): {problem}"));
        CheckSize(row.Mask, options.MaskColumnName);
        CheckSize(row.Start, options.StartColumnName);
        var pixels = (double)height * width;
        var values = (PictureMemory.ValuesPerPixel * pixels) + (3 * pixels * (PictureCopies + options.Optimizer.StatesPerWeight)) + _sizes.LearningValues(height, width);
        PictureMemory.Check(
            PictureMemory.BytesOf(values),
            FormattableString.Invariant($"Image column '{options.InputColumnName}', {RowName.Of(row.Row)}: the optimization of a picture of {height} x {width} pixels (height x width)"),
            "Make the picture smaller (ResizeImages), or choose earlier layers.");

        void CheckSize(Picture? picture, string? column)
        {
            if (picture != null && (picture.Height, picture.Width) != (height, width))
                throw new FormatException(FormattableString.Invariant($"Image column '{column}', {RowName.Of(row.Row)}: the picture has {picture.Height} x {picture.Width} pixels (height x width); it must have the size of the one in '{options.InputColumnName}', {height} x {width}."));
        }
    }
}
