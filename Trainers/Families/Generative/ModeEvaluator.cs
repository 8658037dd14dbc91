using System.Globalization;
using System.Numerics.Tensors;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Generative;

/// <summary>Counts generated rows by mode.</summary>
internal static class ModeEvaluator
{
    /// <summary>The distance from a center up to which a row is of high quality, in standard deviations.</summary>
    private const double HighQualityDistance = 3;

    private const int MaximumModes = 10_000_000;

    /// <summary>Between the classes of several columns in the name of a mode.</summary>
    private const char Separator = '/';

    /// <summary>The components of a mixture of isotropic normal distributions with the same standard deviation.</summary>
    /// <exception cref="ArgumentException">Centers, standard deviation or frequencies are wrong, or the column does not fit.</exception>
    public static ModeMetrics EvaluateMixture(IDataView generated, IReadOnlyList<float[]> centers, double standardDeviation, string columnName, IReadOnlyList<double>? frequencies)
    {
        var data = FeatureSet.Of(generated, columnName, "generated data", minimumRows: 1);
        CheckCenters(centers, data.Width, columnName);
        if (!(standardDeviation > 0) || double.IsInfinity(standardDeviation))
            throw new ArgumentOutOfRangeException(nameof(standardDeviation), standardDeviation, string.Create(CultureInfo.InvariantCulture, $"{nameof(standardDeviation)} is {standardDeviation}; it must be greater than 0 and finite."));
        var shares = frequencies == null ? Enumerable.Repeat(1.0 / centers.Count, centers.Count).ToArray() : Normalized(frequencies, centers.Count);
        var (near, good) = (new long[centers.Count], new long[centers.Count]);
        data.ForEachBlock((block, _) =>
        {
            var values = TensorMemory.Floats(block);
            for (var row = 0; row < block.shape[0]; row++)
            {
                var (mode, distance) = Nearest(values.Slice(row * data.Width, data.Width), centers);
                near[mode]++;
                if (distance <= HighQualityDistance * standardDeviation)
                    good[mode]++;
            }
        });
        return Metrics(centers.Select((_, i) => new ModeCount(i.ToString(CultureInfo.InvariantCulture), shares[i], good[i], near[i])).ToArray(), data.Count, 0, 0);
    }

    /// <summary>The classes of one or several columns.</summary>
    /// <param name="host">Logs how many rows have no class.</param>
    /// <param name="generated">Generated rows.</param>
    /// <param name="columnNames">The columns whose classes, taken together, are the modes.</param>
    /// <param name="frequencies">The frequency of each mode; null if all that the keys allow are equally frequent.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no modes or no rows.</exception>
    public static ModeMetrics EvaluateModes(IHost host, IDataView generated, IReadOnlyList<string> columnNames, IReadOnlyDictionary<string, double>? frequencies)
    {
        var columns = Columns(generated, columnNames, "generated data");
        frequencies ??= Uniform(columns);
        var total = frequencies.Values.Sum();
        if (frequencies.Count == 0 || frequencies.Values.Any(value => !(value >= 0)) || !(total > 0) || double.IsInfinity(total))
            throw new ArgumentException("The frequencies of the modes must be finite, not negative, and greater than 0 in sum.", nameof(frequencies));
        var (counts, missing) = Count(generated, columns);
        var rows = counts.Values.Sum();
        if (rows == 0)
            throw new ArgumentException($"The generated data has no row with a class in {Described(columnNames)}.", nameof(generated));
        if (missing > 0)
        {
            using var channel = host.Start("Count modes");
            channel.Warning("{0}", FormattableString.Invariant($"{missing} of {rows + missing} generated rows have no class in {Described(columnNames)} and were left out."));
        }
        var modes = frequencies.Select(mode => new ModeCount(mode.Key, mode.Value / total, counts.GetValueOrDefault(mode.Key), counts.GetValueOrDefault(mode.Key))).ToArray();
        var outside = rows - modes.Sum(mode => mode.NumberOfRows);
        if (outside == rows)
            throw new ArgumentException($"No row of the generated data is in one of the modes: {Described(columnNames)} has {Messages.NameList.Of(counts.Keys)}; the modes are {Messages.NameList.Of(frequencies.Keys.ToArray())}. Classes are met by their names.");
        return Metrics(modes, rows, outside, missing);
    }

    /// <summary>The number of real rows of each mode.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or no row has a class.</exception>
    public static IReadOnlyDictionary<string, double> Frequencies(IDataView real, IReadOnlyList<string> columnNames)
    {
        var (counts, _) = Count(real, Columns(real, columnNames, "real data"));
        return counts.Count > 0
            ? counts.OrderBy(mode => mode.Key, StringComparer.Ordinal).ToDictionary(mode => mode.Key, mode => (double)mode.Value, StringComparer.Ordinal)
            : throw new ArgumentException($"The real data has no row with a class in {Described(columnNames)}.", nameof(real));
    }

    private static ModeMetrics Metrics(IReadOnlyList<ModeCount> modes, long rows, long outside, long missing)
    {
        var good = modes.Sum(mode => mode.NumberOfHighQualityRows);
        var possible = modes.Count(mode => mode.Frequency > 0);
        return new ModeMetrics
        {
            NumberOfModes = possible,
            NumberOfCoveredModes = modes.Count(mode => mode is { Frequency: > 0, NumberOfHighQualityRows: > 0 }),
            HighQualityShare = (double)good / rows,
            ReverseKullbackLeibler = Divergence(modes, mode => mode.NumberOfHighQualityRows, good),
            ReverseKullbackLeiblerOfAllRows = outside > 0 ? double.PositiveInfinity : Divergence(modes, mode => mode.NumberOfRows, rows),
            ReverseKullbackLeiblerByChance = good == 0 ? double.NaN : (possible - 1) / (2.0 * good),
            Modes = modes,
            NumberOfRows = rows,
            RowsWithoutClass = missing,
        };
    }

    /// <summary>sum p log(p / q); 0 log 0 is 0.</summary>
    private static double Divergence(IReadOnlyList<ModeCount> modes, Func<ModeCount, long> count, double total) => total == 0
        ? double.NaN
        : modes.Where(mode => count(mode) > 0).Sum(mode => count(mode) / total * Math.Log(count(mode) / total / mode.Frequency));

    private static (int Mode, double Distance) Nearest(ReadOnlySpan<float> row, IReadOnlyList<float[]> centers)
    {
        var (best, mode) = (double.PositiveInfinity, 0);
        for (var i = 0; i < centers.Count; i++)
        {
            var distance = (double)TensorPrimitives.Distance(row, centers[i]);
            if (distance < best)
                (best, mode) = (distance, i);
        }
        return (mode, best);
    }

    private static void CheckCenters(IReadOnlyList<float[]> centers, int width, string columnName)
    {
        if (centers.Count == 0)
            throw new ArgumentException("There are no centers.", nameof(centers));
        for (var i = 0; i < centers.Count; i++)
        {
            if (centers[i] == null || centers[i].Length != width)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Center {i} has {centers[i]?.Length ?? 0} values; column '{columnName}' has {width}."), nameof(centers));
            var bad = FiniteCheck.FirstNonFinite(centers[i]);
            if (bad >= 0)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Center {i}, slot {bad}: the value is {centers[i][bad]}; it must be finite."), nameof(centers));
        }
    }

    private static double[] Normalized(IReadOnlyList<double> frequencies, int count)
    {
        var total = frequencies.Sum();
        return frequencies.Count == count && frequencies.All(value => value >= 0) && total > 0 && !double.IsInfinity(total)
            ? frequencies.Select(value => value / total).ToArray()
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"There must be {count} frequencies, one per center, finite, not negative, and greater than 0 in sum; they are {string.Join(", ", frequencies.Select(frequency => frequency.ToString(CultureInfo.InvariantCulture)))}."), nameof(frequencies));
    }

    private static ClassColumn[] Columns(IDataView data, IReadOnlyList<string> names, string name) => names.Count == 0
        ? throw new ArgumentException("There are no columns whose classes are the modes.")
        : names.Select(column => ClassColumn.Find(data.Schema, column, "Class", name)).ToArray();

    /// <summary>All combinations of classes, the last column's changing fastest.</summary>
    private static Dictionary<string, double> Uniform(ClassColumn[] columns)
    {
        var unknown = columns.FirstOrDefault(column => column.Names == null);
        if (unknown != null)
            throw new ArgumentException($"Column '{unknown.Name}' has type {unknown.Column.Type}, which does not tell what classes there are. Use a key with values (MapValueToKey), or say the frequency of each class, or give real data.");
        var count = columns.Aggregate(1.0, (product, column) => product * column.Names!.Count);
        if (count > MaximumModes)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The columns {string.Join(", ", columns.Select(column => column.Name))} have {count:#,0} combinations of classes; there can be at most {MaximumModes:#,0} modes."));
        IEnumerable<string> names = columns[0].Names!;
        foreach (var column in columns.Skip(1))
            names = names.SelectMany(_ => column.Names!, (before, name) => before + Separator + name);
        return names.Distinct(StringComparer.Ordinal).ToDictionary(name => name, _ => 1.0, StringComparer.Ordinal);
    }

    private static (Dictionary<string, long> Counts, long Missing) Count(IDataView data, ClassColumn[] columns)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var missing = 0L;
        using var cursor = data.GetRowCursor(columns.Select(column => column.Column).DistinctBy(column => column.Index));
        var getters = columns.Select(column => column.Open(cursor)).ToArray();
        var names = new string?[columns.Length];
        while (cursor.MoveNext())
        {
            for (var i = 0; i < getters.Length; i++)
                names[i] = getters[i]();
            if (names.Contains(null))
            {
                missing++;
                continue;
            }
            var mode = string.Join(Separator, names);
            counts[mode] = counts.GetValueOrDefault(mode) + 1;
        }
        return (counts, missing);
    }

    private static string Described(IReadOnlyList<string> columns) => columns.Count == 1 ? $"column '{columns[0]}'" : $"the columns {string.Join(", ", columns)}";
}
