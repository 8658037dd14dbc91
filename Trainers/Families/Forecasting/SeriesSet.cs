using MLExtensions.Messages;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Training;

namespace MLExtensions.Families.Forecasting;

/// <summary>The series of a data set, in the order of their first rows.</summary>
internal sealed class SeriesSet
{
    private SeriesSet(IReadOnlyList<TimeSeries> series, int width, long gaps)
    {
        Series = series;
        Width = width;
        Gaps = gaps;
    }

    public IReadOnlyList<TimeSeries> Series { get; }

    /// <summary>The number of values per time step: the value of the series, then the extra inputs.</summary>
    public int Width { get; }

    /// <summary>The number of gaps in time that were allowed.</summary>
    public long Gaps { get; }

    /// <summary>Reads data whose rows are in time order.</summary>
    /// <param name="data">The data.</param>
    /// <param name="names">Its columns.</param>
    /// <param name="check">Called for each row; throws to stop.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite, a group is missing, or rows are not in time order.</exception>
    public static SeriesSet Read(IDataView data, SeriesColumnNames names, Action check)
    {
        var columns = SeriesColumns.Find(data.Schema, names);
        var groups = new Dictionary<string, TimeSeries>();
        var series = new List<TimeSeries>();
        using var cursor = data.GetRowCursor(columns.All);
        var reader = new SeriesRowReader(cursor, columns);
        while (cursor.MoveNext())
        {
            check();
            reader.Read();
            if (!groups.TryGetValue(reader.Group, out var current))
            {
                current = new TimeSeries(reader.Group, columns.Width);
                groups.Add(reader.Group, current);
                series.Add(current);
            }
            current.Add(reader.Values);
        }
        return new SeriesSet(series, columns.Width, reader.Gaps);
    }

    /// <summary>Some of the series.</summary>
    public SeriesSet Where(Func<TimeSeries, bool> condition) => new(Series.Where(condition).ToArray(), Width, Gaps);

    /// <summary>Chooses whole series for validation, by a column that has one value for each series.</summary>
    /// <param name="data">The data.</param>
    /// <param name="seriesColumn">The column that names the series, or null.</param>
    /// <param name="groupColumn">The column of groups of series; it may be the same.</param>
    /// <param name="fraction">The fraction of rows to hold out.</param>
    /// <param name="seed">The seed of the training.</param>
    /// <returns>The names of the series.</returns>
    /// <exception cref="ArgumentException">There is one series, or a series has rows of several groups.</exception>
    public static HashSet<string> ChooseHeld(IDataView data, string? seriesColumn, string groupColumn, double fraction, int seed)
    {
        const string Option = nameof(DataTrainingOptions.ValidationGroupColumnName);
        if (seriesColumn == null)
            throw new ArgumentException($"{Option} is '{groupColumn}', but all rows are one series, which cannot be divided into groups; set {nameof(LstmForecastingEstimator.Options.GroupColumnName)}, or leave {Option} null to hold out the end of the series.", Option);
        var (series, group) = (data.Schema[seriesColumn], GroupColumn.Find(data.Schema, groupColumn));
        using var cursor = data.GetRowCursor([series, group]);
        var (getSeries, getGroup) = (RowCursorUtils.GetGetterAsStringBuilder(cursor, series.Index), GroupColumn.Open(cursor, group));
        var (name, value) = (new StringBuilder(), new StringBuilder());
        var groups = new Dictionary<string, (ulong Group, long Rows)>();
        while (cursor.MoveNext())
        {
            getSeries(ref name);
            getGroup(ref value);
            var known = groups.GetValueOrDefault(name.ToString(), (GroupColumn.Hash(value), 0));
            if (known.Item1 != GroupColumn.Hash(value))
                throw new ArgumentException(FormattableString.Invariant($"{Option}: the series '{name}' has several values in column '{groupColumn}', the second in {RowName.Of(cursor.Position)}: '{value}'. All rows of a series must be of one group."), Option);
            groups[name.ToString()] = (known.Item1, known.Item2 + 1);
        }
        var rows = groups.Values.GroupBy(entry => entry.Group).ToDictionary(entries => entries.Key, entries => entries.Sum(entry => entry.Rows));
        var held = RowGroups.Choose(rows, fraction, seed, groupColumn);
        return groups.Where(entry => held.IsHeld(entry.Value.Group)).Select(entry => entry.Key).ToHashSet();
    }

    /// <summary>The number of rows and series and their SHA-256, in readable form.</summary>
    public string Checksum()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var series in Series)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{series.Group}\n{series.Length}\n")));
            hash.AppendData(MemoryMarshal.AsBytes(series.Steps(0, series.Length)));
        }
        return FormattableString.Invariant($"{Series.Sum(series => (long)series.Length)} rows in {Series.Count} series of SHA-256 {Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }
}

/// <summary>One series in memory.</summary>
/// <param name="group">The name of the series; empty if there is only one.</param>
/// <param name="width">The number of values per time step: the value of the series, then the extra inputs.</param>
internal sealed class TimeSeries(string group, int width)
{
    private readonly List<float> _values = [];

    public string Group => group;

    /// <summary>The number of time steps.</summary>
    public int Length => _values.Count / width;

    public void Add(ReadOnlySpan<float> step) => _values.AddRange(step);

    /// <summary>Whether all values of the series are equal, so that there is nothing to forecast.</summary>
    public bool IsConstant => Enumerable.Range(1, Math.Max(0, Length - 1)).All(step => Value(step) == Value(0));

    /// <summary>Returns the value of the series at a time step.</summary>
    public float Value(int step) => _values[step * width];

    /// <summary>Returns all values of a range of time steps, one step after the other.</summary>
    public ReadOnlySpan<float> Steps(int first, int count) =>
        CollectionsMarshal.AsSpan(_values).Slice(first * width, count * width);
}
