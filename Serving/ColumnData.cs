namespace MLExtensions;

/// <summary>The values of a column in the rows of a request or of its answer.</summary>
public abstract class ColumnData
{
    private protected ColumnData(string name, IReadOnlyList<int>? lengths, IReadOnlyList<int> rowShape)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Name, Lengths, RowShape) = (name, lengths, rowShape);
    }

    /// <summary>The name of the column.</summary>
    public string Name { get; }

    /// <summary>The number of values of each row, for vectors whose length varies; null if all rows have the same.</summary>
    public IReadOnlyList<int>? Lengths { get; }

    /// <summary>In an answer, the dimensions of a row: none for a single value, -1 where they vary.</summary>
    public IReadOnlyList<int> RowShape { get; }

    /// <summary>The type of the values.</summary>
    public abstract Type ItemType { get; }

    /// <summary>The number of values in all rows.</summary>
    public abstract int Count { get; }

    /// <summary>Creates a column of single values, or of vectors of one length.</summary>
    /// <typeparam name="T">The type of the values: a number, <see langword="bool"/>, <see langword="string"/>, an image as <c>MLImage</c> or as the bytes of an image file.</typeparam>
    /// <param name="name">The name of the column.</param>
    /// <param name="values">The values, row after row. They must not change before the answer is there.</param>
    public static ColumnData<T> Of<T>(string name, ReadOnlyMemory<T> values) => new(name, values, null, []);

    /// <summary>Creates a column of single values, or of vectors of one length.</summary>
    /// <inheritdoc cref="Of{T}(string, ReadOnlyMemory{T})"/>
    public static ColumnData<T> Of<T>(string name, params T[] values) => new(name, values, null, []);

    /// <summary>Creates a column of vectors whose length varies.</summary>
    /// <inheritdoc cref="Of{T}(string, ReadOnlyMemory{T})"/>
    /// <param name="name">The name of the column.</param>
    /// <param name="values">The values, row after row. They must not change before the answer is there.</param>
    /// <param name="lengths">The number of values of each row.</param>
    public static ColumnData<T> Of<T>(string name, ReadOnlyMemory<T> values, IReadOnlyList<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        return new(name, values, lengths, [-1]);
    }
}

/// <summary>The values of a column, of a known type.</summary>
/// <typeparam name="T">The type of the values.</typeparam>
public sealed class ColumnData<T> : ColumnData
{
    internal ColumnData(string name, ReadOnlyMemory<T> values, IReadOnlyList<int>? lengths, IReadOnlyList<int> rowShape)
        : base(name, lengths, rowShape) => Values = values;

    /// <summary>The values, row after row.</summary>
    public ReadOnlyMemory<T> Values { get; }

    /// <inheritdoc/>
    public override Type ItemType => typeof(T);

    /// <inheritdoc/>
    public override int Count => Values.Length;
}
