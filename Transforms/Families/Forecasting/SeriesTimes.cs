using MLExtensions.Messages;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Checks the times of rows, series by series: each must be later than the one before, and all equally spaced.</summary>
internal sealed class SeriesTimes
{
    private readonly DataViewRow _row;
    private readonly string _column;
    private readonly TimeGapHandling _gaps;
    private readonly Func<SeriesTime> _read;
    private readonly Dictionary<string, Spacing> _series = [];

    /// <param name="row">The rows.</param>
    /// <param name="column">The time column.</param>
    /// <param name="gaps">How rows that are not equally spaced are handled.</param>
    public SeriesTimes(DataViewRow row, DataViewSchema.Column column, TimeGapHandling gaps)
    {
        _row = row;
        _column = column.Name;
        _gaps = gaps;
        _read = CreateReader(row, column);
    }

    /// <summary>The number of gaps so far.</summary>
    public long Gaps { get; private set; }

    /// <summary>Whether a column can be a time column.</summary>
    public static bool Takes(DataViewType type) => type is NumberDataViewType or DateTimeDataViewType or DateTimeOffsetDataViewType;

    /// <summary>Checks the current row.</summary>
    /// <param name="group">The series that it belongs to.</param>
    /// <exception cref="FormatException">The time is missing, not later than that of the row before, or after a gap.</exception>
    public void Check(string group)
    {
        var time = _read();
        if (!time.IsKnown)
            throw Bad(group, "the time is missing");
        if (!_series.TryGetValue(group, out var spacing))
        {
            _series.Add(group, new Spacing(time, _row.Position));
            return;
        }
        var order = time.CompareTo(spacing.Last);
        if (order == 0)
            throw Bad(group, FormattableString.Invariant($"the time is {time}, as in row {spacing.Row}; a series has one row for each time"));
        if (order < 0)
            throw Bad(group, FormattableString.Invariant($"the time is {time}, before {spacing.Last} in row {spacing.Row}; rows must be in time order, so sort them before they are loaded"));
        var last = spacing.Last;
        if (spacing.Continues(time))
        {
            spacing.Keep(time, _row.Position);
            return;
        }
        if (_gaps == TimeGapHandling.Throw)
            throw Bad(group, FormattableString.Invariant($"the time is {time}, {time.Distance(last)} after {last} in row {spacing.Row}, and the rows before are {spacing.Text} apart; rows must be equally spaced. Add the missing rows, or set {nameof(TimeGapHandling)}.{nameof(TimeGapHandling.Allow)} if they are, such as working days"));
        Gaps++;
        spacing.Keep(time, _row.Position);
    }

    private FormatException Bad(string group, string problem) => new(string.Create(
        CultureInfo.InvariantCulture, $"Time column '{_column}', {RowName.Of(_row.Position)}{(group.Length == 0 ? "" : $", series '{group}'")}: {problem}."));

    private static Func<SeriesTime> CreateReader(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is DateTimeDataViewType)
        {
            var getDate = row.GetGetter<DateTime>(column);
            DateTime date = default;
            return () =>
            {
                getDate(ref date);
                return new SeriesTime(date.Ticks, date);
            };
        }
        if (column.Type is DateTimeOffsetDataViewType)
        {
            var getOffset = row.GetGetter<DateTimeOffset>(column);
            DateTimeOffset offset = default;
            return () =>
            {
                getOffset(ref offset);
                return new SeriesTime(offset.UtcTicks, offset.UtcDateTime);
            };
        }
        var getNumber = RowCursorUtils.GetGetterAs<double>(NumberDataViewType.Double, row, column.Index);
        double number = 0;
        return () =>
        {
            getNumber(ref number);
            return new SeriesTime(number, null);
        };
    }

    /// <summary>The distance of the rows of one series.</summary>
    private sealed class Spacing(SeriesTime first, long row)
    {
        private double? _distance;
        private int? _months;
        private string? _text;

        public SeriesTime Last { get; private set; } = first;

        public long Row { get; private set; } = row;

        /// <summary>The distance, for messages.</summary>
        public string Text => _text ?? "";

        /// <summary>Whether a time is as far from the last one as the second was from the first: in time, or in months.</summary>
        public bool Continues(SeriesTime time)
        {
            var distance = time.Number - Last.Number;
            var months = time.MonthsSince(Last);
            if (_distance == null)
            {
                (_distance, _months, _text) = (distance, months, time.Distance(Last));
                return true;
            }
            // Numbers may be fractions of a year in single precision.
            var isEqual = Math.Abs(distance - _distance.Value) <= Math.Max(1e-3 * _distance.Value, 1e-6 * Math.Abs(time.Number) * (time.Date == null ? 1 : 0));
            return isEqual || (months != null && months == _months);
        }

        public void Keep(SeriesTime time, long row) => (Last, Row) = (time, row);
    }
}

/// <summary>A time: a date as ticks, or a number.</summary>
internal readonly record struct SeriesTime(double Number, DateTime? Date) : IComparable<SeriesTime>
{
    public bool IsKnown => double.IsFinite(Number) && Date != default(DateTime);

    public int CompareTo(SeriesTime other) => Date is { } date && other.Date is { } otherDate ? date.CompareTo(otherDate) : Number.CompareTo(other.Number);

    /// <summary>The number of whole months from another date to this one; null if it is not whole.</summary>
    public int? MonthsSince(SeriesTime other)
    {
        if (Date is not { } date || other.Date is not { } from || date.TimeOfDay != from.TimeOfDay)
            return null;
        var isWhole = date.Day == from.Day || IsLastDay(date) || IsLastDay(from);
        return isWhole ? ((date.Year - from.Year) * 12) + date.Month - from.Month : null;
    }

    /// <summary>The distance to an earlier time, for messages.</summary>
    public string Distance(SeriesTime from)
    {
        if (Date is not { } date || from.Date is not { } start)
            return (Number - from.Number).ToString("G6", CultureInfo.InvariantCulture);
        var span = date - start;
        return span.Ticks % TimeSpan.TicksPerDay != 0 ? span.ToString("c", CultureInfo.InvariantCulture) : span.Days == 1 ? "1 day" : FormattableString.Invariant($"{span.Days} days");
    }

    public override string ToString() => Date is { } date
        ? date.ToString(date.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture)
        : Number.ToString("G9", CultureInfo.InvariantCulture);

    private static bool IsLastDay(DateTime date) => date.Day == DateTime.DaysInMonth(date.Year, date.Month);
}

/// <summary>How rows of a series that are not equally spaced in time are handled.</summary>
public enum TimeGapHandling
{
    /// <summary>Throws a <see cref="FormatException"/> that names series, row and times.</summary>
    Throw,

    /// <summary>
    /// Takes each row for the next time step, as for working days. The gaps are counted in the log and in
    /// <see cref="TrainingHistory.DataCounts"/>.
    /// </summary>
    Allow,
}
