using System.Runtime.InteropServices;

namespace MLExtensions.Forecasting;

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
