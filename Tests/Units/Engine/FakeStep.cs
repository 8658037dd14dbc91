using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Engine;

/// <summary>A step whose losses are given and whose weights are set by hand.</summary>
internal sealed class FakeStep : TrainingStep
{
    private readonly nn.Module _module;

    public FakeStep(NetworkTrainerOptions options, nn.Module? module = null)
    {
        _module = module ?? nn.Linear(2, 1);
        Updater = new ParameterUpdater(new ParameterSet(_module, options.Precision), options, 1);
    }

    public ParameterUpdater Updater { get; }

    /// <summary>The training loss by the number of the batch, over all epochs.</summary>
    public Func<int, double> Loss { get; init; } = _ => 1;

    public Func<int, double> ValidationLoss { get; init; } = _ => 1;

    public List<double> LearningRates { get; } = [];

    public int Validations { get; private set; }

    public override IReadOnlyList<(string Name, ParameterUpdater Updater)> Updaters => [("network", Updater)];

    public override Device Device => CPU;

    public void SetWeights(float value)
    {
        using var noGradient = no_grad();
        Updater.Parameters.Weights.fill_(value);
    }

    public override void BeginEpoch(int epoch)
    {
    }

    public override double Train(Batch batch, double learningRate, MetricSums metrics)
    {
        LearningRates.Add(learningRate);
        SetWeights(LearningRates.Count);
        return Loss(LearningRates.Count);
    }

    public override void BeginValidation()
    {
    }

    public override double Validate(Batch batch, MetricSums metrics) => ValidationLoss(Validations++);

    public override void Dispose()
    {
        Updater.Dispose();
        Updater.Parameters.Dispose();
        _module.Dispose();
    }
}

/// <summary>Batches of given sizes whose content does not matter.</summary>
internal sealed class FakeBatches(params int[] sizes) : IBatchSource
{
    public long RowCount => sizes.Sum();

    public int BatchCount => sizes.Length;

    public IEnumerable<Batch> ReadEpoch(int epoch)
    {
        var before = 0;
        foreach (var size in sizes)
        {
            using var labels = new FeatureBlock(size, 1);
            yield return new Batch(size, (double)before / RowCount, zeros(size, 2), zeros(size), null, labels);
            before += size;
        }
    }
}
