namespace MLExtensions.Training.Data;

/// <summary>
/// Puts rows of about one length into one batch, so that little of it is padding, and yet leaves chance its part: only rows that lie
/// within some batches of each other are sorted, and the batches come in random order.
/// </summary>
internal static class LengthGroups
{
    private const int BatchesPerGroup = 50;

    /// <summary>The rows that are sorted together.</summary>
    public static int GroupRows(BatchSettings settings) => (int)Math.Min(int.MaxValue, (long)settings.Size * BatchesPerGroup);

    /// <param name="rows">Rows, shuffled where they are to be; changed in place.</param>
    /// <param name="lengthOf">The length of a row.</param>
    /// <param name="settings">How rows become batches; unshuffled rows are sorted as a whole.</param>
    /// <param name="random">Draws the order of the batches.</param>
    public static void Arrange<T>(Span<T> rows, Func<T, int> lengthOf, BatchSettings settings, ref SplitMix64 random)
    {
        var group = settings.Shuffle ? GroupRows(settings) : rows.Length;
        for (var first = 0; first < rows.Length; first += group)
        {
            var part = rows.Slice(first, Math.Min(group, rows.Length - first));
            var lengths = new (int Length, int Place)[part.Length];
            for (var i = 0; i < part.Length; i++)
                lengths[i] = (lengthOf(part[i]), i);
            Array.Sort(lengths);
            Reorder(part, lengths.Select(entry => entry.Place).ToArray());
            if (settings.Shuffle)
                ShuffleBatches(part, settings.Size, ref random);
        }
    }

    /// <summary>A last batch that is not full stays the last: it could not stand anywhere else.</summary>
    private static void ShuffleBatches<T>(Span<T> rows, int size, ref SplitMix64 random)
    {
        var batches = Enumerable.Range(0, rows.Length / size).ToArray();
        random.Shuffle(batches);
        var places = batches.SelectMany(batch => Enumerable.Range(batch * size, size)).ToArray();
        Reorder(rows[..places.Length], places);
    }

    private static void Reorder<T>(Span<T> rows, int[] places)
    {
        var before = rows.ToArray();
        for (var i = 0; i < places.Length; i++)
            rows[i] = before[places[i]];
    }
}
