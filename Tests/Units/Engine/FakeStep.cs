using MLExtensions.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Engine;

/// <summary>A step whose losses are given and whose weights are set by hand.</summary>
internal sealed class FakeStep : TrainingStep<FakeBatch>
{
    private static readonly MlpArchitecture Architecture = new() { InputCount = 2, OutputCount = 1, HiddenLayers = [] };

    public FakeStep(TrainingOptions options, nn.Module<Tensor, Tensor>? module = null) =>
        Network = new TrainedNetwork("network", Architecture, module ?? Architecture.CreateModule(), options.Optimization, seed: 1, CPU);

    public TrainedNetwork Network { get; }

    /// <summary>The training loss by the number of the batch, over all epochs.</summary>
    public Func<int, double> Loss { get; init; } = _ => 1;

    public Func<int, double> ValidationLoss { get; init; } = _ => 1;

    /// <summary>The loss of the last batch of an epoch after its step, by the number of the batch, over all epochs.</summary>
    public Func<int, double> AfterLoss { get; init; } = _ => 1;

    /// <summary>What a step sets the weights to, by the number of the batch; by default that number.</summary>
    public Func<int, float> Weight { get; init; } = batch => batch;

    /// <summary>The batches after which the loss was asked for again.</summary>
    public List<int> LookedAfter { get; } = [];

    /// <summary>Another validation metric, "reward", by the number of the batch.</summary>
    public Func<int, double>? Reward { get; init; }

    public List<double> LearningRates { get; } = [];

    public int Validations { get; private set; }

    public override IReadOnlyList<TrainedNetwork> Networks => [Network];

    public void SetWeights(float value)
    {
        using var noGradient = no_grad();
        Network.Parameters.Weights.fill_(value);
    }

    public override double Train(FakeBatch batch, double learningRate, MetricSums metrics)
    {
        LearningRates.Add(learningRate);
        SetWeights(Weight(LearningRates.Count));
        return Loss(LearningRates.Count);
    }

    public override double LossAfter(FakeBatch batch)
    {
        LookedAfter.Add(LearningRates.Count);
        return AfterLoss(LearningRates.Count);
    }

    public override double? Validate(FakeBatch batch, MetricSums metrics)
    {
        if (Reward != null)
            metrics.Add("reward", Reward(Validations) * batch.RowCount);
        return ValidationLoss(Validations++);
    }
}

/// <summary>A batch whose content does not matter.</summary>
internal sealed class FakeBatch(int rowCount, double epochFraction) : Batch(rowCount, epochFraction)
{
    public override void Dispose()
    {
    }
}

/// <summary>Batches of given sizes.</summary>
internal sealed class FakeBatches(params int[] sizes) : IBatchSource<FakeBatch>
{
    public long RowCount => sizes.Sum();

    public int BatchCount => sizes.Length;

    public IEnumerable<FakeBatch> ReadEpoch(int epoch)
    {
        var before = 0;
        foreach (var size in sizes)
        {
            yield return new FakeBatch(size, (double)before / RowCount);
            before += size;
        }
    }
}
