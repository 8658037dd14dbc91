using MLExtensions.Heads;
using MLExtensions.Tensors;
using MLExtensions.Training;
using MLExtensions.Training.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Forecasting;

/// <summary>
/// Batches of scaled windows. The labels are <c>[rows, horizon + 1]</c>: the scaled values that follow, and the size of their unit, by
/// which errors become those of the series.
/// </summary>
internal sealed class WindowBatches(IReadOnlyList<WindowPlace> places, ForecastArchitecture architecture, ForecastHead head, BatchSettings settings) : IBatchSource
{
    public long RowCount => places.Count;

    public int BatchCount => settings.CountBatches(RowCount);

    public IEnumerable<Batch> ReadEpoch(int epoch)
    {
        var size = Math.Min(settings.Size, places.Count);
        using var windows = new FeatureBlock(size, architecture.InputCount);
        using var values = new FeatureBlock(size, head.Horizon + 1);
        var order = Order(epoch);
        for (var first = 0; first < order.Length; first += size)
        {
            var count = Math.Min(size, order.Length - first);
            for (var row = 0; row < count; row++)
                Fill(places[order[first + row]], windows.Row(row), values.Row(row));
            yield return CreateBatch(windows, values, count, (double)first / order.Length);
        }
    }

    private void Fill(WindowPlace place, Span<float> window, Span<float> values)
    {
        place.Series.Steps(place.End + 1 - architecture.WindowSize, architecture.WindowSize).CopyTo(window);
        var unit = head.Scale.Apply(window);
        for (var step = 0; step < head.Horizon; step++)
            values[step] = unit.Scale(place.Series.Value(place.End + 1 + step));
        values[head.Horizon] = (float)unit.Size;
    }

    private Batch CreateBatch(FeatureBlock windows, FeatureBlock values, int count, double fraction)
    {
        using var scope = NewDisposeScope();
        return new Batch(count, fraction, ToDevice(windows.Rows(0, count)), ToDevice(values.Rows(0, count)), null, values);
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
