using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;

namespace MLExtensions.Families.Forecasting;

/// <summary>The series of some data, in the order in which they first appear.</summary>
internal sealed class SeriesSet
{
    private const int RowsBetweenChecks = 1024;

    private SeriesSet(IReadOnlyList<TimeSeries> series, int width)
    {
        Series = series;
        Width = width;
    }

    public IReadOnlyList<TimeSeries> Series { get; }

    /// <summary>The values of a step: the series' own, then the extra inputs.</summary>
    public int Width { get; }

    /// <summary>Reads data whose rows are in the order of time.</summary>
    /// <param name="data">The data.</param>
    /// <param name="names">Its columns.</param>
    /// <param name="check">Called now and then; throws to stop.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite, or a group is missing.</exception>
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
        return new SeriesSet(series, columns.Width);
    }

    /// <summary>The number of rows and series and their SHA-256, for people to compare.</summary>
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
/// <param name="group">Its name; empty where there is one series only.</param>
/// <param name="width">The values of a step: the series' own, then the extra inputs.</param>
internal sealed class TimeSeries(string group, int width)
{
    private readonly List<float> _values = [];

    public string Group => group;

    /// <summary>The number of steps.</summary>
    public int Length => _values.Count / width;

    public void Add(ReadOnlySpan<float> step) => _values.AddRange(step);

    /// <summary>The series' own value at a step.</summary>
    public float Value(int step) => _values[step * width];

    /// <summary>All values of some steps, one step after the other.</summary>
    public ReadOnlySpan<float> Steps(int first, int count) =>
        CollectionsMarshal.AsSpan(_values).Slice(first * width, count * width);
}
