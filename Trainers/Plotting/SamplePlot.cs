using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Draws samples of generative adversarial networks.</summary>
public static class SamplePlot
{
    /// <summary>Generates images and saves them as one picture, row by row.</summary>
    /// <param name="gan">A GAN of images with 1 or 3 channels.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="count">The number of images, at least 1. Default 64.</param>
    /// <param name="seed">The seed of their noise. Null: <see cref="GanTransformer.NoiseSeed"/>.</param>
    /// <param name="label">The class of all images, as in <see cref="GanTransformer.Generate"/>. Null: the classes one after the other.</param>
    /// <param name="columns">The number of images per row. Null: about as many as there are rows.</param>
    /// <exception cref="ArgumentException">Samples are not such images, or the class is unknown.</exception>
    public static void SaveSamplesPng(this GanTransformer gan, string path, int count = 64, int? seed = null, string? label = null, int? columns = null)
    {
        ArgumentNullException.ThrowIfNull(gan);
        OptionCheck.AtLeast(count, 1, nameof(count));
        var noise = gan.DrawNoise(count, seed);
        var classes = gan.Architecture.ClassCount;
        SaveSamplesPng(gan, path, noise.Select((values, row) => gan.Sample(values, label ?? (classes == 0 ? null : gan.ClassNames?[row % classes] ?? FormattableString.Invariant($"{(row % classes) + 1}")))).ToArray(), columns);
    }

    /// <summary>Saves images that were generated as one picture, row by row.</summary>
    /// <param name="gan">The GAN that generated them.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="samples">The images, in the range of the data, channel after channel.</param>
    /// <param name="columns">The number of images per row. Null: about as many as there are rows.</param>
    /// <exception cref="ArgumentException">Samples are not images of 1 or 3 channels, or one has too few or too many values.</exception>
    public static void SaveSamplesPng(this GanTransformer gan, string path, IReadOnlyList<float[]> samples, int? columns)
    {
        ArgumentNullException.ThrowIfNull(gan);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(samples);
        if (gan.Architecture is not { Image: { Channels: 1 or 3 } image, Values: { } range })
            throw new ArgumentException($"The samples of this GAN cannot be drawn: {WhyNot(gan.Architecture)}", nameof(gan));
        var wrong = samples.Index().FirstOrDefault(entry => entry.Item == null || entry.Item.Length != image.Count, (-1, []));
        if (wrong.Item1 >= 0)
            throw new ArgumentException(FormattableString.Invariant($"Sample {wrong.Item1} has {wrong.Item2?.Length ?? 0} values; the images of this GAN are {image}."), nameof(samples));
        TilePicture.SavePng(path, samples.Count, image.Width, image.Height, columns, Colors(image, range, samples));
    }

    private static string WhyNot(GeneratorArchitecture generator) => generator switch
    {
        { Image: null } => FormattableString.Invariant($"they are {generator.OutputCount} {(generator.OutputCount == 1 ? "number" : "numbers")}, not images. Vectors that hold images need {nameof(GanOptions.ImageShape)} in the training."),
        { Image.Channels: not (1 or 3) } => FormattableString.Invariant($"they are images of {generator.Image}; only 1 or 3 channels have colors."),
        _ => "their values have no limits. End the generator with tanh or sigmoid.",
    };

    /// <summary>The color of a pixel of a sample, by sample, row and column.</summary>
    internal static Func<int, int, int, (byte Red, byte Green, byte Blue)> Colors(ImageShape image, ValueRange range, IReadOnlyList<float[]> samples)
    {
        var plane = image.Height * image.Width;
        return (sample, row, column) =>
        {
            var pixel = (row * image.Width) + column;
            return image.Channels == 1
                ? TilePicture.Gray(Share(sample, pixel))
                : (Level(sample, pixel), Level(sample, plane + pixel), Level(sample, (2 * plane) + pixel));
        };

        byte Level(int sample, int place) => TilePicture.Gray(Share(sample, place)).Red;

        float Share(int sample, int place) => (float)((samples[sample][place] - range.Minimum) / (range.Maximum - range.Minimum));
    }
}
