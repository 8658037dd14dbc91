using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>A labeled picture of 28 x 28 gray values in [0, 1].</summary>
internal sealed class ImageRow
{
    public const int Width = 784;
    public const int Classes = 10;

    /// <summary>The class, from 0.</summary>
    [KeyType(Classes)]
    public uint Label { get; set; }

    [VectorType(Width)]
    public float[] Features { get; set; } = [];
}

/// <summary>What a prediction engine gives back.</summary>
internal sealed class ImagePrediction
{
    public uint PredictedLabel { get; set; }

    public float[] Score { get; set; } = [];
}

/// <summary>Labeled pictures, as rows for ML.NET and as tensors for torch.</summary>
internal sealed class ImageSet(IReadOnlyList<ImageRow> rows)
{
    public IReadOnlyList<ImageRow> Rows => rows;

    public int Count => rows.Count;

    /// <summary>Made-up pictures of MNIST's shape and sparsity, and as learnable.</summary>
    public static ImageSet Synthetic(int count, int seed)
    {
        var generator = new ImageGenerator(seed);
        var made = new ImageRow[count];
        for (var i = 0; i < count; i++)
        {
            made[i] = new ImageRow { Features = new float[ImageRow.Width] };
            made[i].Label = generator.Fill(i, made[i].Features);
        }
        return new ImageSet(made);
    }

    public ImageSet Take(int count) => count >= Count ? this : new ImageSet(rows.Take(count).ToArray());

    public IDataView ToDataView(MLContext ml) => ml.Data.LoadFromEnumerable(rows);

    /// <summary><c>[rows, 784]</c> float32 and <c>[rows]</c> int64; the caller disposes both.</summary>
    public (Tensor Features, Tensor Labels) ToTensors()
    {
        var features = empty(Count, ImageRow.Width);
        var values = TensorMemory.Floats(features);
        for (var i = 0; i < Count; i++)
            rows[i].Features.CopyTo(values.Slice(i * ImageRow.Width, ImageRow.Width));
        return (features, tensor(rows.Select(row => (long)row.Label).ToArray()));
    }
}
