using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Forecasting;
using MLExtensions.Scoring;
using static TorchSharp.torch;

namespace MLExtensions.Heads;

/// <summary>The next values of a series. Windows are scaled before the network, and forecasts back behind it, by what is in here.</summary>
internal sealed record ForecastHead(int Horizon, SeriesScale Scale) : PredictionHead
{
    internal override int OutputCount => Horizon;

    internal override PredictionKind Kind => PredictionKind.Custom;

    internal override DataViewType ScoreType => new VectorDataViewType(NumberDataViewType.Single, Horizon);

    /// <summary>How far back the forecasts must be scaled depends on their windows: see <see cref="ForecastScorer"/>.</summary>
    public override Tensor Activate(Tensor outputs) => outputs;

    public override DataViewSchema CreateOutputSchema()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(DefaultColumnNames.Score, ScoreType);
        return builder.ToSchema();
    }

    public override Delegate CreateGetter(int column, ScoreSource scores) => VectorGetter(scores);

    public override void Check()
    {
        if (Horizon < 1)
            throw new FormatException($"horizon is {Horizon}; it must be at least 1.");
        Scale.Check();
    }
}
