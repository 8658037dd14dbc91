using static TorchSharp.torch;

namespace MLExtensions.Distribution;

/// <summary>The part of each batch that a process trains on.</summary>
/// <param name="Rank">The number of the process.</param>
/// <param name="Count">The number of processes.</param>
internal readonly record struct Share(int Rank, int Count)
{
    public static Share Whole { get; } = new(0, 1);


    /// <summary>Returns the part of a batch, whose length is a multiple of the number of processes.</summary>
    public ReadOnlySpan<T> Of<T>(ReadOnlySpan<T> batch)
    {
        var length = batch.Length / Count;
        return batch.Slice(Rank * length, length);
    }

    /// <summary>Draws something for each row of a batch, also for those of others, so that each row gets what it would get alone; returns that of the own rows.</summary>
    public T[] Draw<T>(int rows, Func<T> draw)
    {
        var all = new T[rows * Count];
        for (var row = 0; row < all.Length; row++)
            all[row] = draw();
        return Of(all.AsSpan()).ToArray();
    }

    /// <inheritdoc cref="Draw{T}(int, Func{T})"/>
    /// <param name="rows">The number of own rows.</param>
    /// <param name="draw">Draws so many rows.</param>
    public Tensor Draw(int rows, Func<int, Tensor> draw) => Count == 1 ? draw(rows) : draw(rows * Count).narrow(0, Rank * rows, rows);

    /// <inheritdoc cref="Of{T}(ReadOnlySpan{T})"/>
    public Span<T> Of<T>(Span<T> batch)
    {
        var length = batch.Length / Count;
        return batch.Slice(Rank * length, length);
    }
}
