namespace MLExtensions.Training.Data;

/// <summary>Batches of rows that are in memory.</summary>
internal sealed class InMemoryBatches : IBatchSource
{
    private readonly TrainingRows _rows;
    private readonly int[] _indices;
    private readonly BatchSettings _settings;

    /// <param name="rows">The rows; the caller disposes them.</param>
    /// <param name="indices">Which of them.</param>
    /// <param name="settings">How they become batches.</param>
    public InMemoryBatches(TrainingRows rows, int[] indices, BatchSettings settings)
    {
        _rows = rows;
        _indices = indices;
        _settings = settings;
    }

    public long RowCount => _indices.Length;

    public int BatchCount => _settings.CountBatches(RowCount);

    public IEnumerable<Batch> ReadEpoch(int epoch)
    {
        using var buffer = new BatchBuffer(Math.Min(_settings.Size, _indices.Length), _rows.Features.Width, _settings.Scale, _settings.Device, RowCount);
        foreach (var row in Order(epoch))
        {
            _rows.Features[row].CopyTo(buffer.NextFeatures());
            buffer.Add(_rows.Labels[row][0], _rows.Weights == null ? 1 : _rows.Weights[row][0]);
            if (buffer.IsFull)
                yield return buffer.Take();
        }
        if (buffer.Count >= _settings.MinimumRows)
            yield return buffer.Take();
    }

    private int[] Order(int epoch)
    {
        if (!_settings.Shuffle && _settings.LengthOf == null)
            return _indices;
        var order = (int[])_indices.Clone();
        var random = new SplitMix64(SeedSequence.Derive(_settings.Seed, SeedSequence.Shuffle, epoch));
        if (_settings.Shuffle)
            random.Shuffle(order);
        if (_settings.LengthOf is { } lengthOf)
            LengthGroups.Arrange(order, row => lengthOf(_rows.Features[row]), _settings, ref random);
        return order;
    }
}
