using MLExtensions.Engine;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>A step of the optimization of a picture: the engine's network is the picture, and a batch is a step.</summary>
internal sealed class PictureStep : TrainingStep<PictureBatch>
{
    // Above that many times the least loss, L-BFGS without a line search has lost its way: the loss has kinks, where no curvature holds.
    private const double Lost = 4;

    private readonly TrainedNetwork _picture;
    private readonly PictureCanvas _canvas;
    private readonly TransferLoss _loss;
    private readonly Tensor[] _content;
    private readonly Tensor[] _style;
    private readonly Action<int, TransferLosses>? _report;
    private readonly Tensor _best;
    private double _bestLoss = double.PositiveInfinity;

    /// <param name="picture">The picture; owned by the step.</param>
    /// <param name="canvas">How its numbers become a picture.</param>
    /// <param name="loss">The losses.</param>
    /// <param name="content">What is to be kept.</param>
    /// <param name="style">The style to reach.</param>
    /// <param name="report">Receives the losses before each step, and its number; null for nothing.</param>
    public PictureStep(TrainedNetwork picture, PictureCanvas canvas, TransferLoss loss, Tensor[] content, Tensor[] style, Action<int, TransferLosses>? report)
    {
        (_picture, _canvas, _loss, _content, _style, _report) = (picture, canvas, loss, content, style, report);
        _best = picture.Parameters.Weights.clone().DetachFromDisposeScope();
        Networks = [picture];
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    public override bool LossTellsLearning => false;

    public override string? DivergenceAdvice => "Try a smaller LearningRate, or a smaller StyleWeight.";

    /// <summary>The best numbers so far.</summary>
    public Tensor Best => NumbersIn(_best);

    /// <summary>Their loss.</summary>
    public double BestLoss => _bestLoss;

    public override double Train(PictureBatch batch, double learningRate, MetricSums metrics)
    {
        var losses = LossesNow();
        if (Note(losses) > Lost * _bestLoss && _picture.Optimizer is LbfgsUpdate)
            losses = GoBack();
        _report?.Invoke(batch.Number, losses);
        var loss = _picture.Descend(losses.Total, learningRate);
        using var noGradient = no_grad();
        _canvas.Clamp(NumbersIn(_picture.Parameters.Weights));
        return loss;
    }

    public override double? Validate(PictureBatch batch, MetricSums metrics) => null;

    public override double LossAfter(PictureBatch batch)
    {
        using var noGradient = no_grad();
        return Note(LossesNow());
    }

    public override void Dispose()
    {
        _best.Dispose();
        base.Dispose();
    }

    private TransferLosses LossesNow() => _loss.Of(_canvas.Seen(_picture.Module.call(_best)), _content, _style);

    /// <summary>Begins again with the best picture so far.</summary>
    private TransferLosses GoBack()
    {
        using (no_grad())
            _picture.Parameters.Weights.copy_(_best);
        _picture.Optimizer.Restart();
        return LossesNow();
    }

    private Tensor NumbersIn(Tensor flat) => _picture.Parameters.Split(flat).Single().Value;

    /// <summary>Keeps the picture if it is the best so far.</summary>
    private double Note(TransferLosses losses)
    {
        var loss = losses.Total.item<float>();
        if (loss < _bestLoss)
        {
            using var noGradient = no_grad();
            _bestLoss = loss;
            _best.copy_(_picture.Parameters.Weights);
        }
        return loss;
    }
}

/// <summary>A step of the optimization, which needs no data.</summary>
/// <param name="number">Its number, from 0.</param>
/// <param name="count">The number of steps.</param>
internal sealed class PictureBatch(int number, int count) : Batch(1, (double)number / count)
{
    public int Number => number;

    public override void Dispose()
    {
    }
}

/// <summary>The steps of an optimization.</summary>
internal sealed class PictureBatches(int count) : IBatchSource<PictureBatch>
{
    public long RowCount => count;

    public int BatchCount => count;

    public IEnumerable<PictureBatch> ReadEpoch(int epoch) => Enumerable.Range(0, count).Select(number => new PictureBatch(number, count));
}

/// <summary>A picture as a network of the engine: its numbers are the weights, and it has no inputs.</summary>
internal sealed record PictureArchitecture : NetworkArchitecture
{
    public override long ParameterCount => OutputCount;

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "";

    internal override IEnumerable<LayerDescription> Describe() => [];

    internal override nn.Module<Tensor, Tensor> CreateModule() => throw new NotSupportedException("A picture is made from a picture.");
}

/// <summary>The module of a picture.</summary>
internal sealed class PictureModule : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Parameter numbers;

    public PictureModule(Tensor start)
        : base(nameof(PictureModule))
    {
        numbers = Layers.Weights(start.shape);
        using (no_grad())
            numbers.copy_(start);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => numbers;
}

/// <summary>The options of the engine for one picture: a single epoch, of as many steps as are asked for.</summary>
internal sealed class PictureOptions : TrainingOptions
{
    public static PictureOptions Of(StyleTransferEstimator.Options options) => new()
    {
        Epochs = 1,
        BatchSize = 1,
        Optimizer = options.Optimizer,
        LearningRate = options.LearningRate,
        LearningRateSchedule = options.Optimizer is LbfgsOptimizer ? LearningRateSchedule.Constant() : LearningRateSchedule.Linear(holdFraction: 0.75, minimumFactor: 0.1),
    };
}
