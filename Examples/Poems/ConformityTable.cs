using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Poems;

/// <summary>Which rules poems keep, those of several poets side by side.</summary>
internal sealed class ConformityTable(MLContext mlContext, ResultLine result)
{
    private static readonly (string Title, string Name, Func<QuatrainMetrics, double> Value)[] Rows =
    [
        ("lines 2 and 4 rhyme, any tone", "rhyme", metrics => metrics.Rhymes),
        ("... in the level tone", "level-rhyme", metrics => metrics.RhymesInLevelTone),
        ("... and line 1, too", "first-line-rhyme", metrics => metrics.FirstLineRhymes),
        ("line 3 ends oblique", "line-3-oblique", metrics => metrics.ThirdLineIsOblique),
        ("tones alternate", "alternation", metrics => metrics.Alternates),
        ("... with opposition and adhesion", "order", metrics => metrics.KeepsOrder),
        ("regulated", "regulated", metrics => metrics.IsRegulated),
        ("every place of a pattern", "pattern", metrics => metrics.FollowsPattern),
        ("three level tones at an end", "three-level-tail", metrics => metrics.HasThreeLevelTail),
        ("a level tone alone", "solitary-level", metrics => metrics.HasSolitaryLevel),
        ("a character twice", "repeated-characters", metrics => metrics.RepeatsCharacters),
    ];

    private readonly List<(string Title, QuatrainMetrics Metrics)> _columns = [];

    /// <summary>Measures the poems of a column, each length that occurs on its own.</summary>
    public void Add(string name, string title, IDataView poems, string column)
    {
        foreach (var length in new[] { 7, 5 })
        {
            QuatrainMetrics metrics;
            try
            {
                metrics = mlContext.LanguageModels.EvaluateQuatrains(poems, column, length);
            }
            catch (ArgumentException)
            {
                continue; // no poem of that length
            }
            _columns.Add(($"{title}, {length}", metrics));
            foreach (var (_, figure, value) in Rows)
                result[$"{name}-{length}.{figure}"] = 100 * value(metrics);
        }
    }

    public void Print()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("% of poems");
        foreach (var (title, metrics) in _columns)
            table.AddColumn(new TableColumn($"{title} ({metrics.Poems:N0})").RightAligned());
        foreach (var (title, _, value) in Rows)
            table.AddRow([title, .. _columns.Select(column => $"{100 * value(column.Metrics):0.0}")]);
        AnsiConsole.Write(table);
    }
}
