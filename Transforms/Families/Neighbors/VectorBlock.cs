using System.Numerics;

namespace MLExtensions.Families.Neighbors;

/// <summary>
/// A block of vectors, and what screens them: numbers by which a bound of each distance comes out of an inexact dot product,
/// <c>distance >= Add + Factor * product - Slack * length of the query</c> (less what the query adds to the distance).
/// </summary>
internal sealed class VectorBlock
{
    // Beyond these lengths products of floats overflow or lose their digits; such rows are never screened out.
    private const double LongestScreened = 1e17;
    private const double ShortestScreened = 1e-17;

    private readonly int _capacity;
    private float[] _values;
    private double[] _squares;

    /// <param name="distance">The kind of distance.</param>
    /// <param name="width">The length of the vectors.</param>
    /// <param name="capacity">The largest number of rows.</param>
    /// <param name="withCodes">Whether the rows are kept in bytes, too, which a single query reads four times as fast.</param>
    public VectorBlock(VectorDistance distance, int width, int capacity, bool withCodes)
    {
        (Distance, Width, _capacity) = (distance, width, capacity);
        _values = [];
        _squares = [];
        Screen = new RowScreen();
        Codes = withCodes ? new VectorCodes(width) : null;
    }

    public VectorDistance Distance { get; }

    public int Width { get; }

    public int Count { get; private set; }

    public bool IsFull => Count == _capacity;

    public VectorCodes? Codes { get; }

    /// <summary>The number of the first row, if the others follow.</summary>
    public long First { get; init; }

    /// <summary>The numbers of the rows, if they do not follow each other.</summary>
    public long[]? Numbers { get; init; }

    /// <summary>The screen of products of the vectors themselves.</summary>
    public RowScreen Screen { get; }

    /// <summary>All rows, one after the other.</summary>
    public float[] Values => _values;

    public ReadOnlySpan<float> Row(int row) => _values.AsSpan(row * Width, Width);

    public long NumberOf(int row) => Numbers == null ? First + row : Numbers[row];

    /// <summary>The dot product of a row with itself.</summary>
    public double SquareOf(int row) => _squares[row];

    /// <summary>The relative error of a dot product in single precision, whatever the order of its sums.</summary>
    public static double ErrorOf(int width) => (width + 16) * 1.01 / (1 << 24);

    /// <summary>How long a query counts when rows are screened.</summary>
    public static float ScreenedLength(double square)
    {
        var length = Math.Sqrt(square);
        return length == 0 || length is >= ShortestScreened and <= LongestScreened ? MathF.BitIncrement((float)length) : float.PositiveInfinity;
    }

    public void Clear() => Count = 0;

    /// <summary>Adds a row of finite values.</summary>
    public void Add(ReadOnlySpan<float> row)
    {
        if (Count == _squares.Length)
            Reserve(Math.Max(VectorCodes.PanelRows, 2 * Count));
        row.CopyTo(_values.AsSpan(Count * Width));
        var square = ExactDistance.Dot(row, row);
        _squares[Count] = square;
        var length = Math.Sqrt(square);
        var error = ErrorOf(Width);
        var (add, factor) = Distance switch
        {
            VectorDistance.DotProduct => (0, -1),
            VectorDistance.Cosine => (0, -1 / length),
            _ => (square * (1 - error), -2.0),
        };
        var isScreened = length == 0 || length is >= ShortestScreened and <= LongestScreened;
        Screen.Set(Count, add, factor, isScreened ? Math.Abs(factor) * length * error : double.PositiveInfinity);
        if (Codes != null)
        {
            var (scale, lost) = Codes.Set(Count, row);
            Codes.Screen.Set(Count, add, factor * scale, isScreened ? Math.Abs(factor) * (lost + ((length + lost) * error)) : double.PositiveInfinity);
        }
        Count++;
    }

    /// <summary>Makes room for so many rows, or for as many as the block can have.</summary>
    public void Reserve(int rows)
    {
        rows = Math.Min(_capacity, rows);
        Array.Resize(ref _values, rows * Width);
        Array.Resize(ref _squares, rows);
        Screen.Grow(rows);
        Codes?.Grow(rows);
    }
}

/// <summary>The numbers by which rows are screened.</summary>
internal sealed class RowScreen
{
    private float[] _add = [];
    private float[] _factor = [];
    private float[] _slack = [];

    public float[] Add => _add;

    public float[] Factor => _factor;

    public float[] Slack => _slack;

    public void Grow(int rows)
    {
        // Registers of rows are read as a whole.
        rows += Vector<float>.Count;
        Array.Resize(ref _add, rows);
        Array.Resize(ref _factor, rows);
        Array.Resize(ref _slack, rows);
    }

    public void Set(int row, double add, double factor, double slack)
    {
        _add[row] = MathF.BitDecrement((float)add);
        _factor[row] = (float)factor;
        _slack[row] = MathF.BitIncrement((float)slack);
    }
}

/// <summary>
/// Vectors in bytes: each row has a scale of its own, and panels of 64 rows lie column by column, so that a register holds a column of many
/// rows.
/// </summary>
internal sealed class VectorCodes(int width)
{
    public const int PanelRows = 64;

    private sbyte[] _values = [];

    public sbyte[] Values => _values;

    /// <summary>The screen of products of the codes.</summary>
    public RowScreen Screen { get; } = new();

    public void Grow(int rows)
    {
        Array.Resize(ref _values, (rows + PanelRows - 1) / PanelRows * PanelRows * width);
        Screen.Grow(rows);
    }

    /// <summary>Sets a row.</summary>
    /// <returns>What codes are multiplied by, and the length of what they lack.</returns>
    public (double Scale, double Lost) Set(int row, ReadOnlySpan<float> values)
    {
        var largest = 0f;
        foreach (var value in values)
            largest = Math.Max(largest, Math.Abs(value));
        var scale = largest == 0 ? 1 : (double)largest / sbyte.MaxValue;
        var panel = _values.AsSpan(row / PanelRows * PanelRows * width, PanelRows * width);
        var lost = 0.0;
        for (var column = 0; column < values.Length; column++)
        {
            var code = (sbyte)Math.Round(values[column] / scale);
            panel[(column * PanelRows) + (row % PanelRows)] = code;
            var difference = values[column] - (code * scale);
            lost += difference * difference;
        }
        return (scale, Math.Sqrt(lost));
    }
}
