using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace MLExtensions.Benchmarks;

/// <summary>
/// What a TorchSharp user writes for triplets: batches of P classes with K examples, all distances of a batch from one product, and
/// semi-hard negatives found in a copy of them.
/// </summary>
internal sealed class HandWrittenEmbedding : IDisposable
{
    private const float Margin = 0.2f;
    private const int PerClass = 4;

    private readonly Tensor _rows;
    private readonly int[] _labels;
    private readonly Module<Tensor, Tensor> _network;
    private readonly optim.Optimizer _optimizer;
    private readonly Random _random = new(1);

    /// <param name="rows">The examples; taken over.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="network">What is trained; taken over.</param>
    public HandWrittenEmbedding(Tensor rows, int[] labels, Module<Tensor, Tensor> network)
    {
        (_rows, _labels, _network) = (rows, labels, network);
        _optimizer = optim.Adam(network.parameters(), 0.001);
    }

    /// <summary>Blocks of convolution, batch normalization and pooling, and the means over the image.</summary>
    public static Module<Tensor, Tensor> Convolutional(int[] channels, int size)
    {
        var layers = new List<(string, Module<Tensor, Tensor>)>();
        var before = 1;
        foreach (var count in channels)
        {
            layers.Add(($"conv{layers.Count}", Conv2d(before, count, 3, padding: 1, bias: false)));
            layers.Add(($"norm{layers.Count}", BatchNorm2d(count)));
            layers.Add(($"relu{layers.Count}", ReLU()));
            layers.Add(($"pool{layers.Count}", MaxPool2d(2)));
            before = count;
        }
        layers.Add(("mean", AdaptiveAvgPool2d(1)));
        layers.Add(("flatten", Flatten()));
        layers.Add(("output", Linear(before, size)));
        return Sequential(layers);
    }

    public static Module<Tensor, Tensor> Dense(int width, int hidden, int size) =>
        Sequential(("hidden", Linear(width, hidden)), ("relu", ReLU()), ("output", Linear(hidden, size)));

    /// <summary>One pass over the examples.</summary>
    public void Run(int batchSize)
    {
        foreach (var batch in Batches(batchSize))
        {
            using var scope = NewDisposeScope();
            var labels = Array.ConvertAll(batch, row => _labels[row]);
            var embeddings = F.normalize(_network.call(_rows.index_select(0, tensor(Array.ConvertAll(batch, row => (long)row)))), dim: 1);
            var distances = (2 - (2 * embeddings.mm(embeddings.t()))).clamp_min(0);
            var (anchors, positives, negatives) = Mine(distances.detach().data<float>().ToArray(), labels);
            if (anchors.Count == 0)
                continue;
            _optimizer.zero_grad();
            var index = tensor(anchors.ToArray());
            var losses = F.relu(distances[index, tensor(positives.ToArray())] - distances[index, tensor(negatives.ToArray())] + Margin);
            var loss = losses.sum() / losses.gt(0).sum().clamp_min(1);
            loss.backward();
            _optimizer.step();
            _ = loss.item<float>();
        }
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _rows.Dispose();
    }

    private IEnumerable<int[]> Batches(int size)
    {
        var groups = Enumerable.Range(0, _labels.Length).GroupBy(row => _labels[row])
            .SelectMany(group => Shuffled(group.ToArray()).Chunk(PerClass).Where(chunk => chunk.Length == PerClass)).ToArray();
        return Shuffled(groups).Chunk(size / PerClass).Where(chunk => chunk.Length == size / PerClass).Select(chunk => chunk.SelectMany(rows => rows).ToArray());
    }

    private T[] Shuffled<T>(T[] items)
    {
        _random.Shuffle(items);
        return items;
    }

    private (List<long> Anchors, List<long> Positives, List<long> Negatives) Mine(float[] distances, int[] labels)
    {
        var (anchors, positives, negatives, candidates) = (new List<long>(), new List<long>(), new List<long>(), new List<long>());
        for (var anchor = 0; anchor < labels.Length; anchor++)
        {
            for (var positive = 0; positive < labels.Length; positive++)
            {
                if (positive == anchor || labels[positive] != labels[anchor])
                    continue;
                candidates.Clear();
                var limit = distances[(anchor * labels.Length) + positive] + Margin;
                for (var negative = 0; negative < labels.Length; negative++)
                {
                    if (labels[negative] != labels[anchor] && distances[(anchor * labels.Length) + negative] < limit)
                        candidates.Add(negative);
                }
                if (candidates.Count == 0)
                    continue;
                anchors.Add(anchor);
                positives.Add(positive);
                negatives.Add(candidates[_random.Next(candidates.Count)]);
            }
        }
        return (anchors, positives, negatives);
    }
}
