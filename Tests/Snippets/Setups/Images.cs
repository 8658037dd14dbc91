using MLExtensions.Tests;
using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about images.</summary>
internal static class Images
{
    private const string Weights = "squeezenet1_0.safetensors";

    /// <summary>Two folders of photos, and random weights of SqueezeNet.</summary>
    public static void Photos(Snippet snippet)
    {
        foreach (var kind in (string[])["cat", "dog"])
        {
            for (var i = 1; i <= 3; i++)
                Pictures.Write($"photos/{kind}/{i}.png", 40, (kind[0] % 5) + i);
        }
        WriteWeights();
        train = ml.Data.LoadFromImageFolder("photos");
    }

    /// <summary>Whether the files of dlib's face network are at hand.</summary>
    public static bool HasFaceNetwork => FaceNetwork != null;

    private static string? FaceNetwork =>
        Environment.GetEnvironmentVariable("MLEXTENSIONS_DATA") is { } data && Path.Combine(data, "pretrained", "face_recognition") is var folder && Directory.Exists(folder) ? folder : null;

    /// <summary>Pictures, and the files of dlib's face network.</summary>
    public static void Faces(Snippet snippet)
    {
        Photos(snippet);
        foreach (var file in Directory.GetFiles(FaceNetwork!, "face_recognition_model*"))
            File.Copy(file, Path.GetFileName(file), overwrite: true);
    }

    /// <summary>The paths of the photos and what is on them.</summary>
    public static IDataView Paths()
    {
        string[] kinds = ["cat", "dog"];
        return Tables.Keyed(Tables.View(Enumerable.Range(0, 6).Select(i => new PictureFile { Path = $"{kinds[i % 2]}/{(i / 2) + 1}.png", Label = kinds[i % 2] })), "Label");
    }

    /// <summary>Vectors of 3 channels of 32 x 32 pixels.</summary>
    public static void SmallImages(Snippet snippet) =>
        train = Tables.Renamed(Tables.Keyed(Tables.Labeled(12, [3, 32, 32], i => (uint)i % 3), "Label"), "Features", "Image");

    public static void Style(Snippet snippet)
    {
        string[] names = ["starry_night.jpg", "the_wave.jpg", "pictures/1.png", "pictures/2.png", "photos/1.png", "photos/2.png", "paintings/1.png", "paintings/2.png"];
        foreach (var name in names)
            Pictures.Write(name, 40, name.Length);
        WriteWeights();
        var files = Tables.View(Enumerable.Range(1, 2).Select(i => new PictureFile
        {
            Path = $"{i}.png",
            PaintingPath = $"{3 - i}.png",
            Label = $"painter {i}",
            Style = i == 1 ? "starry_night" : "the_wave",
        }));
        train = ml.Data.TakeRows(files, snippet.Has("Transforms.StyleTransfer(", "Transforms.FastStyleTransfer(\"") ? 1 : 2);
        if (snippet.Has("FastStyleTransfer", "AdaptiveStyleTransfer"))
            StopAfterFirstEpoch();
        if (snippet.Has("StyleEmbedding", "StyleColumnName"))
        {
            train = ml.Transforms.LoadImages("Image", "pictures", "Path")
                .Append(ml.Transforms.ResizeImages("Image", 128, 128))
                .Append(ml.Transforms.Conversion.MapValueToKey("Style"))
                .Fit(files).Transform(files);
        }
        if (snippet.Has("model.Transform(data)"))
            (data, model) = (files, ml.Transforms.LoadImages("Styled", "pictures", "Path").Fit(files));
    }

    /// <summary>Pictures with a box each.</summary>
    public static IDataView Boxes()
    {
        Pictures.Write("pictures/1.png", 40, 1);
        var files = Tables.View([new BoxedPicture { Path = "1.png", Box = [5, 5, 20, 20] }], ("Box", [4]));
        return ml.Transforms.LoadImages("Image", "pictures", "Path").Fit(files).Transform(files);
    }

    private static void WriteWeights()
    {
        if (!File.Exists(Weights))
            LossNetworkSample.Write(Weights, 1, LossNetworkSample.SqueezeNet, keepsSize: true);
    }

    private sealed class PictureFile
    {
        public string Path { get; set; } = "";

        public string PaintingPath { get; set; } = "";

        public string Label { get; set; } = "";

        public string Style { get; set; } = "";
    }

    private sealed class BoxedPicture
    {
        public string Path { get; set; } = "";

        public float[] Box { get; set; } = [];
    }
}
