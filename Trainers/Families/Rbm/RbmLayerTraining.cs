using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>The training of one RBM of a stack.</summary>
/// <param name="host">The host.</param>
/// <param name="options">The options of this RBM.</param>
/// <param name="seed">Its seed.</param>
/// <param name="architecture">Its architecture.</param>
/// <param name="below">The trained RBMs below it.</param>
/// <param name="start">Its initial weights.</param>
/// <param name="rows">The data, which all RBMs of the stack share.</param>
internal sealed class RbmLayerTraining(IHost host, RbmEstimator.Options options, int seed, RbmArchitecture architecture, IReadOnlyList<NetworkModelParameters> below, StartingWeights start, UnlabeledData rows)
    : NetworkTraining<RowBatch>(host, options, seed)
{
    // The probability of a unit that is always on or off would have an infinite bias.
    private const double LeastProbability = 0.01;

    // Gaussian units are wrong by a factor if the data is not standardized.
    private const double WorstVariance = 10;

    private protected override StartingWeights OpenStart() => start;

    /// <summary>A step has three products with the data, and two for each step of the chains, where others have three.</summary>
    private protected override double WorkOf(NetworkArchitecture network) => network.MultiplyAdds * (3 + (2 * options.GibbsSteps)) / 3.0;

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights _, TrainingSession session) => architecture;

    private protected override TrainingData<RowBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture _, StartingWeights __, Device device, TrainingSession session)
    {
        var (all, aside) = rows.CreateBatches(options.BatchSize, Seed, device);
        var (training, _) = rows.CreateBatches(options.BatchSize, Seed, device, share: Distributed.ShareOf(options.Distributed));
        if (below.Count == 0)
            all = new ScaledBatches<RowBatch>(all, new FeatureScale(options.InputColumnName, firstNumber: null, session.Warn));
        var lower = new LowerLayers(below, device);
        try
        {
            var statistics = DataStatistics.Of(all, lower.Up, session.ThrowIfCancelled);
            WarnOfScale(session, statistics);
            return new LayerData(training, aside, lower, statistics);
        }
        catch
        {
            lower.Dispose();
            throw;
        }
    }

    private protected override void Prepare(nn.Module<Tensor, Tensor> module, TrainingData<RowBatch> data)
    {
        if (start.Model == null && options.InitialWeightsPath == null && options.InitializeVisibleBiases)
            SetVisibleBiases((RbmNetwork)module, ((LayerData)data).Statistics.Mean);
    }

    private protected override TrainingStep<RowBatch> CreateStep(TrainedNetwork network, TrainingData<RowBatch> data)
    {
        var (lower, statistics) = ((LayerData)data).Parts;
        return new RbmStep(network, (RbmNetwork)network.Module, options, lower, statistics, Seed);
    }

    private protected override IReadOnlyDictionary<string, string> Fingerprint(TrainingData<RowBatch> data)
    {
        var (lower, statistics) = ((LayerData)data).Parts;
        var fingerprint = new Dictionary<string, string> { [TrainingFingerprint.Foundation] = lower.Checksum() };
        // The option has the same value then, but is not scaled.
        if (!options.AdaptsLearningRate && architecture.VisibleUnits == VisibleUnitType.Bernoulli && SparseVisibleUnits.IsSparse(statistics))
            fingerprint["scale of the learning rate"] = "as set";
        return fingerprint;
    }

    private void WarnOfScale(TrainingSession session, DataStatistics statistics)
    {
        if (below.Count > 0 || architecture.VisibleUnits != VisibleUnitType.Gaussian)
            return;
        using var scope = NewDisposeScope();
        var slot = (int)statistics.Variance.argmax().item<long>();
        var variance = statistics.Variance[slot].item<float>();
        if (variance > WorstVariance)
            session.Warn(string.Create(CultureInfo.InvariantCulture, $"Column '{options.InputColumnName}', slot {slot}: the variance is {variance}; Gaussian units assume 1. Add NormalizeMeanVariance before this estimator."));
    }

    /// <summary>With small weights, the probabilities of the units are then those of the data.</summary>
    private static void SetVisibleBiases(RbmNetwork network, Tensor mean)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var biases = network.Architecture.VisibleUnits switch
        {
            VisibleUnitType.Gaussian => mean,
            VisibleUnitType.Bernoulli => mean.clamp(Number.Of(LeastOf(mean)), Number.Of(1 - LeastProbability)).logit(),
            _ => mean.clamp(Number.Of(LeastProbability / network.Architecture.InputCount), Number.One).log(),
        };
        network.VisibleBias.copy_(biases);
    }

    /// <summary>
    /// Where nearly all units are off, as words of a text are, the usual bound would have a multiple of them on, and training would only turn
    /// them off again.
    /// </summary>
    private static double LeastOf(Tensor mean) => Math.Min(LeastProbability, Math.Max(1e-6, mean.mean().item<float>() / 10));

    private sealed class LayerData(IBatchSource<RowBatch> training, IBatchSource<RowBatch>? validation, LowerLayers lower, DataStatistics statistics)
        : TrainingData<RowBatch>(training, validation, head: null, statistics, lower)
    {
        public DataStatistics Statistics => statistics;

        public (LowerLayers Lower, DataStatistics Statistics) Parts => (lower, statistics);
    }
}
