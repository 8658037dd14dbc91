namespace MLExtensions.Families.HiddenMarkov;

/// <summary>Small symmetric matrices, row after row.</summary>
internal static class Cholesky
{
    private const int MostSweeps = 100;

    /// <summary>Finds the lower factor; false if the matrix is not positive definite.</summary>
    public static bool TryFactor(ReadOnlySpan<double> matrix, Span<double> lower, int size)
    {
        lower.Clear();
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var sum = matrix[(i * size) + j];
                for (var k = 0; k < j; k++)
                    sum -= lower[(i * size) + k] * lower[(j * size) + k];
                if (i != j)
                    lower[(i * size) + j] = sum / lower[(j * size) + j];
                else if (sum > 0 && double.IsFinite(sum))
                    lower[(i * size) + i] = Math.Sqrt(sum);
                else
                    return false;
            }
        }
        return true;
    }

    /// <summary>Inverts a lower factor.</summary>
    public static void Invert(ReadOnlySpan<double> lower, Span<double> inverse, int size)
    {
        inverse.Clear();
        for (var column = 0; column < size; column++)
        {
            for (var i = column; i < size; i++)
            {
                var sum = i == column ? 1.0 : 0.0;
                for (var k = column; k < i; k++)
                    sum -= lower[(i * size) + k] * inverse[(k * size) + column];
                inverse[(i * size) + column] = sum / lower[(i * size) + i];
            }
        }
    }

    /// <summary>Raises the eigenvalues of a symmetric matrix to a floor (Jacobi's rotations): the nearest covariance in the sense of likelihood.</summary>
    public static void RaiseEigenvalues(Span<double> matrix, int size, double floor)
    {
        var (rotated, vectors) = (matrix.ToArray(), new double[matrix.Length]);
        for (var i = 0; i < size; i++)
            vectors[(i * size) + i] = 1;
        for (var sweep = 0; sweep < MostSweeps && Rotate(rotated, vectors, size); sweep++)
        {
        }
        matrix.Clear();
        for (var k = 0; k < size; k++)
        {
            var value = Math.Max(floor, rotated[(k * size) + k]);
            for (var i = 0; i < size; i++)
            {
                for (var j = 0; j < size; j++)
                    matrix[(i * size) + j] += value * vectors[(i * size) + k] * vectors[(j * size) + k];
            }
        }
    }

    /// <summary>One rotation for each pair; false if nothing is left to be rotated.</summary>
    private static bool Rotate(double[] a, double[] vectors, int size)
    {
        var rotated = false;
        for (var p = 0; p < size; p++)
        {
            for (var q = p + 1; q < size; q++)
            {
                var off = a[(p * size) + q];
                if (Math.Abs(off) <= 1e-17 * (Math.Abs(a[(p * size) + p]) + Math.Abs(a[(q * size) + q])))
                    continue;
                rotated = true;
                var theta = (a[(q * size) + q] - a[(p * size) + p]) / (2 * off);
                var t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
                var c = 1 / Math.Sqrt((t * t) + 1);
                var s = t * c;
                for (var k = 0; k < size; k++)
                    (a[(k * size) + p], a[(k * size) + q]) = ((c * a[(k * size) + p]) - (s * a[(k * size) + q]), (s * a[(k * size) + p]) + (c * a[(k * size) + q]));
                for (var k = 0; k < size; k++)
                {
                    (a[(p * size) + k], a[(q * size) + k]) = ((c * a[(p * size) + k]) - (s * a[(q * size) + k]), (s * a[(p * size) + k]) + (c * a[(q * size) + k]));
                    (vectors[(k * size) + p], vectors[(k * size) + q]) = ((c * vectors[(k * size) + p]) - (s * vectors[(k * size) + q]), (s * vectors[(k * size) + p]) + (c * vectors[(k * size) + q]));
                }
            }
        }
        return rotated;
    }
}
