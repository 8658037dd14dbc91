using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML;
using MLExtensions.Native;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions.Training;

/// <summary>A training set in native memory, one block per column.</summary>
internal sealed class TrainingRows : IDisposable
{
    private DeviceFeatures? _kept;

    private TrainingRows(TrainingColumns columns, long? expectedRows)
    {
        Features = new FloatColumn(columns.Format.Width, expectedRows);
        Labels = columns.Label == null ? null : new FloatColumn(1, expectedRows);
        Weights = columns.Weight == null ? null : new FloatColumn(1, expectedRows);
        Groups = columns.Group == null ? null : [];
    }

    public FloatColumn Features { get; }

    /// <summary>Null for data without labels.</summary>
    public FloatColumn? Labels { get; }

    public FloatColumn? Weights { get; }

    /// <summary>The group of each row; null without a group column.</summary>
    public List<ulong>? Groups { get; }

    public int Count => Features.Count;

    /// <summary>Reads data with one cursor.</summary>
    /// <param name="data">The data.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="checksum">The checksum to add the rows to, or null.</param>
    /// <param name="throwIfCancelled">Called for each row; throws when training is cancelled.</param>
    /// <param name="counts">What was cut, skipped or unknown; rows without a label are left out.</param>
    public static TrainingRows Read(IDataView data, TrainingColumns columns, RowChecksum? checksum, Action throwIfCancelled, out DataCounts counts)
    {
        TrainingRows? rows = null;
        try
        {
            rows = new TrainingRows(columns, data.GetRowCount());
            using var reader = new RowReader(data, columns);
            while (reader.MoveNext())
            {
                var features = rows.Features.Next();
                reader.ReadFeatures(features);
                checksum?.Add(features, reader.Label, reader.Weight, reader.Group);
                rows.Append(reader.Label, reader.Weight);
                rows.Groups?.Add(reader.Group);
                throwIfCancelled();
            }
            counts = reader.Counts();
            rows.Features.Trim();
            return rows;
        }
        catch (OutOfMemoryException e)
        {
            var count = Math.Max(rows?.Count ?? 0, data.GetRowCount() ?? 0);
            rows?.Dispose();
            throw new InsufficientMemoryException(FormattableString.Invariant($"Column '{columns.Features.Name}': {count} rows of {columns.Format.Width} values need at least {MachineMemory.Text((double)count * columns.Format.Width * sizeof(float))} of memory; this process can have {MachineMemory.Text(MachineMemory.Available)}. Set {nameof(DataTrainingOptions.Buffering)} to {nameof(Buffering.Streaming)}, or reduce the number of values per row."), e);
        }
        catch
        {
            rows?.Dispose();
            throw;
        }
    }

    /// <summary>The features in the memory of a device, where they stay until the rows are disposed; null if they do not fit.</summary>
    public DeviceFeatures? FeaturesOn(torch.Device device)
    {
        if (_kept is null || _kept.Device.ToString() != device.ToString())
        {
            _kept?.Dispose();
            _kept = new DeviceFeatures(Features, device);
        }
        return _kept.Fits ? _kept : null;
    }

    /// <summary>A row's label; 0 for data without labels.</summary>
    public float LabelOf(int row) => Labels == null ? 0 : Labels[row][0];

    /// <summary>A row's example weight; 1 for data without weights.</summary>
    public float WeightOf(int row) => Weights == null ? 1 : Weights[row][0];

    public LabelSummary Summarize(ReadOnlySpan<int> rows, int classCount)
    {
        var summary = new LabelSummary(classCount);
        foreach (var row in rows)
            summary.Add(LabelOf(row), WeightOf(row));
        return summary;
    }

    public void Dispose()
    {
        _kept?.Dispose();
        Features.Dispose();
        Labels?.Dispose();
        Weights?.Dispose();
    }

    private void Append(float label, float weight)
    {
        Append(Labels, label);
        Append(Weights, weight);
        Features.Commit();
    }

    private static void Append(FloatColumn? column, float value)
    {
        if (column == null)
            return;
        column.Next()[0] = value;
        column.Commit();
    }
}

/// <summary>Rows of floats in one native block that can be larger than 2 GB and grows as rows arrive.</summary>
internal sealed unsafe class FloatColumn : IDisposable
{
    private const long FirstRows = 1024;
    private const long FirstBytes = 16 << 20;
    private const long LargeBytes = 1 << 30;
    private const long CacheLine = 64;

    /// <summary>Measured: 256 to 1,024 bytes save a sixth of the time, a whole row of 3,136 bytes costs more than it saves.</summary>
    private const long PrefetchedBytes = 1024;

    private readonly long _width;
    private float* _values;
    private long _capacity;

    /// <param name="width">The number of values per row.</param>
    /// <param name="expectedRows">The number of rows if it is known; a wrong number costs a reallocation.</param>
    public FloatColumn(int width, long? expectedRows)
    {
        _width = width;
        // Not more rows ahead than take some megabytes: a million slots are 4 MB a row.
        Resize(expectedRows is > 0 and <= int.MaxValue ? expectedRows.Value : Math.Clamp(FirstBytes / sizeof(float) / width, 1, FirstRows));
    }

    ~FloatColumn() => Free();

    public int Width => (int)_width;

    public int Count { get; private set; }

    public Span<float> this[int row] => new(_values + (row * _width), (int)_width);

    /// <summary>Copies some rows into a block.</summary>
    /// <remarks>
    /// By one thread: a thread of .NET beside those of libtorch saved 2 % of a step on quiet cores and cost up to half where others worked.
    /// </remarks>
    /// <param name="rows">The rows to copy.</param>
    /// <param name="block">Where they go.</param>
    /// <param name="first">The place of the first one in the block.</param>
    public void CopyTo(ReadOnlySpan<int> rows, FeatureBlock block, int first)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (i + 1 < rows.Length)
                Prefetch(rows[i + 1]);
            this[rows[i]].CopyTo(block.Row(first + i));
        }
    }

    /// <summary>The next row to be filled; <see cref="Commit"/> keeps it.</summary>
    public Span<float> Next()
    {
        // Realloc remaps the pages of a large block instead of copying its bytes.
        if (Count == _capacity)
            Resize(Math.Min(int.MaxValue, _capacity + (_capacity / 2) + 1));
        return this[Count];
    }

    public void Commit()
    {
        if (Count == int.MaxValue - 1)
            throw new InvalidOperationException(FormattableString.Invariant($"The data has more than {int.MaxValue - 1} rows; set Buffering to Streaming."));
        Count++;
    }

    /// <summary>Releases the surplus of the last growth.</summary>
    public void Trim() => Resize(Math.Max(1, Count));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>The rows of a batch lie anywhere: the processor cannot guess the next one, but follows once it has begun.</summary>
    private void Prefetch(int row)
    {
        if (!Sse.IsSupported)
            return;
        var start = (byte*)(_values + (row * _width));
        var bytes = Math.Min(PrefetchedBytes, _width * sizeof(float));
        for (long at = 0; at < bytes; at += CacheLine)
            Sse.Prefetch0(start + at);
    }

    private void Resize(long rows)
    {
        if (rows == _capacity)
            return;
        var bytes = checked(rows * _width * sizeof(float));
        // The system grants more than it has, and ends the process later.
        if (bytes >= LargeBytes && bytes > MachineMemory.Available)
            throw new OutOfMemoryException();
        _values = (float*)NativeMemory.Realloc(_values, (nuint)bytes);
        HugePages.Advise(_values, bytes);
        _capacity = rows;
    }

    private void Free()
    {
        NativeMemory.Free(_values);
        _values = null;
        _capacity = 0;
    }
}
