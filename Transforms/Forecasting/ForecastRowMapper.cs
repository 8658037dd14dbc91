using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;

namespace MLExtensions.Forecasting;

/// <summary>Maps the column of windows to that of forecasts.</summary>
internal sealed class ForecastRowMapper(LstmForecastTransformer transformer, DataViewSchema.Column windows) : IRowMapper
{
    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => column == windows.Index && activeOutput(0);

    public DataViewSchema.DetachedColumn[] GetOutputColumns() =>
        [new DataViewSchema.DetachedColumn(transformer.OutputColumnName, transformer.Model.Head.ScoreType)];

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action? disposer)
    {
        disposer = null;
        if (!activeOutput(0))
            return [null!];
        var forecasts = ScoreSource.Create(input, input.Schema[windows.Index], new ForecastScorer(transformer.Model));
        disposer = forecasts.Dispose;
        return [transformer.Model.Head.CreateGetter(0, forecasts)];
    }

    public ITransformer GetTransformer() => transformer;

    public void Save(ModelSaveContext ctx) => ((ICanSaveModel)transformer).Save(ctx);
}
