using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>A file as face-api.js has dlib's face network, with two filters where that has 32, and random weights.</summary>
internal sealed class DlibFaceSample
{
    public const int Filters = 2;
    public const int EmbeddingSize = 6;
    public const int Side = 150;

    private static readonly string[] Float32 = ["conv64_1/conv1/conv/filters"];
    private static readonly string[] UInt16 = ["conv32_2/conv2/conv/filters"];

    private readonly List<object> _entries = [];
    private readonly List<byte> _bytes = [];
    private readonly Random _random = new(TestSeed.Of(5));

    private DlibFaceSample()
    {
        AddConvolution("conv32_down", 7, 3, Filters);
        var channels = Filters;
        foreach (var block in Blocks)
        {
            var outputs = Filters * int.Parse(block[4..].Split('_')[0], CultureInfo.InvariantCulture) / 32;
            AddConvolution(block + "/conv1", 3, channels, outputs);
            AddConvolution(block + "/conv2", 3, outputs, outputs);
            channels = outputs;
        }
        Add("fc", 2, -1, [channels, EmbeddingSize]);
    }

    public static string[] Blocks { get; } =
    [
        "conv32_1", "conv32_2", "conv32_3", "conv64_down", "conv64_1", "conv64_2", "conv64_3", "conv128_down", "conv128_1", "conv128_2",
        "conv256_down", "conv256_1", "conv256_2", "conv256_down_out",
    ];

    /// <summary>The numbers that the file stands for, by name.</summary>
    public Dictionary<string, float[]> Values { get; } = [];

    /// <summary>Writes the files and returns the path of the manifest.</summary>
    public static string Write(TemporaryFolder folder, out DlibFaceSample sample, Func<string, string>? change = null, int cut = 0)
    {
        sample = new DlibFaceSample();
        var json = JsonSerializer.Serialize(new[] { new { weights = sample._entries, paths = new[] { "model_1.bin", "model_2.bin" } } });
        File.WriteAllText(folder.File("manifest.json"), change?.Invoke(json) ?? json);
        // The border between the two is inside a tensor.
        var half = (sample._bytes.Count / 2) + 1;
        File.WriteAllBytes(folder.File("model_1.bin"), [.. sample._bytes[..half]]);
        File.WriteAllBytes(folder.File("model_2.bin"), [.. sample._bytes[half..^cut]]);
        return folder.File("manifest.json");
    }

    public static IDataView View(MLContext ml, int rows = 8)
    {
        var random = new Random(TestSeed.Of(6));
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(row => new Face
        {
            Pixels = Enumerable.Range(0, 3 * Side * Side).Select(_ => (float)random.Next(256) * (row % 2 == 0 ? 1 : 0.5f)).ToArray(),
            Label = (uint)(row % 2),
        }).ToArray());
    }

    public static ImageEmbeddingEstimator.Options Options(string path, Action<ImageEmbeddingEstimator.Options>? change = null)
    {
        var options = new ImageEmbeddingEstimator.Options
        {
            FeatureColumnName = "Pixels",
            Trunk = ImageTrunk.DlibFace(path),
            EmbeddingSize = EmbeddingSize,
            Epochs = 0,
            BatchSize = 8,
            Seed = 1,
            ThreadCount = 1,
        };
        change?.Invoke(options);
        return options;
    }

    private void AddConvolution(string name, int side, int inputs, int outputs)
    {
        Add(name + "/conv/filters", 1, -0.5, [side, side, inputs, outputs]);
        Add(name + "/conv/bias", 0.1, 0, [outputs]);
        Add(name + "/scale/weights", 0.5, 0.2, [outputs]);
        Add(name + "/scale/biases", 0.4, -0.1, [outputs]);
    }

    /// <summary>Random numbers from a least one over a range, as the file quantizes them.</summary>
    private void Add(string name, double range, double least, int[] shape)
    {
        var count = shape.Aggregate((product, size) => product * size);
        var values = new float[count];
        if (Float32.Contains(name))
        {
            _entries.Add(new { name, shape, dtype = "float32" });
            for (var i = 0; i < count; i++)
                _bytes.AddRange(BitConverter.GetBytes(values[i] = (float)(least + (range * _random.NextDouble()))));
        }
        else
        {
            var (type, largest) = UInt16.Contains(name) ? ("uint16", ushort.MaxValue) : ("uint8", byte.MaxValue);
            var scale = range / largest;
            _entries.Add(new { name, shape, dtype = "float32", quantization = new { dtype = type, scale, min = least } });
            for (var i = 0; i < count; i++)
            {
                var number = _random.Next(largest + 1);
                _bytes.AddRange(largest == byte.MaxValue ? [(byte)number] : BitConverter.GetBytes((ushort)number));
                values[i] = (float)((number * scale) + least);
            }
        }
        Values.Add(name, values);
    }

    internal sealed class Face
    {
        [VectorType(3, Side, Side)]
        public float[] Pixels { get; set; } = [];

        [KeyType(2)]
        public uint Label { get; set; }
    }
}
