using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>The document about ONNX.</summary>
internal static class Exports
{
    public static void Prepare(Snippet snippet)
    {
        train = snippet.Has("MapValueToKey") ? Tables.Labeled(60, 784, i => (uint)i % 3) : Tables.Classes(60, 64);
        if (snippet.Has("LoadImages"))
        {
            Images.Photos(snippet);
            train = Images.Paths();
        }
    }
}
