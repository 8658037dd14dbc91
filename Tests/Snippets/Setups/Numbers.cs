using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about numbers in columns.</summary>
internal static class Numbers
{
    public static void Readme(Snippet snippet)
    {
        Classes(snippet);
        foreach (var path in (string[])["digits.csv", "Examples/Data/digits.csv"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            File.WriteAllLines(path, File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "digits.csv")).Take(301));
        }
    }

    public static void Classes(Snippet snippet) => train = Tables.Classes(60, 64);

    public static void Houses(Snippet snippet) =>
        (train, validation) = (Tables.Labeled(60, 8, i => (float)(i % 5)), Tables.Labeled(10, 8, i => (float)(i % 5)));

    public static void Training(Snippet snippet)
    {
        train = snippet.Has("Regression.") ? Tables.Labeled(60, 8, i => (float)(i % 5)) : Tables.Classes(60, 8);
        if (snippet.Has("BinaryNetworkTransformer"))
        {
            data = Tables.Labeled(60, 8, i => i % 2 == 0);
            model = ml.Transforms.NormalizeMeanVariance("Features").Append(ml.BinaryClassification.Trainers.Mlp(epochs: 2)).Fit(data);
        }
        if (snippet.Has("CrossValidate("))
            (data, test, pipeline) = (train, Tables.Classes(40, 8, seed: 2), ml.MulticlassClassification.Trainers.Mlp(epochs: 2));
    }

    /// <summary>Features in [0, 1].</summary>
    public static void Codes(Snippet snippet)
    {
        train = Tables.Classes(40, snippet.Has("AnomalyDetection") ? 8 : 784);
        data = Tables.Classes(40, 784, seed: 2);
        validation = Tables.Classes(10, 784, seed: 2);
        test = Tables.Labeled(20, 8, i => (float)(i % 2), seed: 3);
    }

    public static void Embeddings(Snippet snippet)
    {
        if (snippet.Has("ImageTrunk.DlibFace("))
        {
            Images.Faces(snippet);
            return;
        }
        if (snippet.Has(".Image("))
        {
            var images = Tables.Labeled(40, [1, 56, 46], i => $"person {i % 10}");
            (train, test) = (Tables.Renamed(images, "Features", "Pixels"), Tables.Keyed(Tables.Renamed(images, "Features", "Pixels"), "Label"));
            return;
        }
        (train, validation, test) = (People(0, snippet.Has("CrossCalibrate") ? 10 : 5), People(1), People(2));
    }

    /// <summary>Some people, other ones in each view.</summary>
    private static IDataView People(int view, int count = 5) =>
        Tables.Keyed(Tables.Labeled(60, 8, i => view == 2 && i % count == 0 ? "Bob" : $"person {(10 * view) + (i % count)}", view), "Label");
}
