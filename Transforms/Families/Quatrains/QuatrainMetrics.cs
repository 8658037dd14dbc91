using Microsoft.ML;
using MLExtensions.Families.Quatrains;
using MLExtensions.Messages;
using MLExtensions.Text;

namespace MLExtensions;

/// <summary>How many of the poems of a column keep which rules, as fractions in [0, 1]. See <see cref="QuatrainReport"/>.</summary>
public sealed record QuatrainMetrics
{
    /// <summary>The number of quatrains.</summary>
    public required long Poems { get; init; }

    /// <summary>The number of rows that are no quatrains; they count nowhere else.</summary>
    public required long OtherRows { get; init; }

    /// <summary>The fraction whose lines 2 and 4 rhyme in any tone.</summary>
    public required double Rhymes { get; init; }

    /// <summary>The fraction whose lines 2 and 4 rhyme in the level tone.</summary>
    public required double RhymesInLevelTone { get; init; }

    /// <summary>The fraction whose first line rhymes, too.</summary>
    public required double FirstLineRhymes { get; init; }

    /// <summary>The fraction whose third line ends in an oblique tone.</summary>
    public required double ThirdLineIsOblique { get; init; }

    /// <summary>The fraction in which all lines alternate.</summary>
    public required double Alternates { get; init; }

    /// <summary>The fraction in which all lines alternate, with opposition and adhesion.</summary>
    public required double KeepsOrder { get; init; }

    /// <summary>The fraction that is regulated: all of the above but the first line's rhyme.</summary>
    public required double IsRegulated { get; init; }

    /// <summary>The fraction that keeps every fixed place and the rhymes of one of the eight patterns.</summary>
    public required double FollowsPattern { get; init; }

    /// <summary>The fraction with a line that ends in three level tones.</summary>
    public required double HasThreeLevelTail { get; init; }

    /// <summary>The fraction with a level tone that stands alone.</summary>
    public required double HasSolitaryLevel { get; init; }

    /// <summary>The fraction in which a character occurs twice.</summary>
    public required double RepeatsCharacters { get; init; }

    /// <summary>The fraction in which a line occurs twice.</summary>
    public required double RepeatsLines { get; init; }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(QuatrainMetrics), PrintMembers);
}

/// <summary>What of new poems was in old ones.</summary>
/// <param name="Lines">The number of lines of the new poems.</param>
/// <param name="CopiedLines">The number of them that are lines of the old ones.</param>
/// <param name="DistinctLines">The number of different lines of the new poems.</param>
/// <param name="LongestCopiedRun">The number of characters of the longest piece of a new poem that is in an old one, across lines.</param>
/// <param name="LongestCopiedText">That piece, the first one if there are several.</param>
/// <param name="MeanLongestRun">The mean over the new poems of the longest piece of each.</param>
public sealed record QuatrainNoveltyMetrics(long Lines, long CopiedLines, long DistinctLines, int LongestCopiedRun, string LongestCopiedText, double MeanLongestRun)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(QuatrainNoveltyMetrics), PrintMembers);
}

/// <summary>Measures columns of poems.</summary>
internal static class QuatrainEvaluator
{
    /// <exception cref="ArgumentException">The column is missing, no text, or has no quatrain.</exception>
    public static QuatrainMetrics Evaluate(IDataView data, string columnName, RhymeTable table, int? lineLength)
    {
        var checker = new QuatrainChecker(table);
        var reports = new List<QuatrainReport>();
        var rows = 0L;
        foreach (var lines in Read(data, columnName))
        {
            rows++;
            var report = checker.Check(lines);
            if (report.IsQuatrain && (lineLength == null || report.LineLength == lineLength))
                reports.Add(report);
        }
        if (reports.Count == 0)
            throw new ArgumentException(FormattableString.Invariant($"Column '{columnName}' has no quatrain{(lineLength is { } length ? FormattableString.Invariant($" of {length} characters a line") : "")} in {rows} rows; there is nothing to measure."), nameof(data));
        return new QuatrainMetrics
        {
            Poems = reports.Count,
            OtherRows = rows - reports.Count,
            Rhymes = Share(report => report.Rhymes),
            RhymesInLevelTone = Share(report => report.RhymesInLevelTone),
            FirstLineRhymes = Share(report => report.FirstLineRhymes),
            ThirdLineIsOblique = Share(report => report.ThirdLineIsOblique),
            Alternates = Share(report => report.Alternates),
            KeepsOrder = Share(report => report.KeepsOrder),
            IsRegulated = Share(report => report.IsRegulated),
            FollowsPattern = Share(report => report.Pattern != null),
            HasThreeLevelTail = Share(report => report.HasThreeLevelTail),
            HasSolitaryLevel = Share(report => report.HasSolitaryLevel),
            RepeatsCharacters = Share(report => report.RepeatedCharacters > 0),
            RepeatsLines = Share(report => report.RepeatedLines > 0),
        };

        double Share(Func<QuatrainReport, bool> has) => (double)reports.Count(has) / reports.Count;
    }

    /// <exception cref="ArgumentException">A column is missing or no text, or there are no new poems.</exception>
    public static QuatrainNoveltyMetrics Compare(IDataView poems, string columnName, IDataView training, string trainingColumnName)
    {
        var old = Read(training, trainingColumnName).ToList();
        var created = Read(poems, columnName).Where(lines => lines.Count > 0).ToList();
        if (created.Count == 0)
            throw new ArgumentException($"Column '{columnName}' has no poems; there is nothing to compare.", nameof(poems));
        var oldLines = old.SelectMany(lines => lines).Select(line => QuatrainText.Hash(line)).ToHashSet();
        var newLines = created.SelectMany(lines => lines).Select(line => QuatrainText.Hash(line)).ToList();
        int[][] texts = [.. created.Select(lines => lines.SelectMany(line => line).ToArray())];
        int[][] oldTexts = [.. old.Select(lines => lines.SelectMany(line => line).ToArray())];
        var longest = new int[texts.Length];
        var (run, piece) = (0, "");
        // A piece of n characters has pieces of n - 1, so the search ends with the first length of which none was copied.
        for (var length = 1; ; length++)
        {
            var known = oldTexts.SelectMany(text => Pieces(text, length)).ToHashSet();
            var any = false;
            for (var text = 0; text < texts.Length; text++)
            {
                if (longest[text] != length - 1)
                    continue;
                var at = Pieces(texts[text], length).ToList().FindIndex(known.Contains);
                if (at < 0)
                    continue;
                longest[text] = length;
                if (!any)
                    (run, piece, any) = (length, QuatrainText.Text(texts[text].AsSpan(at, length)), true);
            }
            if (!any)
                break;
        }
        return new QuatrainNoveltyMetrics(newLines.Count, newLines.Count(oldLines.Contains), newLines.Distinct().Count(), run, piece, longest.Average());
    }

    private static IEnumerable<ulong> Pieces(int[] text, int length) =>
        Enumerable.Range(0, Math.Max(0, text.Length - length + 1)).Select(at => QuatrainText.Hash(text.AsSpan(at, length)));

    private static IEnumerable<List<int[]>> Read(IDataView data, string columnName)
    {
        var column = TextColumn.Find(data.Schema, columnName);
        using var cursor = data.GetRowCursor([column]);
        var getText = cursor.GetGetter<ReadOnlyMemory<char>>(column);
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            getText(ref text);
            yield return QuatrainText.Lines(text.Span);
        }
    }
}
