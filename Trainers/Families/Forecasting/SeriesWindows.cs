using MLExtensions.Training;

namespace MLExtensions.Families.Forecasting;

/// <summary>A position in a series where a window ends and the forecast begins.</summary>
/// <param name="Series">The series.</param>
/// <param name="End">The last time step of the window; the forecast covers the steps after it.</param>
internal readonly record struct WindowPlace(TimeSeries Series, int End);

/// <summary>
/// The windows of a set of series, for training and for validation. The validation part of a series is its end. Its windows forecast only
/// time steps that no training window has seen, but their inputs may include steps of the training part.
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

    /// <summary>The number of series that are too short for a single window, and are not used.</summary>
    public int TooShort { get; private set; }

    /// <summary>The number of series that are too short for a held-out part, and are used for training as a whole.</summary>
    public int NotHeldOut { get; private set; }

    /// <summary>Divides series. One at least must be long enough for a training window and, if requested, a validation window.</summary>
    /// <param name="set">The series.</param>
    /// <param name="windowSize">The number of time steps of a window.</param>
    /// <param name="horizon">The number of time steps of a forecast.</param>
    /// <param name="validationFraction">The fraction at the end of each series that is held out.</param>
    /// <param name="handling">How series that are too short are handled.</param>
    /// <exception cref="ArgumentException">There are no rows, or series are too short; the message names one.</exception>
    public static SeriesWindows Divide(SeriesSet set, int windowSize, int horizon, double validationFraction, ShortSeriesHandling handling = ShortSeriesHandling.Throw)
    {
        if (set.Series.Count == 0)
            throw new ArgumentException("The training data has no rows.");
        var windows = new SeriesWindows();
        string? firstProblem = null;
        foreach (var series in set.Series)
        {
            var aside = (int)Math.Round(series.Length * validationFraction, MidpointRounding.AwayFromZero);
            var problem = ProblemOf(series, series.Length - aside, windowSize, horizon, validationFraction);
            if (problem != null && handling == ShortSeriesHandling.Throw)
                throw new ArgumentException(problem);
            firstProblem ??= problem;
            if (problem == null)
                windows.Add(series, series.Length - aside, windowSize, horizon);
            else if (series.Length < windowSize + horizon)
                windows.TooShort++;
            else
            {
                windows.NotHeldOut++;
                windows.Add(series, series.Length, windowSize, horizon);
            }
        }
        if (firstProblem != null && (windows._training.Count == 0 || (validationFraction > 0 && windows._validation.Count == 0)))
            throw new ArgumentException(firstProblem);
        return windows;
    }

    /// <summary>Returns all windows of series that are used for validation only.</summary>
    /// <exception cref="ArgumentException">No series is long enough.</exception>
    public static IReadOnlyList<WindowPlace> All(SeriesSet set, int windowSize, int horizon)
    {
        var places = set.Series
            .SelectMany(series => Enumerable.Range(windowSize - 1, Math.Max(0, series.Length - horizon - windowSize + 1)).Select(end => new WindowPlace(series, end)))
            .ToList();
        return places.Count > 0
            ? places
            : throw new ArgumentException(FormattableString.Invariant($"No series of the validation data has the {windowSize + horizon} rows that WindowSize {windowSize} and Horizon {horizon} need. Use more rows, or a smaller WindowSize or Horizon."));
    }

    /// <summary>Computes the scale from the training part of the series.</summary>
    public SeriesScale CreateScale(SeriesSet set, SeriesScaling scaling, int windowSize)
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
            summaries.Select(summary => summary.StandardDeviation).ToArray())
        {
            LeastSize = scaling == SeriesScaling.Window ? LeastSizeOf(set.Width, windowSize) : null,
        };
    }

    /// <summary>Chooses window scaling where the level moves by more than a share of what the values move within a window.</summary>
    public SeriesScaling ChooseScaling(int width, int windowSize)
    {
        const int LeastWindow = 5; // of fewer values a window's own scale says little
        const double Share = 0.4;
        if (windowSize < LeastWindow)
            return SeriesScaling.Global;
        var units = Units(width, windowSize).ToArray();
        var level = units.Average(unit => unit.Center);
        return units.Average(unit => Math.Abs(unit.Center - level)) > Share * units.Average(unit => unit.Size) ? SeriesScaling.Window : SeriesScaling.Global;
    }

    /// <summary>The deviation that most of the training windows exceed, of those that move at all; null if none does.</summary>
    private double? LeastSizeOf(int width, int windowSize)
    {
        const double Share = 0.05;
        var sizes = Units(width, windowSize).Select(unit => unit.Size).Where(size => size > 0).Order().ToArray();
        return sizes.Length == 0 ? null : sizes[(int)(Share * sizes.Length)];
    }

    /// <summary>The means and deviations of the training windows, or of many of them.</summary>
    private IEnumerable<WindowUnit> Units(int width, int windowSize)
    {
        const int MostWindows = 10_000;
        var stride = 1 + (_training.Count / MostWindows);
        for (var i = 0; i < _training.Count; i += stride)
            yield return SeriesScale.UnitOf(_training[i].Series.Steps(_training[i].End + 1 - windowSize, windowSize), width);
    }

    private void Add(TimeSeries series, int trainingLength, int windowSize, int horizon)
    {
        _parts.Add((series, trainingLength));
        for (var end = windowSize - 1; end + horizon < trainingLength; end++)
            _training.Add(new WindowPlace(series, end));
        for (var end = trainingLength - 1; end + horizon < series.Length; end++)
            _validation.Add(new WindowPlace(series, end));
    }

    private static string? ProblemOf(TimeSeries series, int trainingLength, int windowSize, int horizon, double validationFraction)
    {
        var name = series.Group.Length == 0 ? "The series" : $"The series '{series.Group}'";
        var asideLength = series.Length - trainingLength;
        if (trainingLength < windowSize + horizon)
        {
            var share = validationFraction == 0 ? "" : FormattableString.Invariant($", {trainingLength} of them for training after ValidationFraction {validationFraction}");
            return FormattableString.Invariant($"{name} has {series.Length} rows{share}; WindowSize {windowSize} and Horizon {horizon} need at least {windowSize + horizon}. Use more rows, or a smaller WindowSize or Horizon.");
        }
        return validationFraction > 0 && asideLength < horizon
            ? FormattableString.Invariant($"{name} has {series.Length} rows, of which ValidationFraction {validationFraction} holds out {asideLength}; a forecast of Horizon {horizon} needs at least {horizon}. Use more rows, a larger ValidationFraction, or a smaller Horizon.")
            : null;
    }
}
