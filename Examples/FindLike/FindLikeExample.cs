using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Style;
using Spectre.Console;

namespace MLExtensions.Examples.FindLike;

/// <summary>Finds the pictures of a folder that are most like one, by what a pretrained network sees in them.</summary>
internal sealed class FindLikeExample : IExample
{
    private const int MostQueries = 6;
    private const int TileSide = 128;
    private const string Sheet = "found.png";
    private const string GalleryFile = "gallery.db";

    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"];
    private static readonly ExternalData Folder = new("The pictures", "images", "DIR", "A folder of pictures, in folders of what they show or not.", "caltech6");
    private static readonly ExampleOption Query = new("query", "FILE", "Picture to search for, which need not be in the folder.", DefaultText: "one picture of each kind");
    private static readonly ExampleOption Count = new("count", "N", "How many pictures are found.", "5");

    public string Name => "find-like";

    public ExampleHelp Help => new(
        "Finds the pictures of a folder that are most like one. They are kept in a gallery on SQLite: a second run looks only at new ones.",
        $"{Folder}; {PretrainedFiles.SqueezeNet}",
        "about a minute for 325 pictures, seconds afterwards",
        $"{GalleryFile} and {Sheet}, a row for each picture that is searched for and what was found");

    public IReadOnlyList<ExampleOption> Options => [Folder.Option, PretrainedFiles.SqueezeNet.Option, Query, Count];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken) => RunAsync(arguments, cancellationToken).GetAwaiter().GetResult();

    private async Task<ResultLine> RunAsync(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(1);
        var output = new OutputFolder(Name);
        var folder = Folder.Find(arguments);
        var count = arguments.Integer(Count, least: 1);
        var paths = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
            .Select(file => Path.GetRelativePath(folder, file)).Order(StringComparer.Ordinal).ToArray();
        if (paths.Length == 0)
            throw new UsageException($"There are no pictures in '{folder}'.");

        using var gallery = new PictureGallery(mlContext, output.PathOf(GalleryFile), PretrainedFiles.SqueezeNet.Find(arguments));
        var (added, removed) = await gallery.Update(folder, paths, cancellationToken);
        AnsiConsole.WriteLine($"{paths.Length} pictures: {added} were added to the gallery, {removed} removed.");
        var queries = arguments.OptionalText(Query) is { } query
            ? [query]
            : paths.GroupBy(path => Path.GetDirectoryName(path)).Take(MostQueries).Select(kind => Path.Combine(folder, kind.First())).ToArray();
        var vectors = gallery.Describe(queries);
        var (table, pictures) = (new Table().Border(TableBorder.Rounded).AddColumns("picture", "most like it", "distance"), new List<MLImage?>());
        for (var i = 0; i < queries.Length; i++)
        {
            // A picture of the folder finds itself, too.
            var own = Path.GetRelativePath(folder, queries[i]);
            var found = await gallery.Pictures.SearchAsync(vectors[i], count, new() { Filter = picture => picture.Path != own }, cancellationToken).ToListAsync(cancellationToken);
            table.AddRow(Markup.Escape(own), Markup.Escape(string.Join('\n', found.Select(each => each.Record.Path))), string.Join('\n', found.Select(each => $"{each.Score:F3}")));
            pictures.Add(Tile(queries[i]));
            pictures.AddRange(Enumerable.Range(0, count).Select(place => place < found.Count ? Tile(Path.Combine(folder, found[place].Record.Path)) : null));
        }
        AnsiConsole.Write(table);
        PictureStrip.Save(output.PathOf(Sheet), count + 1, pictures);
        foreach (var picture in pictures)
            picture?.Dispose();
        output.Print((Sheet, "what was searched for, and beside it what was found, the most similar first"), (GalleryFile, "the gallery"));
        var result = new ResultLine { ["pictures"] = paths.Length };
        if (paths.Length > 1)
        {
            var (nearest, firstFive) = await gallery.Measure(cancellationToken);
            AnsiConsole.WriteLine($"Of all pictures, the most similar other one is of the same kind (in the same folder) in {nearest:P1}; of the five most similar ones {firstFive:P1} are.");
            (result["nearest.same"], result["five.same"]) = (nearest, firstFive);
        }
        return result;
    }

    private static MLImage Tile(string file)
    {
        using var picture = PictureFile.Read(file);
        return PictureFile.ResizeAndCrop(picture, TileSide, TileSide);
    }
}
