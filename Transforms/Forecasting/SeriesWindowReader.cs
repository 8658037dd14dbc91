using Microsoft.ML;

namespace MLExtensions.Forecasting;

/// <summary>Keeps the last steps of every series while rows go by.</summary>
internal sealed class SeriesWindowReader(DataViewRow row, SeriesColumns columns, int windowSize)
{
    private readonly SeriesRowReader _reader = new(row, columns);
    private readonly Dictionary<string, SeriesHistory> _histories = [];
    private SeriesHistory? _current;

    /// <summary>The number of values of a window: a 1, and the steps.</summary>
    public int Width { get; } = WindowDataView.WidthOf(windowSize, columns.Width);

    /// <summary>Takes the row in that the cursor stands on.</summary>
    /// <exception cref="FormatException">A value is NaN or infinite, or the group is missing.</exception>
    public void Read()
    {
        _reader.Read();
        if (!_histories.TryGetValue(_reader.Group, out _current))
            _histories.Add(_reader.Group, _current = new SeriesHistory(windowSize, columns.Width));
        _current.Add(_reader.Values);
    }

    /// <summary>The window that ends with the row: 1 and the steps, the oldest first, or zeros where there are too few.</summary>
    public void CopyTo(Span<float> window)
    {
        if (_current is not { IsFull: true })
        {
            window.Clear();
            return;
        }
        window[0] = 1;
        _current.CopyTo(window[1..]);
    }
}
