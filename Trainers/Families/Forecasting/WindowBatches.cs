using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Forecasting;

/// <summary>Batches of scaled windows.</summary>
/// <param name="places">The positions of the windows.</param>
/// <param name="architecture">The network's architecture.</param>
/// <param name="head">How series are scaled.</param>
/// <param name="settings">How windows become batches.</param>
/// <param name="checksum">The checksum of the series, or null.</param>
internal sealed class WindowBatches(IReadOnlyList<WindowPlace> places, ForecastArchitecture architecture, ForecastHead head, BatchSettings settings, string? checksum) : IBatchSource<WindowBatch>
{
    public long RowCount => places.Count;

    public int BatchCount => settings.CountBatches(RowCount);

    public long LeftOut => settings.LeftOut(RowCount);

    public Share Share => settings.Share;

    public string? Checksum => checksum;

    public IEnumerable<WindowBatch> ReadEpoch(int epoch)
    {
        var size = Math.Min(settings.Size, places.Count);
        using var windows = new FeatureBlock(size, architecture.InputCount);
        using var values = new FeatureBlock(size, head.Horizon);
        var units = new float[size];
        var order = Order(epoch);
        for (var first = 0; settings.NextBatch(order.Length - first) is > 0 and var all; first += all)
        {
            var own = settings.Share.Of(order.AsSpan(first, all));
            var count = own.Length;
            for (var row = 0; row < count; row++)
                units[row] = Fill(places[own[row]], windows.Row(row), values.Row(row));
            using var scope = NewDisposeScope();
            yield return new WindowBatch(count, (double)first / order.Length, ToDevice(windows.Rows(0, count)), ToDevice(values.Rows(0, count)), values, units);
        }
    }

    /// <returns>The scale of the series.</returns>
    private float Fill(WindowPlace place, Span<float> window, Span<float> values)
    {
        place.Series.Steps(place.End + 1 - architecture.WindowSize, architecture.WindowSize).CopyTo(window);
        var unit = head.Scale.Apply(window);
        for (var step = 0; step < head.Horizon; step++)
            values[step] = unit.Scale(place.Series.Value(place.End + 1 + step));
        return (float)unit.Size;
    }

    private Tensor ToDevice(Tensor tensor) => tensor.to(settings.Device).DetachFromDisposeScope();

    private int[] Order(int epoch)
    {
        var order = Enumerable.Range(0, places.Count).ToArray();
        if (settings.Shuffle)
            new SplitMix64(SeedSequence.Derive(settings.Seed, SeedSequence.Shuffle, epoch)).Shuffle(order);
        return order;
    }
}

/// <summary>Scaled windows of series, and the values that follow.</summary>
/// <param name="rowCount">The number of windows.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch, in [0, 1).</param>
/// <param name="windows"><c>[windows, width]</c>, float32, on the training device.</param>
/// <param name="values"><c>[windows, horizon]</c>, float32, on the training device.</param>
/// <param name="valueBlock">The values in host memory.</param>
/// <param name="units">The scale of each window.</param>
internal sealed class WindowBatch(int rowCount, double epochFraction, Tensor windows, Tensor values, FeatureBlock valueBlock, float[] units) : Batch(rowCount, epochFraction)
{
    /// <summary><c>[windows, width]</c>, float32.</summary>
    public Tensor Windows => windows;

    /// <summary>The scaled values that follow, <c>[windows, horizon]</c>, float32.</summary>
    public Tensor Values => values;

    public int Horizon => valueBlock.Width;

    /// <summary>The scaled values that follow a window, for managed code.</summary>
    public ReadOnlySpan<float> ValuesOf(int row) => valueBlock.Row(row);

    /// <summary>The factor that converts the errors of a window to the unit of its series.</summary>
    public float UnitOf(int row) => units[row];

    public override void Dispose()
    {
        windows.Dispose();
        values.Dispose();
    }
}
