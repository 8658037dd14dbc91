using System.Runtime.InteropServices;

namespace MLExtensions.Training.Data;

/// <summary>Rows of floats in one native block that can be larger than 2 GB and grows as rows arrive.</summary>
internal sealed unsafe class FloatColumn : IDisposable
{
    private const long FirstRows = 1024;
    private readonly long _width;
    private float* _values;
    private long _capacity;

    /// <param name="width">Values a row.</param>
    /// <param name="expectedRows">The number of rows, where it is known; a wrong one costs a reallocation.</param>
    public FloatColumn(int width, long? expectedRows)
    {
        _width = width;
        Resize(expectedRows is > 0 and <= int.MaxValue ? expectedRows.Value : FirstRows);
    }

    ~FloatColumn() => Free();

    public int Width => (int)_width;

    public int Count { get; private set; }

    public Span<float> this[int row] => new(_values + (row * _width), (int)_width);

    /// <summary>The next row to be filled; <see cref="Commit"/> keeps it.</summary>
    public Span<float> Next()
    {
        // Realloc moves the pages of a large block, not its bytes.
        if (Count == _capacity)
            Resize(Math.Min(int.MaxValue, _capacity + (_capacity / 2) + 1));
        return this[Count];
    }

    public void Commit()
    {
        if (Count == int.MaxValue - 1)
            throw new InvalidOperationException($"The data has more than {int.MaxValue - 1} rows; set Buffering to Streaming.");
        Count++;
    }

    /// <summary>Gives back what the last growth took too much.</summary>
    public void Trim() => Resize(Math.Max(1, Count));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Resize(long rows)
    {
        if (rows == _capacity)
            return;
        _values = (float*)NativeMemory.Realloc(_values, checked((nuint)(rows * _width * sizeof(float))));
        _capacity = rows;
    }

    private void Free()
    {
        NativeMemory.Free(_values);
        _values = null;
        _capacity = 0;
    }
}
