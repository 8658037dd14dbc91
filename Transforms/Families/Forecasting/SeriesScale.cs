using MLExtensions.Models;
using System.Text.Json.Serialization;
using MLExtensions.Families.Forecasting;

namespace MLExtensions;

/// <summary>The shift and divisor of a window's values.</summary>
internal readonly record struct WindowUnit(double Center, double Size)
{
    public float Scale(float value) => (float)((value - Center) / Size);

    public float Restore(float value) => (float)((value * Size) + Center);
}

/// <summary>Scales the windows of series. Part of the model.</summary>
/// <param name="Scaling">How the values of the series are scaled. Extra inputs are always scaled with the training data.</param>
/// <param name="Means">The means of the training values: of the series, then of each extra input.</param>
/// <param name="Deviations">Their standard deviations; 1 if all values were equal.</param>
internal sealed record SeriesScale(SeriesScaling Scaling, IReadOnlyList<double> Means, IReadOnlyList<double> Deviations)
{
    private const double LeastShare = 1e-3;

    /// <summary>
    /// The least deviation of a window: windows that hardly move are not blown up. Null in models before 0.3.0: a thousandth of the deviation of
    /// all training values.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? LeastSize { get; init; }

    /// <summary>The least size of a window.</summary>
    [JsonIgnore]
    public double SmallestSize => LeastSize ?? LeastShare * Deviations[0];

    /// <summary>Scales a window in place: its time steps, each with the value of the series and the extra inputs.</summary>
    /// <returns>The scale of the series, for the forecast.</returns>
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

    /// <exception cref="FormatException">A number is invalid, so the file must be damaged.</exception>
    public void Check()
    {
        if (!Enum.IsDefined(Scaling))
            throw new FormatException($"scaling is {Scaling}, which is not a valid scaling.");
        if (Means.Count == 0 || Means.Count != Deviations.Count)
            throw new FormatException(FormattableString.Invariant($"there are {Means.Count} means and {Deviations.Count} deviations; the numbers must be equal, and at least 1."));
        if (!Means.All(double.IsFinite) || !Deviations.All(deviation => double.IsFinite(deviation) && deviation > 0))
            throw new FormatException("means and deviations must be finite, and deviations must be positive.");
        if (LeastSize is { } least && !(least > 0 && double.IsFinite(least)))
            throw new FormatException(FormattableString.Invariant($"leastSize is {least}; it must be finite and positive."));
    }

    public bool Equals(SeriesScale? other) =>
        other != null && Scaling == other.Scaling && LeastSize == other.LeastSize && Means.SequenceEqual(other.Means) && Deviations.SequenceEqual(other.Deviations);

    public override int GetHashCode() => HashCode.Combine(Scaling, Means.Count, Means[0], Deviations[0]);

    private WindowUnit UnitOf(ReadOnlySpan<float> window)
    {
        if (Scaling == SeriesScaling.Global)
            return new WindowUnit(Means[0], Deviations[0]);
        var unit = UnitOf(window, Means.Count);
        return unit with { Size = Math.Max(unit.Size, SmallestSize) };
    }

    /// <summary>The mean of a window's values and their mean absolute deviation.</summary>
    /// <param name="window">The time steps.</param>
    /// <param name="width">The number of values of each, of which the first is that of the series.</param>
    public static WindowUnit UnitOf(ReadOnlySpan<float> window, int width)
    {
        var steps = window.Length / width;
        double sum = 0;
        for (var step = 0; step < window.Length; step += width)
            sum += window[step];
        var mean = sum / steps;
        double absolute = 0;
        for (var step = 0; step < window.Length; step += width)
            absolute += Math.Abs(window[step] - mean);
        return new WindowUnit(mean, absolute / steps);
    }
}

/// <summary>How the values of a series are scaled for a forecasting network.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SeriesScaling>))]
public enum SeriesScaling
{
    /// <summary>With the mean and standard deviation of the training values of all series.</summary>
    Global,

    /// <summary>
    /// Each window with its own mean and mean absolute deviation, for series that differ in level or grow. Windows that hardly move are scaled
    /// with the deviation that 95 % of the moving training windows exceed. The level itself is not seen by the network.
    /// </summary>
    Window,
}

/// <summary>
/// Predicts the next values of a series. It holds the scale of the windows before the network and of the forecasts after it.
/// </summary>
internal sealed record ForecastHead(int Horizon, SeriesScale Scale) : PredictionHead
{
    internal override int OutputCount => Horizon;

    public override void Check()
    {
        if (Horizon < 1)
            throw new FormatException(FormattableString.Invariant($"horizon is {Horizon}; it must be at least 1."));
        Scale.Check();
    }
}
