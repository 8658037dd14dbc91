using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Made-up color pictures of CIFAR's size: what they show does not matter to a stopwatch.</summary>
internal sealed class ColorImageSet
{
    private const int Classes = 10;
    private readonly List<Row> _rows = [];

    public ColorImageSet(int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var row = new Row { Label = (uint)random.Next(Classes), Features = new float[Row.Width] };
            for (var p = 0; p < row.Features.Length; p++)
                row.Features[p] = random.NextSingle();
            _rows.Add(row);
        }
    }

    public int Count => _rows.Count;

    public IDataView ToDataView(MLContext ml) => ml.Data.LoadFromEnumerable(_rows);

    /// <summary><c>[rows, 3072]</c> float32 and <c>[rows]</c> int64.</summary>
    public (Tensor Features, Tensor Labels) ToTensors() => (
        tensor(_rows.SelectMany(row => row.Features).ToArray()).view(Count, Row.Width),
        tensor(_rows.Select(row => (long)row.Label).ToArray()));

    private sealed class Row
    {
        public const int Width = 3 * 32 * 32;

        [KeyType(Classes)]
        public uint Label { get; set; }

        [VectorType(3, 32, 32)]
        public float[] Features { get; set; } = [];
    }
}
