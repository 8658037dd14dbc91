using System.Globalization;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Faces;

/// <summary>A picture of a face, half as large as in the collection.</summary>
internal sealed class FaceImage
{
    public string Label { get; init; } = "";

    [VectorType(1, FaceImages.Height, FaceImages.Width)]
    public float[] Pixels { get; init; } = [];
}

/// <summary>The ORL collection of faces: a folder for each person, s1, s2 and so on, with ten gray pictures of 92 x 112 pixels (PGM).</summary>
internal static class FaceImages
{
    public const int Width = 46;
    public const int Height = 56;

    private const int Scale = 2;
    private const int HeaderWords = 4;

    public static readonly ExternalData Folder = new("The faces", "faces", "DIR", "The folder of the ORL collection, with folders s1, s2, ... of PGM files.", "faces");

    /// <summary>The pictures of people with consecutive numbers.</summary>
    /// <exception cref="UsageException">Somebody has no pictures.</exception>
    public static FaceImage[] Read(string folder, int first, int last) => Enumerable.Range(first, last - first + 1).SelectMany(person =>
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"s{person}");
        var files = Directory.Exists(Path.Combine(folder, name)) ? Directory.GetFiles(Path.Combine(folder, name), "*.pgm") : [];
        if (files.Length == 0)
            throw new UsageException($"There are no PGM files in '{Path.Combine(folder, name)}'.");
        return files.Order(StringComparer.Ordinal).Select(file => new FaceImage { Label = name, Pixels = Halve(file) });
    }).ToArray();

    /// <summary>Means of squares of pixels, divided by the root of their number, so that the distance of two pictures is a mean, too.</summary>
    public static float[] Coarsen(FaceImage face)
    {
        var means = new float[Height / Scale * (Width / Scale)];
        for (var i = 0; i < means.Length; i++)
        {
            var (top, left) = (i / (Width / Scale) * Scale, i % (Width / Scale) * Scale);
            means[i] = MeanOf((row, column) => face.Pixels[((top + row) * Width) + left + column]) / (255 * MathF.Sqrt(means.Length));
        }
        return means;
    }

    private static float[] Halve(string file)
    {
        var bytes = File.ReadAllBytes(file);
        // P5, width, height and largest value, each followed by one white space.
        var (place, words) = (0, new List<string>());
        while (words.Count < HeaderWords && place < bytes.Length)
        {
            var end = place;
            while (end < bytes.Length && !char.IsWhiteSpace((char)bytes[end]))
                end++;
            words.Add(System.Text.Encoding.ASCII.GetString(bytes, place, end - place));
            place = end + 1;
        }
        var expected = new[] { "P5", $"{Scale * Width}", $"{Scale * Height}", "255" };
        if (!words.SequenceEqual(expected) || bytes.Length != place + (Scale * Width * Scale * Height))
            throw new FormatException($"'{file}' is no gray picture of {Scale * Width} x {Scale * Height} pixels.");
        return Enumerable.Range(0, Width * Height).Select(i => MeanOf((row, column) => bytes[place + (((Scale * (i / Width)) + row) * Scale * Width) + (Scale * (i % Width)) + column])).ToArray();
    }

    private static float MeanOf(Func<int, int, float> pixel)
    {
        var sum = 0f;
        for (var i = 0; i < Scale * Scale; i++)
            sum += pixel(i / Scale, i % Scale);
        return sum / (Scale * Scale);
    }
}
