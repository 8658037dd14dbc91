using MLExtensions.Tensors;

namespace MLExtensions.Families.Neighbors;

/// <summary>A block of vectors whose neighbors are searched.</summary>
internal sealed class QueryBlock
{
    private readonly float[] _values;
    private readonly float[] _columns;
    private readonly double[] _squares;
    private readonly float[] _lengths;

    /// <param name="distance">The kind of distance.</param>
    /// <param name="width">The length of the vectors.</param>
    /// <param name="capacity">The largest number of queries.</param>
    public QueryBlock(VectorDistance distance, int width, int capacity)
    {
        (Distance, Width, Capacity) = (distance, width, capacity);
        Stride = (capacity + MatrixProduct.Group - 1) / MatrixProduct.Group * MatrixProduct.Group;
        _values = new float[capacity * width];
        _columns = new float[Stride * width];
        _squares = new double[capacity];
        _lengths = new float[Stride];
    }

    public VectorDistance Distance { get; }

    public int Width { get; }

    public int Capacity { get; }

    public int Count { get; private set; }

    /// <summary>The columns of <see cref="Columns"/>, of which the first <see cref="Count"/> are queries.</summary>
    public int Stride { get; }

    /// <summary>The queries side by side: <c>[Width, Stride]</c>.</summary>
    public float[] Columns => _columns;

    /// <summary>The length of each query, rounded up; infinite if products with it cannot be trusted.</summary>
    public float[] Lengths => _lengths;

    public ReadOnlySpan<float> Row(int query) => _values.AsSpan(query * Width, Width);

    public double SquareOf(int query) => _squares[query];

    public void Clear() => Count = 0;

    /// <summary>Adds a query of finite values.</summary>
    public void Add(ReadOnlySpan<float> query)
    {
        query.CopyTo(_values.AsSpan(Count * Width));
        for (var column = 0; column < query.Length; column++)
            _columns[(column * Stride) + Count] = query[column];
        var square = ExactDistance.Dot(query, query);
        _squares[Count] = square;
        _lengths[Count] = VectorBlock.ScreenedLength(square);
        Count++;
    }

    /// <summary>The largest value of a screened row that can be as near as a distance.</summary>
    public float ThresholdOf(int query, double distance)
    {
        if (distance == double.PositiveInfinity)
            return float.PositiveInfinity;
        var square = _squares[query];
        var value = Distance switch
        {
            VectorDistance.DotProduct => distance,
            VectorDistance.Cosine => (distance - 1) * Math.Sqrt(square),
            _ => distance - square,
        };
        var rounding = 1e-14 * (Math.Abs(distance) + Math.Abs(value));
        return MathF.BitIncrement((float)(value + rounding));
    }
}
