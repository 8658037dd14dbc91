namespace MLExtensions.Forecasting;

/// <summary>The last steps of a series, as many as a window has.</summary>
internal sealed class SeriesHistory(int windowSize, int width)
{
    private readonly float[] _values = new float[windowSize * width];
    private int _next;
    private int _count;

    public bool IsFull => _count == windowSize;

    public void Add(ReadOnlySpan<float> step)
    {
        step.CopyTo(_values.AsSpan(_next * width));
        _next = (_next + 1) % windowSize;
        _count = Math.Min(windowSize, _count + 1);
    }

    /// <summary>Copies a full window, the oldest step first.</summary>
    public void CopyTo(Span<float> window)
    {
        var older = _values.AsSpan(_next * width);
        older.CopyTo(window);
        _values.AsSpan(0, _next * width).CopyTo(window[older.Length..]);
    }
}
