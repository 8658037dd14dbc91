using System.Numerics;
using System.Runtime.InteropServices;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>A matrix in managed memory, padded with zeros to whole SIMD vectors, for products with vectors.</summary>
internal sealed class PaddedMatrix
{
    private const int RowsAtOnce = 4; // each product needs its own sum, or it waits for the previous one

    private readonly float[] _values;

    private PaddedMatrix(int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
        _values = new float[checked(rows * columns)];
    }

    /// <summary>The number of rows including padding.</summary>
    public int Rows { get; }

    /// <summary>The number of columns including padding.</summary>
    public int Columns { get; }

    /// <summary>Returns the smallest multiple of the SIMD vector size that holds the values.</summary>
    public static int Pad(int count) => (count + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

    /// <param name="weights"><c>[rows, columns]</c>, or <c>[rows]</c> for a matrix of one column.</param>
    /// <param name="blocks">The number of parts of the rows that are padded separately.</param>
    public static PaddedMatrix Of(Tensor weights, int blocks = 1)
    {
        var source = TensorMemory.Floats(weights);
        var columns = weights.dim() == 1 ? 1 : (int)weights.shape[1];
        var blockRows = (int)weights.shape[0] / blocks;
        var matrix = new PaddedMatrix(blocks * Pad(blockRows), Pad(columns));
        for (var block = 0; block < blocks; block++)
        {
            for (var row = 0; row < blockRows; row++)
                source.Slice(((block * blockRows) + row) * columns, columns).CopyTo(matrix.Row((block * Pad(blockRows)) + row));
        }
        return matrix;
    }

    /// <summary>Creates a vector of blocks, each padded.</summary>
    public static float[] PadVector(Tensor vector, int blocks = 1)
    {
        var source = TensorMemory.Floats(vector);
        var size = source.Length / blocks;
        var padded = new float[blocks * Pad(size)];
        for (var block = 0; block < blocks; block++)
            source.Slice(block * size, size).CopyTo(padded.AsSpan(block * Pad(size)));
        return padded;
    }

    public Span<float> Row(int index) => _values.AsSpan(index * Columns, Columns);

    /// <summary>Adds the product with a padded vector to a padded vector.</summary>
    public void AddProduct(ReadOnlySpan<float> vector, Span<float> destination) => AddProducts(vector, Columns, destination, 1);

    /// <summary>
    /// Adds the products with several padded vectors to as many padded vectors. The sums of each are the same as if it were alone.
    /// </summary>
    /// <param name="vectors">The vectors.</param>
    /// <param name="stride">The distance from one of them to the next.</param>
    /// <param name="destinations">What is added to, one after the other.</param>
    /// <param name="count">The number of vectors.</param>
    public void AddProducts(ReadOnlySpan<float> vectors, int stride, Span<float> destinations, int count)
    {
        for (var row = 0; row < Rows; row += RowsAtOnce)
        {
            var row0 = Vectors(row);
            var row1 = Vectors(row + 1);
            var row2 = Vectors(row + 2);
            var row3 = Vectors(row + 3);
            for (var vector = 0; vector < count; vector++)
            {
                var factors = MemoryMarshal.Cast<float, Vector<float>>(vectors.Slice(vector * stride, Columns));
                var destination = destinations.Slice((vector * Rows) + row, RowsAtOnce);
                var (sum0, sum1, sum2, sum3) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
                for (var i = 0; i < factors.Length; i++)
                {
                    sum0 = Vector.FusedMultiplyAdd(row0[i], factors[i], sum0);
                    sum1 = Vector.FusedMultiplyAdd(row1[i], factors[i], sum1);
                    sum2 = Vector.FusedMultiplyAdd(row2[i], factors[i], sum2);
                    sum3 = Vector.FusedMultiplyAdd(row3[i], factors[i], sum3);
                }
                destination[0] += Vector.Sum(sum0);
                destination[1] += Vector.Sum(sum1);
                destination[2] += Vector.Sum(sum2);
                destination[3] += Vector.Sum(sum3);
            }
        }
    }

    private ReadOnlySpan<Vector<float>> Vectors(int row) => MemoryMarshal.Cast<float, Vector<float>>(_values.AsSpan(row * Columns, Columns));
}
