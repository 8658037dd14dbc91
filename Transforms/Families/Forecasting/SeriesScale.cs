using MLExtensions.Models;
using System.Text.Json.Serialization;
using MLExtensions.Families.Forecasting;

namespace MLExtensions;

/// <summary>What a window's values were shifted and divided by.</summary>
internal readonly record struct WindowUnit(double Center, double Size)
{
    public float Scale(float value) => (float)((value - Center) / Size);

    public float Restore(float value) => (float)((value * Size) + Center);
}

/// <summary>Scales the windows of series; a part of the model.</summary>
/// <param name="Scaling">How the series' own values are scaled; extra inputs are always scaled by the training data.</param>
/// <param name="Means">The mean of the training values: first the series', then each extra input's.</param>
/// <param name="Deviations">Their standard deviations; 1 where they were all the same.</param>
internal sealed record SeriesScale(SeriesScaling Scaling, IReadOnlyList<double> Means, IReadOnlyList<double> Deviations)
{
    private const double LeastShare = 1e-3;

    /// <summary>Scales a window in place: steps one after the other, each with the series' value and the extra inputs.</summary>
    /// <returns>The unit of the series' own values, for the forecast.</returns>
    public WindowUnit Apply(Span<float> window)
    {
        var unit = UnitOf(window);
        var width = Means.Count;
        for (var step = 0; step < window.Length; step += width)
        {
            window[step] = unit.Scale(window[step]);
            for (var extra = 1; extra < width; extra++)
                window[step + extra] = (float)((window[step + extra] - Means[extra]) / Deviations[extra]);
        }
        return unit;
    }

    /// <exception cref="FormatException">A number is one that only a damaged file can hold.</exception>
    public void Check()
    {
        if (!Enum.IsDefined(Scaling))
            throw new FormatException($"scaling is {Scaling}, which is no scaling.");
        if (Means.Count == 0 || Means.Count != Deviations.Count)
            throw new FormatException($"there are {Means.Count} means and {Deviations.Count} deviations; there must be as many of both, and at least one.");
        if (!Means.All(double.IsFinite) || !Deviations.All(deviation => double.IsFinite(deviation) && deviation > 0))
            throw new FormatException("means and deviations must be finite, the latter positive.");
    }

    public bool Equals(SeriesScale? other) =>
        other != null && Scaling == other.Scaling && Means.SequenceEqual(other.Means) && Deviations.SequenceEqual(other.Deviations);

    public override int GetHashCode() => HashCode.Combine(Scaling, Means.Count, Means[0], Deviations[0]);

    private WindowUnit UnitOf(ReadOnlySpan<float> window)
    {
        if (Scaling == SeriesScaling.Global)
            return new WindowUnit(Means[0], Deviations[0]);
        var width = Means.Count;
        var steps = window.Length / width;
        double sum = 0;
        for (var step = 0; step < window.Length; step += width)
            sum += window[step];
        var mean = sum / steps;
        double absolute = 0;
        for (var step = 0; step < window.Length; step += width)
            absolute += Math.Abs(window[step] - mean);
        return new WindowUnit(mean, Math.Max(absolute / steps, LeastShare * Deviations[0]));
    }
}

/// <summary>How the values of a series are scaled for a forecasting network.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SeriesScaling>))]
public enum SeriesScaling
{
    /// <summary>By the mean and standard deviation of the training values of all series.</summary>
    Global,

    /// <summary>
    /// Each window by its own mean and mean absolute deviation: for series that differ in level or grow. The deviation counts as at
    /// least a thousandth of the standard deviation of the training values.
    /// </summary>
    Window,
}

/// <summary>The next values of a series. Windows are scaled before the network, and forecasts back behind it, by what is in here.</summary>
internal sealed record ForecastHead(int Horizon, SeriesScale Scale) : PredictionHead
{
    internal override int OutputCount => Horizon;

    public override void Check()
    {
        if (Horizon < 1)
            throw new FormatException($"horizon is {Horizon}; it must be at least 1.");
        Scale.Check();
    }
}
