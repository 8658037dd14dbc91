using System.IO.Compression;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Poems;

/// <summary>A poem of a collection, or what one is to be.</summary>
internal sealed class Poem
{
    public string Author { get; set; } = "";

    /// <summary>What it is about.</summary>
    public string Title { get; set; } = "";

    /// <summary>Its lines, divided by bars.</summary>
    [Microsoft.ML.Data.ColumnName("Poem")]
    public string Text { get; set; } = "";

    public string Acrostic { get; set; } = "";

    public string Pattern { get; set; } = "";

    public string RhymeGroup { get; set; } = "";

    public int Seed { get; set; }
}

/// <summary>A poem that was written.</summary>
internal sealed class NewPoem
{
    [Microsoft.ML.Data.ColumnName("NewPoem")]
    public string Text { get; set; } = "";

    [Microsoft.ML.Data.ColumnName("NewPoemLogProbability")]
    public float LogProbability { get; set; }
}

/// <summary>A collection of poems: tab-separated author, title, form and lines, with a header; packed or not.</summary>
internal sealed record PoemFile(IReadOnlyList<Poem> Training, IReadOnlyList<Poem> Validation, IReadOnlyList<Poem> Test)
{
    public static readonly ExternalData Data = new("The Tang quatrains", "data", "FILE", "Tab-separated author, title, form and lines (l1|l2|l3|l4) with a header; may end in .gz.", "poems/tang_quatrains.tsv.gz");

    /// <summary>Of every twenty poems the first is for validation, the second for the test.</summary>
    private const int Part = 20;

    public IEnumerable<Poem> All => [.. Training, .. Validation, .. Test];

    public static PoemFile Read(ExampleArguments arguments)
    {
        var path = Data.Find(arguments);
        using var file = File.OpenRead(path);
        using var text = new StreamReader(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file);
        var parts = new[] { new List<Poem>(), new List<Poem>(), new List<Poem>() };
        text.ReadLine();
        for (var i = 0; text.ReadLine() is { } line; i++)
        {
            if (line.Split('\t') is not [var author, var title, _, var lines])
                throw new UsageException($"'{path}', line {i + 2}, has no four columns.");
            parts[i % Part is 0 ? 1 : i % Part is 1 ? 2 : 0].Add(new Poem { Author = author, Title = title, Text = lines });
        }
        return new PoemFile(parts[0], parts[1], parts[2]);
    }

    public static IDataView View(MLContext mlContext, IEnumerable<Poem> poems) => mlContext.Data.LoadFromEnumerable(poems);
}
