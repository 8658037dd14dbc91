using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>The hand-written loop with a stop-watch between its lines.</summary>
internal sealed class HandWrittenProfile : IDisposable
{
    private readonly Tensor _features;
    private readonly Tensor _labels;
    private readonly int _batchSize;
    private readonly Sequential _network = HandWrittenLoop.CreateNetwork(ImageTrainer.SmallNetwork);
    private readonly CrossEntropyLoss _loss = nn.CrossEntropyLoss();
    private readonly optim.Optimizer _optimizer;

    public HandWrittenProfile(ImageSet images, int batchSize)
    {
        (_features, _labels) = images.ToTensors();
        _batchSize = batchSize;
        _optimizer = optim.Adam(_network.parameters(), 0.001);
    }

    public PartTimes Times { get; } = new();

    public void RunEpoch()
    {
        var count = _features.shape[0];
        Times.Begin((int)((count + _batchSize - 1) / _batchSize));
        using var order = randperm(count);
        for (long first = 0; first < count; first += _batchSize)
        {
            using (NewDisposeScope())
            {
                var rows = order.narrow(0, first, Math.Min(_batchSize, count - first));
                var features = _features.index_select(0, rows);
                var labels = _labels.index_select(0, rows);
                Times.Lap("gather");
                _optimizer.zero_grad();
                Times.Lap("zero_grad");
                var outputs = _network.call(features);
                Times.Lap("forward");
                var loss = _loss.call(outputs, labels);
                Times.Lap("loss");
                loss.backward();
                Times.Lap("backward");
                _optimizer.step();
                Times.Lap("optimizer");
            }
            Times.Lap("disposal");
        }
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _loss.Dispose();
        _features.Dispose();
        _labels.Dispose();
    }
}
