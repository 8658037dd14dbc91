using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;

namespace MLExtensions.Families.Forecasting;

/// <summary>The series of a data set, in the order of their first rows.</summary>
internal sealed class SeriesSet
{
    private const int RowsBetweenChecks = 1024;

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
    /// <param name="check">Called now and then; throws to stop.</param>
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
            if (cursor.Position % RowsBetweenChecks == 0)
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

    /// <summary>The number of rows and series and their SHA-256, in readable form.</summary>
    public string Checksum()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var series in Series)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{series.Group}\n{series.Length}\n"));
            hash.AppendData(MemoryMarshal.AsBytes(series.Steps(0, series.Length)));
        }
        return $"{Series.Sum(series => (long)series.Length)} rows in {Series.Count} series of SHA-256 {Convert.ToHexStringLower(hash.GetHashAndReset())}";
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

    /// <summary>Returns the value of the series at a time step.</summary>
    public float Value(int step) => _values[step * width];

    /// <summary>Returns all values of a range of time steps, one step after the other.</summary>
    public ReadOnlySpan<float> Steps(int first, int count) =>
        CollectionsMarshal.AsSpan(_values).Slice(first * width, count * width);
}
