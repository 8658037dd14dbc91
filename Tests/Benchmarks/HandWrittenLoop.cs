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
    private readonly Module<Tensor, Tensor> _network;
    private readonly CrossEntropyLoss _loss = CrossEntropyLoss();
    private readonly optim.Optimizer _optimizer;

    public HandWrittenLoop(ImageSet images, int[] hiddenUnits, int batchSize)
        : this(images.ToTensors(), CreateNetwork(hiddenUnits), network => optim.Adam(network.parameters(), 0.001), batchSize)
    {
    }

    /// <param name="data">Features, a row an example, and Int64 labels; taken over.</param>
    /// <param name="network">What is trained; taken over.</param>
    /// <param name="optimizer">Creates the optimizer.</param>
    /// <param name="batchSize">Rows a step.</param>
    public HandWrittenLoop((Tensor Features, Tensor Labels) data, Module<Tensor, Tensor> network, Func<Module, optim.Optimizer> optimizer, int batchSize)
    {
        (_features, _labels) = data;
        _batchSize = batchSize;
        _network = network;
        _optimizer = optimizer(network);
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
