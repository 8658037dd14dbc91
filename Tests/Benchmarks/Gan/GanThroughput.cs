using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>
/// Training of a conditional convolutional GAN against a hand-written loop of the same networks, and generation through the pipeline against the
/// raw forward pass in blocks.
/// </summary>
internal sealed class GanThroughput : IBenchmark
{
    private const int Rows = 3200;
    private const int Batch = 32;
    private const int Generated = 8192;
    private const int Block = 256;

    public string Name => "gan";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var rows = settings.Training.Rows.Take(Rows).Select((row, i) => new ImageRow { Features = row.Features, Label = (uint)(i % 10) }).ToArray();
        var ml = new MLContext(1);
        var data = View(ml, rows);
        foreach (var threads in new[] { 1, 2 })
        {
            set_num_threads(threads);
            using var images = tensor(rows.SelectMany(row => row.Features.Select(x => (2 * x) - 1)).ToArray()).view(-1, 1, 28, 28);
            using var labels = tensor(rows.Select(row => (long)row.Label).ToArray());
            using var theirs = new HandWrittenGan();
            var training = Timing.Compare(
                settings.Rounds,
                new Contender("Dcgan", () => EpochSeconds(ml, data, threads)),
                Contender.Of("hand-written loop", () => theirs.Train(images, labels, Batch)));
            yield return Bound.Row($"conditional DCGAN 28 x 28, batch {Batch}, {Threads.Text(threads)}", 1.1, training, "images", Rows);

            using var gan = ml.GenerativeModels.Trainers.Dcgan(Options(threads)).Fit(ml.Data.TakeRows(data, 64));
            using var asked = arange(Generated, dtype: ScalarType.Int64).remainder(10);
            var destination = new float[Generated * 784];
            var generation = Timing.Compare(
                settings.Rounds,
                Contender.Of("Generate", () => Read(gan.Generate(Generated, seed: 1), destination)),
                Contender.Of("raw forward pass", () => theirs.Generate(asked, Block, destination)));
            yield return Bound.Row($"generation, {Threads.Text(threads)}", 0.9, generation, "images", Generated);
        }
    }

    /// <summary>The seconds of the second of two epochs: of the training alone.</summary>
    private static double EpochSeconds(MLContext ml, IDataView data, int threads)
    {
        using var gan = ml.GenerativeModels.Trainers.Dcgan(Options(threads)).Fit(data);
        return gan.History.Epochs[1].Seconds;
    }

    private static DcganEstimator.Options Options(int threads) => new() { LabelColumnName = nameof(ImageRow.Label), Epochs = 2, BatchSize = Batch, ThreadCount = threads, Seed = 1 };

    private static void Read(IDataView view, float[] destination)
    {
        var column = view.Schema["Sample"];
        using var cursor = view.GetRowCursor([column]);
        var getter = cursor.GetGetter<VBuffer<float>>(column);
        var values = default(VBuffer<float>);
        for (var row = 0; cursor.MoveNext(); row++)
        {
            getter(ref values);
            values.GetValues().CopyTo(destination.AsSpan(row * 784));
        }
    }

    private static IDataView View(MLContext ml, ImageRow[] rows)
    {
        var schema = SchemaDefinition.Create(typeof(ImageRow));
        schema[nameof(ImageRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1, 28, 28);
        schema[nameof(ImageRow.Label)].ColumnType = new KeyDataViewType(typeof(uint), 10);
        return ml.Data.LoadFromEnumerable(rows, schema);
    }

    private sealed class ImageRow
    {
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }
}
