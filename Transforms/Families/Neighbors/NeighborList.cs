namespace MLExtensions.Families.Neighbors;

/// <summary>The nearest of the rows that were offered, the nearest first. Of equally near rows the first one is nearer.</summary>
internal sealed class NeighborList(int capacity)
{
    private const int FirstRoom = 16;

    private double[] _distances = new double[Math.Min(capacity, FirstRoom)];
    private long[] _rows = new long[Math.Min(capacity, FirstRoom)];

    /// <summary>The number of rows, at most <see cref="Capacity"/>.</summary>
    public int Count { get; private set; }

    public int Capacity => capacity;

    /// <summary>The distances, as <see cref="ExactDistance.Of"/> has them.</summary>
    public ReadOnlySpan<double> Distances => _distances.AsSpan(0, Count);

    public ReadOnlySpan<long> Rows => _rows.AsSpan(0, Count);

    /// <summary>A row at a larger distance is of no use.</summary>
    public double Bound => Count < Capacity ? double.PositiveInfinity : _distances[Count - 1];

    public void Clear() => Count = 0;

    /// <summary>Whether the row is now in the list.</summary>
    public bool Offer(double distance, long row)
    {
        if (Count == Capacity && !IsNearer(distance, row, Count - 1))
            return false;
        if (Count < Capacity && Count == _rows.Length)
        {
            // There may be fewer rows than are asked for.
            var room = (int)Math.Min(2L * Count, Capacity);
            Array.Resize(ref _distances, room);
            Array.Resize(ref _rows, room);
        }
        var place = Count < Capacity ? Count++ : Count - 1;
        for (; place > 0 && IsNearer(distance, row, place - 1); place--)
            (_distances[place], _rows[place]) = (_distances[place - 1], _rows[place - 1]);
        (_distances[place], _rows[place]) = (distance, row);
        return true;
    }

    /// <summary>Offers the rows of another list.</summary>
    public void Offer(NeighborList other)
    {
        for (var i = 0; i < other.Count; i++)
            Offer(other._distances[i], other._rows[i]);
    }

    private bool IsNearer(double distance, long row, int place) =>
        distance < _distances[place] || (distance == _distances[place] && row < _rows[place]);
}
