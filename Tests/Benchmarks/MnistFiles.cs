using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>Reads MNIST's IDX files, gzipped or not.</summary>
internal static class MnistFiles
{
    /// <param name="folder">Where the files are.</param>
    /// <param name="part"><c>train</c> or <c>t10k</c>.</param>
    public static ImageSet Read(string folder, string part)
    {
        var data = new MLContext(1).Data.LoadFromIdx(Find(folder, $"{part}-images"), Find(folder, $"{part}-labels"), ImageRow.Classes);
        var labels = data.GetColumn<uint>("Label");
        var images = data.GetColumn<float[]>("Features");
        var rows = labels.Zip(images, (key, pixels) => new ImageRow { Label = key - 1, Features = Array.ConvertAll(pixels, pixel => pixel / 255) });
        return new ImageSet(rows.ToArray());
    }

    private static string Find(string folder, string name) =>
        Directory.EnumerateFiles(folder, name + "*").Order().FirstOrDefault()
            ?? throw new FileNotFoundException($"There is no file {name}* in '{folder}'.");
}
