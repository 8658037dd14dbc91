using System.Globalization;

namespace MLExtensions.Families.Gan;

/// <summary>
/// Fills the hole of an image so that it has the gradients of a fill and meets the known pixels at its border: the discrete Poisson equation
/// (Pérez, Gangnet and Blake, "Poisson image editing", 2003). With a fill without gradients the values of the border are spread evenly, the
/// harmonic fill. Images are planar: channel, row, column.
/// </summary>
/// <remarks>
/// With g the fill, the solution is g + u, and u is harmonic: each missing pixel is the mean of its neighbors, and known ones have their
/// difference from g. At the border of the image there is no neighbor and no condition.
/// </remarks>
internal sealed class PoissonBlend
{
    /// <summary>The residual at which the solution is exact in float32, relative to the values of the border.</summary>
    private const double Tolerance = 1e-10;

    private readonly InpaintingMask _mask;
    private readonly int[] _pixels;
    private readonly int[][] _missingNeighbors;
    private readonly int[][] _knownNeighbors;

    public PoissonBlend(InpaintingMask mask)
    {
        _mask = mask;
        _pixels = Enumerable.Range(0, mask.Height * mask.Width).Where(pixel => mask.IsMissing[pixel]).ToArray();
        var places = new int[mask.Height * mask.Width];
        for (var i = 0; i < _pixels.Length; i++)
            places[_pixels[i]] = i;
        _missingNeighbors = _pixels.Select(pixel => Neighbors(pixel).Where(other => mask.IsMissing[other]).Select(other => places[other]).ToArray()).ToArray();
        _knownNeighbors = _pixels.Select(pixel => Neighbors(pixel).Where(other => !mask.IsMissing[other]).ToArray()).ToArray();
    }

    private int PixelCount => _mask.Height * _mask.Width;

    /// <summary>Fills the hole with the values of its border, spread evenly.</summary>
    /// <param name="image">The image; what is in its hole is not read.</param>
    /// <param name="result">Receives the image: known pixels bit for bit, the others computed.</param>
    /// <exception cref="ArgumentException">A length is not a number of whole channels, or no pixel is known.</exception>
    public void FillHarmonically(ReadOnlySpan<float> image, Span<float> result)
    {
        if (_pixels.Length == PixelCount)
            throw new ArgumentException("The mask has no known pixel, so there is nothing to fill its hole with.", nameof(image));
        Solve(image, [], result);
    }

    /// <summary>Fills the hole with the gradients of a fill.</summary>
    /// <param name="image">The image; what is in its hole is not read.</param>
    /// <param name="fill">An image for the hole, with all pixels. If no pixel is known it is the result.</param>
    /// <param name="result">Receives the image: known pixels bit for bit, the others computed.</param>
    /// <exception cref="ArgumentException">The images are of different sizes, or a length is not a number of whole channels.</exception>
    public void Blend(ReadOnlySpan<float> image, ReadOnlySpan<float> fill, Span<float> result)
    {
        if (fill.Length != image.Length)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The fill has {fill.Length} values and the image {image.Length}."), nameof(fill));
        Solve(image, fill, result);
    }

    private void Solve(ReadOnlySpan<float> image, ReadOnlySpan<float> fill, Span<float> result)
    {
        if (image.Length == 0 || image.Length % PixelCount != 0 || result.Length != image.Length)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The image has {image.Length} values and the result {result.Length}; both must have {PixelCount} per channel ({_mask.Height} x {_mask.Width} pixels)."), nameof(image));
        var border = new double[_pixels.Length];
        for (var channel = 0; channel < image.Length; channel += PixelCount)
        {
            var known = image.Slice(channel, PixelCount);
            var plane = fill.IsEmpty ? [] : fill.Slice(channel, PixelCount);
            var output = result.Slice(channel, PixelCount);
            for (var i = 0; i < border.Length; i++)
            {
                border[i] = 0;
                foreach (var other in _knownNeighbors[i])
                    border[i] += plane.IsEmpty ? known[other] : (double)known[other] - plane[other];
            }
            var solution = Solve(border);
            for (var pixel = 0; pixel < PixelCount; pixel++)
            {
                if (!_mask.IsMissing[pixel])
                    output[pixel] = known[pixel];
            }
            for (var i = 0; i < solution.Length; i++)
                output[_pixels[i]] = (float)(plane.IsEmpty ? solution[i] : plane[_pixels[i]] + solution[i]);
        }
    }

    /// <summary>
    /// Conjugate gradients (Hestenes and Stiefel, 1952) for: the number of neighbors times u, minus the missing neighbors' u, is the sum of
    /// the known neighbors. The matrix is symmetric and, with at least one known pixel, positive definite.
    /// </summary>
    private double[] Solve(double[] border)
    {
        var solution = new double[border.Length];
        var (residual, direction, product) = (border.ToArray(), border.ToArray(), new double[border.Length]);
        var square = Dot(residual, residual);
        var enough = square * Tolerance * Tolerance;
        for (var step = 0; square > enough && step < 10 * border.Length; step++)
        {
            Multiply(direction, product);
            var length = square / Dot(direction, product);
            for (var i = 0; i < solution.Length; i++)
            {
                solution[i] += length * direction[i];
                residual[i] -= length * product[i];
            }
            var next = Dot(residual, residual);
            for (var i = 0; i < direction.Length; i++)
                direction[i] = residual[i] + (next / square * direction[i]);
            square = next;
        }
        return solution;
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private void Multiply(double[] values, double[] result)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var sum = (_missingNeighbors[i].Length + _knownNeighbors[i].Length) * values[i];
            foreach (var other in _missingNeighbors[i])
                sum -= values[other];
            result[i] = sum;
        }
    }

    private IEnumerable<int> Neighbors(int pixel)
    {
        var (y, x) = (pixel / _mask.Width, pixel % _mask.Width);
        if (y > 0)
            yield return pixel - _mask.Width;
        if (y < _mask.Height - 1)
            yield return pixel + _mask.Width;
        if (x > 0)
            yield return pixel - 1;
        if (x < _mask.Width - 1)
            yield return pixel + 1;
    }
}
