using MLExtensions.Tensors;

namespace MLExtensions.Training;

/// <summary>A row of a stream, until the next one is asked for.</summary>
internal interface IStreamedRow
{
    float Label { get; }

    float Weight { get; }

    /// <summary>Copies the features.</summary>
    void ReadFeatures(Span<float> destination);
}

/// <summary>A row that stays when the stream goes on.</summary>
internal sealed class RowCopy : IStreamedRow
{
    private readonly float[] _features;

    public RowCopy(IStreamedRow row, int width)
    {
        _features = new float[width];
        row.ReadFeatures(_features);
        (Label, Weight) = (row.Label, row.Weight);
    }

    public ReadOnlySpan<float> Features => _features;

    public float Label { get; }

    public float Weight { get; }

    public void ReadFeatures(Span<float> destination) => _features.CopyTo(destination);
}

/// <summary>Rows that wait to be drawn, in native memory. It is itself the row that was chosen last.</summary>
internal sealed class ShuffleBuffer : IStreamedRow, IDisposable
{
    private readonly FloatColumn _features;
    private readonly float[] _labels;
    private readonly float[] _weights;
    private readonly int[] _places; // of those that are left when no more rows come
    private int _chosen;

    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    public ShuffleBuffer(TrainingColumns columns, int rows)
    {
        try
        {
            _features = new FloatColumn(columns.Format.Width, rows);
        }
        catch (OutOfMemoryException e)
        {
            throw new InsufficientMemoryException(FormattableString.Invariant($"Column '{columns.Features.Name}': a shuffle buffer of {rows} rows of {columns.Format.Width} values needs {MachineMemory.Text((double)rows * columns.Format.Width * sizeof(float))} of memory; this process can have {MachineMemory.Text(MachineMemory.Available)}. Make {nameof(RowTrainingOptions.ShuffleBufferRows)} smaller."), e);
        }
        (_labels, _weights, _places) = (new float[rows], new float[rows], new int[rows]);
    }

    public int Count { get; private set; }

    public bool IsFull => Count == _places.Length;

    public float Label => _labels[Place];

    public float Weight => _weights[Place];

    private int Place => _places[_chosen];

    public void ReadFeatures(Span<float> destination) => _features[Place].CopyTo(destination);

    public void Add(IStreamedRow row)
    {
        row.ReadFeatures(_features.Next());
        _features.Commit();
        (_labels[Count], _weights[Count], _places[Count]) = (row.Label, row.Weight, Count);
        Count++;
    }

    public IStreamedRow Choose(int index)
    {
        _chosen = index;
        return this;
    }

    /// <summary>Puts another row into the place of the chosen one.</summary>
    public void Replace(IStreamedRow row)
    {
        row.ReadFeatures(_features[Place]);
        (_labels[Place], _weights[Place]) = (row.Label, row.Weight);
    }

    /// <summary>Removes the chosen row.</summary>
    public void Remove() => _places[_chosen] = _places[--Count];

    public void Dispose() => _features.Dispose();
}
