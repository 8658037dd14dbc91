using System.Collections.Immutable;
using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>The values that an observation or an action can have, as in Gymnasium.</summary>
public abstract record Space
{
    private protected Space()
    {
    }

    /// <summary>The number of values of an observation: 1 of a discrete space.</summary>
    public abstract int Size { get; }

    /// <summary>Whether an observation is in the space: as many values as <see cref="Size"/>, all of them finite and in range.</summary>
    /// <param name="values">The observation.</param>
    public bool Contains(ReadOnlySpan<float> values) => values.Length == Size && FirstOutside(values) < 0;

    /// <summary>The place of the first value that is outside, -1 if there is none. There are as many values as there must be.</summary>
    internal abstract int FirstOutside(ReadOnlySpan<float> values);

    /// <summary>What the value at a place may be, as text for messages.</summary>
    internal abstract string AllowedAt(int place);
}

/// <summary>Whole numbers from <see cref="Start"/> on: numbered states or actions.</summary>
public sealed record DiscreteSpace : Space
{
    // A float32 holds every whole number up to here.
    private const int MaximumCount = 1 << 24;

    /// <summary>Creates a space.</summary>
    /// <param name="count">The number of values, from 1 to 16,777,216.</param>
    /// <param name="start">The first value. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public DiscreteSpace(int count, int start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaximumCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Abs((long)start), MaximumCount - count, nameof(start));
        Count = count;
        Start = start;
    }

    /// <summary>The number of values.</summary>
    public int Count { get; }

    /// <summary>The first value.</summary>
    public int Start { get; }

    /// <inheritdoc/>
    public override int Size => 1;

    /// <summary>Whether a value is in the space.</summary>
    /// <param name="value">The value.</param>
    public bool Contains(int value) => (uint)(value - Start) < (uint)Count;

    /// <summary>Returns the range as text.</summary>
    public override string ToString() => FormattableString.Invariant($"whole numbers from {Start} to {Start + Count - 1}");

    internal override int FirstOutside(ReadOnlySpan<float> values) => values[0] == (int)values[0] && Contains((int)values[0]) ? -1 : 0;

    internal override string AllowedAt(int place) => FormattableString.Invariant($"a whole number from {Start} to {Start + Count - 1}");
}

/// <summary>Numbers with bounds, flattened row by row: measurements or pixels.</summary>
public sealed record BoxSpace : Space
{
    private readonly ImmutableArray<long> _shape;
    private readonly float[] _low;
    private readonly float[] _high;

    /// <summary>Creates a space with bounds for each value.</summary>
    /// <param name="shape">The sizes, such as 4, or channels, height and width. All are at least 1.</param>
    /// <param name="low">The least values, flattened; negative infinity where there is no bound.</param>
    /// <param name="high">The greatest values, flattened; infinity where there is no bound.</param>
    /// <exception cref="ArgumentException">A size is out of range, or the bounds do not fit it or each other.</exception>
    public BoxSpace(IReadOnlyList<long> shape, float[] low, float[] high)
    {
        _shape = [.. shape ?? throw new ArgumentNullException(nameof(shape))];
        Size = CountOf(_shape);
        ArgumentNullException.ThrowIfNull(low);
        ArgumentNullException.ThrowIfNull(high);
        if (low.Length != Size || high.Length != Size)
            throw new ArgumentException(FormattableString.Invariant($"There are {low.Length} least and {high.Length} greatest values; the shape has {Size} values."), nameof(low));
        _low = [.. low];
        _high = [.. high];
        for (var i = 0; i < Size; i++)
        {
            if (!(_low[i] <= _high[i]))
                throw new ArgumentException(FormattableString.Invariant($"Value {i} is to lie between {_low[i]} and {_high[i]}; the first must not be greater."), nameof(low));
        }
    }

    /// <summary>Creates a space whose values all have the same bounds.</summary>
    /// <param name="shape">The sizes, such as 4, or channels, height and width. All are at least 1.</param>
    /// <param name="low">The least value.</param>
    /// <param name="high">The greatest value.</param>
    /// <exception cref="ArgumentException">A size is out of range, or the bounds do not fit each other.</exception>
    public BoxSpace(IReadOnlyList<long> shape, float low, float high)
        : this(shape, Same(shape, low), Same(shape, high))
    {
    }

    /// <summary>The sizes.</summary>
    public IReadOnlyList<long> Shape => _shape;

    /// <summary>The least values, flattened.</summary>
    public ReadOnlyMemory<float> Low => _low;

    /// <summary>The greatest values, flattened.</summary>
    public ReadOnlyMemory<float> High => _high;

    /// <inheritdoc/>
    public override int Size { get; }

    /// <inheritdoc/>
    public bool Equals(BoxSpace? other) =>
        ReferenceEquals(this, other) || (other is not null && _shape.SequenceEqual(other._shape) && _low.AsSpan().SequenceEqual(other._low) && _high.AsSpan().SequenceEqual(other._high));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Size, _shape.Length, _low[0], _high[0]);

    /// <summary>Returns the shape as text.</summary>
    public override string ToString() => $"{NumberList.Of(_shape, " x ")} numbers";

    internal override int FirstOutside(ReadOnlySpan<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]) || values[i] < _low[i] || values[i] > _high[i])
                return i;
        }
        return -1;
    }

    internal override string AllowedAt(int place) => (float.IsFinite(_low[place]), float.IsFinite(_high[place])) switch
    {
        (true, true) => FormattableString.Invariant($"a number from {_low[place]} to {_high[place]}"),
        (true, false) => FormattableString.Invariant($"finite and at least {_low[place]}"),
        (false, true) => FormattableString.Invariant($"finite and at most {_high[place]}"),
        _ => "finite",
    };

    private static float[] Same(IReadOnlyList<long> shape, float bound)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var values = new float[CountOf(shape)];
        Array.Fill(values, bound);
        return values;
    }

    /// <exception cref="ArgumentException">A size is out of range, or there are too many values.</exception>
    internal static int CountOf(IReadOnlyList<long> shape)
    {
        var count = 1L;
        foreach (var size in shape)
        {
            if (size < 1 || size > int.MaxValue || (count *= size) > 1 << 28)
                throw new ArgumentException($"The shape {NumberList.Of(shape, " x ")} is out of range: sizes are at least 1, and there are at most 268435456 values.", nameof(shape));
        }
        return (int)count;
    }
}
