using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>
/// Training of embeddings with the triplet loss and semi-hard negatives against a hand-written loop of the same network, loss and mining: the
/// network of the faces, and a perceptron. Classes have eight examples, so that both see each of them once in an epoch. Whole <c>Fit</c>s are
/// compared, and with one thread their processor time.
/// </summary>
internal sealed class EmbeddingThroughput : IBenchmark
{
    private const int Height = 56;
    private const int Width = 46;
    private const int PerClass = 8;
    private const int Batch = 32;
    private const double Floor = 1.2;

    private static readonly int[] Channels = [32, 64, 128, 128];

    public string Name => "embedding";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        foreach (var threads in new[] { 1, 2 })
        {
            set_num_threads(threads);
            foreach (var row in MeasureFaces(settings, threads).Concat(MeasureDense(settings, threads, Batch)).Concat(MeasureDense(settings, threads, 4 * Batch)))
                yield return row;
        }
    }

    private static IEnumerable<ResultRow> MeasureFaces(BenchmarkSettings settings, int threads)
    {
        const int Size = 64;
        var (ml, rows) = (new MLContext(1), Rows(classes: 40, Height * Width));
        var data = View(ml, rows, 40, 1, Height, Width);
        using var loop = new HandWrittenEmbedding(ToTensor(rows).view(-1, 1, Height, Width), Labels(rows), HandWrittenEmbedding.Convolutional(Channels, Size));
        var options = new ImageEmbeddingEstimator.Options
        {
            Trunk = ImageTrunk.Cnn(
            [
                .. Channels.SelectMany(channels => (ImageLayer[])[new ConvolutionLayer(channels, 3) { Padding = 1, Bias = false }, new BatchNormalizationLayer(), new ActivationLayer(), new MaxPoolingLayer(2)]),
                new GlobalAveragePoolingLayer(),
                new DenseLayer(),
            ]),
            EmbeddingSize = Size,
        };
        foreach (var row in Measure(settings, FormattableString.Invariant($"triplets, network of the faces, 1 x {Height} x {Width}, batch {Batch}"), () => ml.MetricLearning.Trainers.Image(options), Set(options, threads, Batch, epochs: 2), data, loop, threads, rows.Length))
            yield return row;
    }

    private static IEnumerable<ResultRow> MeasureDense(BenchmarkSettings settings, int threads, int batch)
    {
        const int Inputs = 256, Hidden = 256, Size = 128;
        var (ml, rows) = (new MLContext(1), Rows(classes: 500, Inputs));
        var data = View(ml, rows, 500, Inputs);
        using var loop = new HandWrittenEmbedding(ToTensor(rows), Labels(rows), HandWrittenEmbedding.Dense(Inputs, Hidden, Size));
        var options = new DenseEmbeddingEstimator.Options { HiddenLayers = [Hidden], EmbeddingSize = Size };
        foreach (var row in Measure(settings, FormattableString.Invariant($"triplets, {Inputs}-{Hidden}-{Size}, batch {batch}"), () => ml.MetricLearning.Trainers.Dense(options), Set(options, threads, batch, epochs: 10), data, loop, threads, rows.Length))
            yield return row;
    }

    private static IEnumerable<ResultRow> Measure(BenchmarkSettings settings, string what, Func<EmbeddingEstimator> create, EmbeddingOptions options, IDataView data, HandWrittenEmbedding loop, int threads, int rows)
    {
        var ours = new Clocks(() => create().Fit(data).Dispose());
        var theirs = new Clocks(() =>
        {
            for (var epoch = 0; epoch < options.Epochs; epoch++)
                loop.Run(options.BatchSize);
        });
        var elapsed = Timing.Compare(settings.Rounds, new Contender("Fit", ours.Run), new Contender("hand-written loop", theirs.Run));
        var examples = rows * options.Epochs;
        yield return Bound.Row($"{what}, {Threads.Text(threads)}, against a hand-written loop", Floor, elapsed, "examples", examples);
        if (threads == 1)
            yield return Bound.Row("the same in processor time", Floor, new Comparison(ours.Processor("Fit"), theirs.Processor("hand-written loop")), "examples", examples);
    }

    private static T Set<T>(T options, int threads, int batch, int epochs)
        where T : EmbeddingOptions
    {
        (options.Epochs, options.BatchSize, options.ThreadCount, options.Seed) = (epochs, batch, threads, 1);
        return options;
    }

    /// <summary>Classes are noisy copies of a random row, so that there is something to learn.</summary>
    private static Row[] Rows(int classes, int width)
    {
        var random = new Random(1);
        return Enumerable.Range(0, classes).SelectMany(number =>
        {
            var center = Enumerable.Range(0, width).Select(_ => random.NextSingle() - 0.5f).ToArray();
            return Enumerable.Range(0, PerClass).Select(_ => new Row { Features = Array.ConvertAll(center, x => x + (2 * random.NextSingle()) - 1), Label = (uint)number }).ToArray();
        }).ToArray();
    }

    private static Tensor ToTensor(Row[] rows) => tensor(rows.SelectMany(row => row.Features).ToArray()).view(rows.Length, -1);

    private static int[] Labels(Row[] rows) => Array.ConvertAll(rows, row => (int)row.Label);

    private static IDataView View(MLContext ml, Row[] rows, int classes, params int[] shape)
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, shape);
        schema[nameof(Row.Label)].ColumnType = new KeyDataViewType(typeof(uint), classes);
        return ml.Data.LoadFromEnumerable(rows, schema);
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }
}
