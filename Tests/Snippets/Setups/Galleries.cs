using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about the search for neighbors.</summary>
internal static class Galleries
{
    public static void Prepare(Snippet snippet)
    {
        var vectors = Tables.Renamed(Tables.Labeled(12, 128, i => $"person {i}"), "Features", "Embedding");
        embedded = vectors;
        embedding = vectors.GetColumn<float[]>("Embedding").First();
        asked = embedding;
        if (snippet.Has("FindNeighbors("))
            people = Store();
        if (snippet.Has("NearestNeighbors"))
            (train, test) = (Tables.Classes(40, 8), Tables.Classes(10, 8, seed: 2));
        if (snippet.Has("CropByBox"))
            train = Images.Boxes();
    }

    private static Microsoft.Extensions.VectorData.VectorStoreCollection<string, Person> Store()
    {
        var collection = new SqliteGalleryStore("setup.db", modelFingerprint: "setup").GetCollection<string, Person>("people");
        collection.EnsureCollectionExistsAsync().GetAwaiter().GetResult();
        var records = embedded.GetColumn<float[]>("Embedding").Select((vector, i) => new Person { Name = $"person {i}", Embedding = vector });
        collection.UpsertAsync(records).GetAwaiter().GetResult();
        return collection;
    }
}
