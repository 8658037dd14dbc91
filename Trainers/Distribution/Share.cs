namespace MLExtensions.Distribution;

/// <summary>The part of each batch that a process trains on.</summary>
/// <param name="Rank">The number of the process.</param>
/// <param name="Count">The number of processes.</param>
internal readonly record struct Share(int Rank, int Count)
{
    public static Share Whole { get; } = new(0, 1);

    public static Share Of(Distributed? distributed) => new(distributed?.Rank ?? 0, distributed?.WorldSize ?? 1);

    /// <summary>Returns the part of a batch, whose length is a multiple of the number of processes.</summary>
    public ReadOnlySpan<T> Of<T>(ReadOnlySpan<T> batch)
    {
        var length = batch.Length / Count;
        return batch.Slice(Rank * length, length);
    }

    /// <inheritdoc cref="Of{T}(ReadOnlySpan{T})"/>
    public Span<T> Of<T>(Span<T> batch)
    {
        var length = batch.Length / Count;
        return batch.Slice(Rank * length, length);
    }
}
