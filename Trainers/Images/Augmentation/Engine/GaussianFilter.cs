namespace MLExtensions.Images;

/// <summary>Smoothing of noise along one axis as a matrix.</summary>
internal static class GaussianFilter
{
    /// <summary>
    /// A row for each smoothed value. A Gaussian whose weights sum to 1 lowers the noise by the root of its sum of squares; where the
    /// border cuts it off, the rest is scaled so that the noise is lowered as much.
    /// </summary>
    public static float[] Matrix(int length, double sigma)
    {
        var matrix = new float[length * length];
        var root = RootOfSquares(sigma);
        for (var row = 0; row < length; row++)
        {
            var squares = 0.0;
            for (var column = 0; column < length; column++)
            {
                var weight = Weight(column - row, sigma);
                squares += weight * weight;
            }
            for (var column = 0; column < length; column++)
                matrix[row * length + column] = (float)(Weight(column - row, sigma) * root / Math.Sqrt(squares));
        }
        return matrix;
    }

    private static double RootOfSquares(double sigma)
    {
        var reach = Math.Ceiling(6 * sigma);
        var sum = 0.0;
        var squares = 0.0;
        for (var distance = -reach; distance <= reach; distance++)
        {
            var weight = Weight(distance, sigma);
            sum += weight;
            squares += weight * weight;
        }
        return Math.Sqrt(squares) / sum;
    }

    private static double Weight(double distance, double sigma) => Math.Exp(-distance * distance / (2 * sigma * sigma));
}
