using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Poems;

/// <summary>What poems are asked for.</summary>
internal sealed record PoemWishes(string Keyword, string Acrostic, string Pattern, string RhymeGroup, int Count, string? FontPath, QuatrainTransformer? Judge);

/// <summary>Writes poems and measures them.</summary>
internal static class PoemWriting
{
    private const int Shown = 4;

    public static void Run(MLContext mlContext, QuatrainTransformer poet, PoemFile poems, ConformityTable table, PoemWishes wishes, OutputFolder output, string name, ResultLine result, CancellationToken cancellationToken)
    {
        var wished = Enumerable.Range(0, Shown).Select(seed => new Poem { Title = wishes.Keyword, Pattern = wishes.Pattern, RhymeGroup = wishes.RhymeGroup, Seed = seed }).ToList();
        wished.Add(new Poem { Title = wishes.Keyword, Acrostic = wishes.Acrostic, Pattern = wishes.Pattern, RhymeGroup = wishes.RhymeGroup });
        var shown = Write(mlContext, poet, wished, cancellationToken);
        for (var i = 0; i < shown.Count; i++)
        {
            AnsiConsole.WriteLine();
            AnsiConsole.WriteLine($"{wished[i].Title}{(wished[i].Acrostic == "" ? "" : $", acrostic {wished[i].Acrostic}")}");
            AnsiConsole.WriteLine(shown[i].Text.Replace("。", "。\n", StringComparison.Ordinal).TrimEnd());
        }
        AnsiConsole.WriteLine();
        SavePicture(output.PathOf($"{name}-poems.png"), [.. shown.Select(poem => poem.Text)], wishes.FontPath);

        // Titles of poems that the network has never seen; both lengths.
        var titles = Enumerable.Range(0, wishes.Count).Select(i => new Poem { Title = poems.Test[i % poems.Test.Count].Title, Pattern = i % 2 == 0 ? "7" : "5", Seed = i }).ToList();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var constrained = Write(mlContext, poet, titles, cancellationToken);
        result["constrained.seconds"] = watch.Elapsed.TotalSeconds;
        var free = Write(mlContext, poet.WithOptions(poet.Options with { KeepsPattern = false, KeepsRhyme = false, AllowsRepeatedCharacters = true, AllowsTrainingLines = true }), titles, cancellationToken);
        foreach (var (kind, title, written) in new[] { ("constrained", "constrained", constrained), ("free", "free", free) })
        {
            var view = mlContext.Data.LoadFromEnumerable(written);
            table.Add(kind, title, view, nameof(NewPoem));
            var novelty = mlContext.LanguageModels.EvaluateQuatrainNovelty(view, PoemFile.View(mlContext, poems.Training));
            result[$"{kind}.copied-lines"] = novelty.CopiedLines;
            result[$"{kind}.longest-copied-run"] = novelty.LongestCopiedRun;
            result[$"{kind}.mean-longest-run"] = novelty.MeanLongestRun;
            result[$"{kind}.distinct-lines"] = novelty.DistinctLines;
            if (wishes.Judge is { } judge)
            {
                result[$"{kind}.perplexity-of-judge"] = judge.Evaluate(PoemFile.View(mlContext, written.Select(poem => new Poem { Text = poem.Text }))).Perplexity;
                AnsiConsole.WriteLine($"{title}: perplexity {result[$"{kind}.perplexity-of-judge"]:0.0} under the judge, which gives the test poems {result["test.perplexity-of-judge"]:0.0}.");
            }
            result[$"{kind}.perplexity"] = Math.Exp(-written.Sum(poem => (double)poem.LogProbability) / written.Sum(poem => poem.Text.Count(char.IsLetter)));
            AnsiConsole.WriteLine($"{title}: {novelty.CopiedLines} of {novelty.Lines:N0} lines are copied from training poems, {novelty.DistinctLines:N0} are different; the longest copied piece has {novelty.LongestCopiedRun} characters ({novelty.LongestCopiedText}), {novelty.MeanLongestRun:0.0} on average.");
        }
        table.Print();
        File.WriteAllLines(output.PathOf($"{name}-poems.txt"), shown.Concat(constrained).Select(poem => poem.Text));
    }

    private static void SavePicture(string path, string[] poems, string? fontPath)
    {
        try
        {
            PoemPicture.SavePng(path, poems, fontPath: fontPath);
        }
        catch (InvalidOperationException e)
        {
            AnsiConsole.WriteLine($"No picture: {e.Message}");
        }
    }

    private static List<NewPoem> Write(MLContext mlContext, QuatrainTransformer poet, List<Poem> wishes, CancellationToken cancellationToken)
    {
        var written = poet.Transform(mlContext.Data.LoadFromEnumerable(wishes));
        var poems = new List<NewPoem>();
        foreach (var poem in mlContext.Data.CreateEnumerable<NewPoem>(written, reuseRowObject: false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            poems.Add(poem);
        }
        return poems;
    }
}
