using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about generative networks.</summary>
internal static class Generation
{
    public static void Adversaries(Snippet snippet)
    {
        train = snippet.Has("\"Image\"") ? Digits(70) : Tables.Renamed(Digits(70), "Image", "Features");
        WriteGan(snippet.Has("NoiseColumnName!") ? "Noise" : null);
    }

    public static void Inpainting(Snippet snippet)
    {
        WriteGan();
        var damaged = new Damaged { Image = new float[28 * 28], Mask = [.. Enumerable.Range(0, 28 * 28).Select(pixel => pixel % 2f)] };
        test = Tables.View([damaged], ("Image", [1, 28, 28]), ("Mask", [28 * 28]));
    }

    public static void Metrics(Snippet snippet)
    {
        (data, validation) = (Tables.Classes(30, 4, 1), Tables.Classes(30, 4, 2));
        (test, train) = (Tables.Classes(30, 4, 3), Tables.Classes(30, 4, 4));
        model = ml.MulticlassClassification.Trainers.Mlp(epochs: 2).Fit(train);
    }

    /// <summary>Ones and sevens.</summary>
    private static IDataView Digits(int count) =>
        Tables.Renamed(Tables.Keyed(Tables.Labeled(count, [1, 28, 28], i => i % 2 == 0 ? "1" : "7"), "Label"), "Features", "Image");

    /// <summary>A GAN that has hardly learned anything.</summary>
    private static void WriteGan(string? noise = null)
    {
        if (File.Exists("gan.zip"))
            return;
        var digits = Digits(64);
        var options = new DcganEstimator.Options { FeatureColumnName = "Image", LabelColumnName = "Label", NoiseColumnName = noise, Epochs = 1 };
        using var gan = ml.GenerativeModels.Trainers.Dcgan(options).Fit(digits);
        ml.Model.Save(gan, digits.Schema, "gan.zip");
    }

    private sealed class Damaged
    {
        public float[] Image { get; set; } = [];

        public float[] Mask { get; set; } = [];
    }
}
