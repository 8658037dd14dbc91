using System.Globalization;

namespace MLExtensions.Tests.Serving.Pad;

/// <summary>Digits as a hand draws them: the ways of the pen, in percent of the pad, through whose points the pen goes smoothly.</summary>
internal static class DrawnDigits
{
    private const int PointsBetween = 5;

    private static readonly string[] Ways =
    [
        "58,18 44,16 31,27 25,48 28,70 40,83 55,82 67,69 71,47 67,28 57,17",
        "57,14 54,34 51,52 47,88",
        "27,32 33,19 48,13 62,19 66,33 58,50 42,67 26,84 42,80 58,83 73,82",
        "30,20 46,12 62,19 63,33 50,44 42,46 56,50 67,62 62,78 46,87 28,80",
        "36,14 30,35 27,54 45,54 72,51; 62,28 59,55 56,88",
        "40,16 36,32 33,46 48,42 63,50 67,66 58,81 42,86 27,79; 40,16 54,17 70,13",
        "62,12 46,24 34,44 30,64 36,81 50,87 63,79 66,65 57,54 43,57 33,68",
        "26,20 45,19 70,16 60,40 50,62 42,88",
        "62,24 50,13 36,19 36,33 50,46 63,60 64,77 50,87 36,79 37,62 50,47 62,34 63,24",
        "66,26 54,15 38,20 33,36 42,47 57,44 66,30 67,24 66,50 60,72 54,88",
    ];

    /// <summary>The strokes of a digit; x and y from 0 to 1.</summary>
    public static (double X, double Y)[][] Of(int digit) => [.. Ways[digit].Split(';').Select(way => Smooth([.. way.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Point)]))];

    private static (double X, double Y) Point(string text)
    {
        double[] numbers = [.. text.Split(',').Select(number => double.Parse(number, CultureInfo.InvariantCulture) / 100)];
        return (numbers[0], numbers[1]);
    }

    /// <summary>Catmull and Rom, 1974.</summary>
    private static (double X, double Y)[] Smooth((double X, double Y)[] points)
    {
        var way = new List<(double, double)>();
        for (var i = 0; i + 1 < points.Length; i++)
        {
            var (before, from, to, after) = (points[Math.Max(0, i - 1)], points[i], points[i + 1], points[Math.Min(points.Length - 1, i + 2)]);
            way.AddRange(Enumerable.Range(0, PointsBetween).Select(step => (double)step / PointsBetween).Select(t => (Between(before.X, from.X, to.X, after.X, t), Between(before.Y, from.Y, to.Y, after.Y, t))));
        }
        return [.. way, points[^1]];
    }

    private static double Between(double before, double from, double to, double after, double t) =>
        0.5 * ((2 * from) + ((to - before) * t) + (((2 * before) - (5 * from) + (4 * to) - after) * t * t) + (((3 * from) - before - (3 * to) + after) * t * t * t));
}
