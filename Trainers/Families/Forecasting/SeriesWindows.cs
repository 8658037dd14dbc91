using MLExtensions.Training;

namespace MLExtensions.Families.Forecasting;

/// <summary>A place in a series where a window ends and the forecast begins.</summary>
/// <param name="Series">The series.</param>
/// <param name="End">The window's last step; the forecast is of the steps after it.</param>
internal readonly record struct WindowPlace(TimeSeries Series, int End);

/// <summary>
/// The windows of some series, for training and for validation. The validation part of a series is its end: its windows forecast only
/// steps that no training window has seen, though they look back at steps of the training part, as forecasts do.
/// </summary>
internal sealed class SeriesWindows
{
    private readonly List<WindowPlace> _training = [];
    private readonly List<WindowPlace> _validation = [];
    private readonly List<(TimeSeries Series, int TrainingLength)> _parts = [];

    private SeriesWindows()
    {
    }

    public IReadOnlyList<WindowPlace> Training => _training;

    public IReadOnlyList<WindowPlace> Validation => _validation;

    /// <summary>Divides series; each must be long enough for a window of each kind that is asked for.</summary>
    /// <param name="set">The series.</param>
    /// <param name="windowSize">Steps of a window.</param>
    /// <param name="horizon">Steps of a forecast.</param>
    /// <param name="validationFraction">The share at the end of each series that is not trained on.</param>
    /// <exception cref="ArgumentException">There are no rows, or a series is too short; the message names it.</exception>
    public static SeriesWindows Divide(SeriesSet set, int windowSize, int horizon, double validationFraction)
    {
        if (set.Series.Count == 0)
            throw new ArgumentException("The training data has no rows.");
        var windows = new SeriesWindows();
        foreach (var series in set.Series)
        {
            var aside = (int)Math.Round(series.Length * validationFraction, MidpointRounding.AwayFromZero);
            CheckLength(series, series.Length - aside, windowSize, horizon, validationFraction);
            windows.Add(series, series.Length - aside, windowSize, horizon);
        }
        return windows;
    }

    /// <summary>All windows of series that validate as a whole.</summary>
    /// <exception cref="ArgumentException">No series is long enough.</exception>
    public static IReadOnlyList<WindowPlace> All(SeriesSet set, int windowSize, int horizon)
    {
        var places = set.Series
            .SelectMany(series => Enumerable.Range(windowSize - 1, Math.Max(0, series.Length - horizon - windowSize + 1)).Select(end => new WindowPlace(series, end)))
            .ToList();
        return places.Count > 0
            ? places
            : throw new ArgumentException($"No series of the validation data has the {windowSize + horizon} rows that WindowSize {windowSize} and Horizon {horizon} need. Use more rows, or a smaller window or horizon.");
    }

    /// <summary>Learns the scale from the training part of the series.</summary>
    public SeriesScale CreateScale(SeriesSet set, SeriesScaling scaling)
    {
        var summaries = Enumerable.Range(0, set.Width).Select(_ => new RunningMoments()).ToArray();
        foreach (var (series, length) in _parts)
        {
            var values = series.Steps(0, length);
            for (var i = 0; i < values.Length; i++)
                summaries[i % set.Width].Add(values[i]);
        }
        return new SeriesScale(
            scaling,
            summaries.Select(summary => summary.Mean).ToArray(),
            summaries.Select(summary => summary.StandardDeviation).ToArray());
    }

    private void Add(TimeSeries series, int trainingLength, int windowSize, int horizon)
    {
        _parts.Add((series, trainingLength));
        for (var end = windowSize - 1; end + horizon < trainingLength; end++)
            _training.Add(new WindowPlace(series, end));
        for (var end = trainingLength - 1; end + horizon < series.Length; end++)
            _validation.Add(new WindowPlace(series, end));
    }

    private static void CheckLength(TimeSeries series, int trainingLength, int windowSize, int horizon, double validationFraction)
    {
        var name = series.Group.Length == 0 ? "The series" : $"The series '{series.Group}'";
        var asideLength = series.Length - trainingLength;
        if (trainingLength < windowSize + horizon)
        {
            var share = validationFraction == 0 ? "" : $", {trainingLength} of them to train after ValidationFraction {validationFraction}";
            throw new ArgumentException($"{name} has {series.Length} rows{share}; WindowSize {windowSize} and Horizon {horizon} need at least {windowSize + horizon}. Use more rows, or a smaller window or horizon.");
        }
        if (validationFraction > 0 && asideLength < horizon)
            throw new ArgumentException($"{name} has {series.Length} rows, of which ValidationFraction {validationFraction} sets {asideLength} aside; a forecast of Horizon {horizon} needs at least {horizon}. Use more rows, a larger fraction, or a smaller horizon.");
    }
}
