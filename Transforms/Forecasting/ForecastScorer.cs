using MLExtensions.Heads;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Forecasting;

/// <summary>Forecasts from the windows of <see cref="WindowDataView"/>, on the series' own scale; NaN where there is no full window.</summary>
internal sealed class ForecastScorer(NetworkModelParameters model) : IBlockScorer
{
    private readonly SeriesScale _scale = ((ForecastHead)model.Head).Scale;
    private readonly IBlockScorer _network = model;

    /// <summary>Whether there is a full window, and the window's values.</summary>
    public FeatureFormat Format { get; } = new DenseFormat(1 + model.Format.Width);

    public int OutputCount => _network.OutputCount;

    public void Score(Tensor features, Span<float> scores)
    {
        using var scope = NewDisposeScope();
        var rows = (int)features.shape[0];
        var source = TensorMemory.Floats(features);
        var windows = zeros(rows, _network.Format.Width);
        var scaled = TensorMemory.Floats(windows);
        var units = new WindowUnit?[rows];
        for (var row = 0; row < rows; row++)
        {
            var raw = source.Slice(row * Format.Width, Format.Width);
            if (raw[0] == 0)
                continue;
            var window = scaled.Slice(row * _network.Format.Width, _network.Format.Width);
            raw[1..].CopyTo(window);
            units[row] = _scale.Apply(window);
        }
        _network.Score(windows, scores);
        for (var i = 0; i < rows * OutputCount; i++)
            scores[i] = units[i / OutputCount] is { } unit ? unit.Restore(scores[i]) : float.NaN;
    }
}
