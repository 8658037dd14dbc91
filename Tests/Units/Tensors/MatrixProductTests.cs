using MLExtensions.Tensors;

namespace MLExtensions.Tests.Tensors;

/// <summary>Products of small matrices in managed code.</summary>
[TestClass]
public sealed unsafe class MatrixProductTests
{
    private const float Untouched = -77;

    /// <summary>All ends of tiles: rows by six, columns by registers of any width.</summary>
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void EveryShape_IsTheSumOfProducts_AndNothingElseIsWritten(bool isTransposed)
    {
        foreach (var rows in new[] { 1, 2, 5, 6, 7, 13 })
        {
            foreach (var columns in new[] { 1, 4, 15, 16, 17, 31, 32, 33, 64, 70 })
            {
                foreach (var depth in new[] { 1, 3, 40 })
                    Check(rows, columns, depth, isTransposed, hasBiases: depth == 3);
            }
        }
    }

    private static void Check(int rows, int columns, int depth, bool isTransposed, bool hasBiases)
    {
        var padded = (columns + MatrixProduct.Group - 1) / MatrixProduct.Group * MatrixProduct.Group;
        var random = new Random(1);
        float[] left = Numbers(rows * depth), right = Numbers(depth * padded), biases = Numbers(rows);
        var product = new float[(rows + 1) * (columns + 3)];
        product.AsSpan().Fill(Untouched);
        fixed (float* l = left, r = right, b = biases, p = product)
        {
            var matrix = isTransposed ? new StridedMatrix(l, depth, rows, rows).Transposed : new StridedMatrix(l, rows, depth, depth);
            MatrixProduct.Compute(matrix, new StridedMatrix(r, depth, columns, padded), new StridedMatrix(p, rows, columns, columns + 3), hasBiases ? b : null);
        }
        for (var row = 0; row <= rows; row++)
        {
            for (var column = 0; column < columns + 3; column++)
            {
                var actual = product[(row * (columns + 3)) + column];
                if (row == rows || column >= columns)
                {
                    Assert.AreEqual(Untouched, actual, "beyond the product");
                    continue;
                }
                var (expected, size) = (hasBiases ? biases[row] : 0.0, 1.0);
                for (var k = 0; k < depth; k++)
                {
                    var term = (double)left[isTransposed ? (k * rows) + row : (row * depth) + k] * right[(k * padded) + column];
                    (expected, size) = (expected + term, size + Math.Abs(term));
                }
                Assert.AreEqual(expected, actual, 1e-6 * size, $"{rows} x {depth} x {columns}: {row}, {column}");
            }
        }

        float[] Numbers(int count)
        {
            var numbers = new float[count];
            foreach (ref var number in numbers.AsSpan())
                number = (random.NextSingle() * 2) - 1;
            return numbers;
        }
    }

    [TestMethod]
    public void NumbersThatAreNone_StayInTheirRow()
    {
        float[] left = [1, float.NaN, 2, 1], right = new float[2 * MatrixProduct.Group], product = new float[4];
        (right[0], right[1], right[MatrixProduct.Group], right[MatrixProduct.Group + 1]) = (1, 2, 3, 4);
        fixed (float* l = left, r = right, p = product)
            MatrixProduct.Compute(new StridedMatrix(l, 2, 2, 2), new StridedMatrix(r, 2, 2, MatrixProduct.Group), new StridedMatrix(p, 2, 2, 2));
        CollectionAssert.AreEqual(new[] { float.NaN, float.NaN, 5, 8 }, product);
    }
}
