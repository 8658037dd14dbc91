using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MLExtensions.Benchmarks;

/// <summary>What a TorchSharp user writes: tensors in memory, a permutation an epoch, <c>torch.optim.Adam</c>.</summary>
internal sealed class HandWrittenLoop : IDisposable
{
    private readonly Tensor _features;
    private readonly Tensor _labels;
    private readonly int _batchSize;
    private readonly Sequential _network;
    private readonly CrossEntropyLoss _loss = CrossEntropyLoss();
    private readonly optim.Optimizer _optimizer;

    public HandWrittenLoop(ImageSet images, int[] hiddenUnits, int batchSize)
    {
        (_features, _labels) = images.ToTensors();
        _batchSize = batchSize;
        _network = CreateNetwork(hiddenUnits);
        _optimizer = optim.Adam(_network.parameters(), 0.001);
    }

    public static Sequential CreateNetwork(int[] hiddenUnits)
    {
        var layers = new List<(string, Module<Tensor, Tensor>)>();
        var width = ImageRow.Width;
        foreach (var units in hiddenUnits)
        {
            layers.Add(($"linear{layers.Count}", Linear(width, units)));
            layers.Add(($"relu{layers.Count}", ReLU()));
            width = units;
        }
        layers.Add(("output", Linear(width, ImageRow.Classes)));
        return Sequential(layers);
    }

    /// <summary>Trains on the calling thread with so many threads of libtorch.</summary>
    public void Run(int epochs, int threads)
    {
        var before = get_num_threads();
        set_num_threads(threads);
        _network.train();
        for (var epoch = 0; epoch < epochs; epoch++)
            RunEpoch();
        set_num_threads(before);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _loss.Dispose();
        _features.Dispose();
        _labels.Dispose();
    }

    private void RunEpoch()
    {
        var count = _features.shape[0];
        using var order = randperm(count);
        for (long first = 0; first < count; first += _batchSize)
        {
            using var scope = NewDisposeScope();
            var rows = order.narrow(0, first, Math.Min(_batchSize, count - first));
            var features = _features.index_select(0, rows);
            var labels = _labels.index_select(0, rows);
            _optimizer.zero_grad();
            var loss = _loss.call(_network.call(features), labels);
            loss.backward();
            _optimizer.step();
        }
    }
}
