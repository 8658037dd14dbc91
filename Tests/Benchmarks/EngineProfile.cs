using Microsoft.ML;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>The engine's parts, called in the order in which its step calls them; and its own step beside them.</summary>
internal sealed class EngineProfile : IDisposable
{
    private const double LearningRate = 0.001;
    private static readonly MulticlassHead Head = new(ImageRow.Classes);
    private static readonly Device Cpu = CPU;

    private readonly MulticlassTask _task = new();
    private readonly TrainingRows _rows;
    private readonly InMemoryBatches<LabeledBatch> _batches;
    private readonly TrainedNetwork _network;
    private readonly SupervisedStep _step;

    public EngineProfile(ImageSet images, int batchSize)
    {
        var options = new MlpMulticlassTrainer.Options { HiddenLayers = [.. ImageTrainer.SmallNetwork.Select(units => new HiddenLayer(units))] };
        var data = images.ToDataView(new MLContext(1));
        var check = new ColumnCheck(options, _task, nameof(ImageRow.Features), _task.LabelColumn(nameof(ImageRow.Label)), weightName: null);
        _rows = TrainingRows.Read(data, check.Find(data, new DenseFormat(ImageRow.Width)), null, () => { }, out _);
        var settings = new BatchSettings(batchSize, 1, Seed: 1, Shuffle: true, Cpu);
        var scale = new LabelScale(0, 1, ClassWeights: null, WeightFactor: 1, HasExampleWeights: false);
        _batches = new InMemoryBatches<LabeledBatch>(_rows, Enumerable.Range(0, _rows.Count).ToArray(), settings, (rows, width, epochRows) => new LabeledBuffer(rows, width, scale, Cpu, epochRows), checksum: null);
        var features = data.Schema[nameof(ImageRow.Features)];
        _network = CreateNetwork(options, features);
        _step = new SupervisedStep(CreateNetwork(options, features), _task, Head, augmenter: null, seed: 1);
    }

    /// <summary>Part by part.</summary>
    public PartTimes Times { get; } = new();

    /// <summary>Batches and the engine's step.</summary>
    public PartTimes Whole { get; } = new();

    public void RunEpoch(int epoch)
    {
        Times.Begin(_batches.BatchCount);
        RunParts(epoch);
        Whole.Begin(_batches.BatchCount);
        RunStep(epoch);
    }

    public void Dispose()
    {
        _step.Dispose();
        _network.Dispose();
        _rows.Dispose();
    }

    private static TrainedNetwork CreateNetwork(SupervisedTrainerOptions options, DataViewSchema.Column features)
    {
        var architecture = options.CreateArchitecture(features, new DenseFormat(ImageRow.Width), ImageRow.Classes);
        var network = architecture.CreateModule();
        Engine.WeightInitializer.Initialize(network, WeightInitialization.XavierUniform, seed: 1);
        return new TrainedNetwork("network", architecture, network, options.Optimization, seed: 1, Cpu);
    }

    private void RunParts(int epoch)
    {
        var metrics = new MetricSums();
        foreach (var batch in _batches.ReadEpoch(epoch))
        {
            Times.Lap("gather");
            using (batch)
            using (NewDisposeScope())
            {
                var outputs = _network.Forward(batch.Features);
                Times.Lap("forward");
                var loss = _task.Loss(outputs, batch.Labels, batch.Weights);
                metrics.AddLoss(loss.item<float>(), batch.RowCount);
                Times.Lap("loss");
                loss.backward();
                Times.Lap("backward");
                _network.Apply(LearningRate);
                Times.Lap("optimizer");
                _task.Measure(TensorMemory.Floats(outputs.detach().cpu().contiguous()), batch.LabelValues, Head, metrics);
                Times.Lap("metrics");
            }
            Times.Lap("disposal");
        }
    }

    private void RunStep(int epoch)
    {
        var metrics = new MetricSums();
        _step.BeginEpoch(epoch);
        foreach (var batch in _batches.ReadEpoch(epoch))
        {
            Whole.Lap("gather");
            using (batch)
            using (NewDisposeScope())
                metrics.AddLoss(_step.Train(batch, LearningRate, metrics), batch.RowCount);
            Whole.Lap("step");
        }
    }
}
