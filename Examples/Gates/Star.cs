using Microsoft.ML.Data;

namespace MLExtensions.Examples.Gates;

/// <summary>A point of the plane, and whether it lies in the star.</summary>
internal sealed class StarPoint
{
    /// <summary>x and y.</summary>
    [VectorType(2)]
    public float[] Features { get; set; } = [];

    public bool Label { get; set; }
}

/// <summary>A six-pointed star around the origin, its points at distance 1: a triangle that points up, and one that points down.</summary>
internal static class Star
{
    /// <summary>Points are drawn from a square of twice this side around the star.</summary>
    public const double Extent = 1.1;

    // The sides of both triangles are this far from the origin.
    private const double SideDistance = 0.5;

    /// <summary>The twelve corners, in order around the star.</summary>
    public static IReadOnlyList<(double X, double Y)> Outline { get; } = [.. Enumerable.Range(0, 12).Select(Corner)];

    public static bool Contains(double x, double y) => IsInTriangle(x, y) || IsInTriangle(x, -y);

    /// <summary>Points from all over the square.</summary>
    public static IEnumerable<StarPoint> Sample(int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var x = ((2 * random.NextDouble()) - 1) * Extent;
            var y = ((2 * random.NextDouble()) - 1) * Extent;
            yield return CreatePoint(x, y);
        }
    }

    public static StarPoint CreatePoint(double x, double y) => new() { Features = [(float)x, (float)y], Label = Contains(x, y) };

    /// <summary>The triangle that points up is where three lines have the origin on the same side.</summary>
    private static bool IsInTriangle(double x, double y) =>
        y > -SideDistance
        && (Math.Sqrt(3) / 2 * x) + (y / 2) < SideDistance
        && (-Math.Sqrt(3) / 2 * x) + (y / 2) < SideDistance;

    private static (double X, double Y) Corner(int index)
    {
        var angle = Math.PI / 6 * (index + 3);
        var radius = index % 2 == 0 ? 1 : 1 / Math.Sqrt(3);
        return (radius * Math.Cos(angle), radius * Math.Sin(angle));
    }
}
