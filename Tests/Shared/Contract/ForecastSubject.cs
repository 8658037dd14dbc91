using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>A forecaster of the next row's target, which is on the other side of 100 than the row's own.</summary>
internal sealed class ForecastSubject() : TrainingSubject("Forecast")
{
    private const string Forecast = nameof(Forecast);

    public override string InputColumn => nameof(Example.Target);

    public override bool ReadsVectors => false;

    public override bool RowsAreExamples => false;

    public override bool MapsRows => false;

    /// <summary>It forecasts the column that it reads.</summary>
    public override bool TakesOneFeature => false;

    public override bool TakesAnyLength => true;

    public override bool TakesStreaming => false;

    /// <summary>A window of one, and what follows it.</summary>
    public override int MinimumRows => 2;

    public override string[] OutputColumns => [Forecast];

    public override string[] ValueColumns => OutputColumns;

    public override string[] TrainingMetrics => ["loss", "mae", "rmse"];

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("InputColumnName", "empty", o => Of(o).InputColumnName = ""),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = " "),
        ("GroupColumnName", "empty", o => Of(o).GroupColumnName = " "),
        ("ExtraColumnNames[1]", "empty", o => Of(o).ExtraColumnNames = ["Weight", " "]),
        ("WindowSize", "0", o => Of(o).WindowSize = 0),
        ("Horizon", "-1", o => Of(o).Horizon = -1),
        ("NumberOfLayers", "0", o => Of(o).NumberOfLayers = 0),
        ("HiddenUnits", "0", o => Of(o).HiddenUnits = 0),
        ("Dropout", "1", o => Of(o).Dropout = 1),
        ("Cell", "7", o => Of(o).Cell = (RecurrentCell)7),
        ("Scaling", "7", o => Of(o).Scaling = (SeriesScaling)7),
        ("TimeColumnName", "empty", o => Of(o).TimeColumnName = " "),
        ("TimeGapHandling", "7", o => Of(o).TimeGapHandling = (TimeGapHandling)7),
        ("ShortSeriesHandling", "7", o => Of(o).ShortSeriesHandling = (ShortSeriesHandling)7),
        ("Loss", "7", o => Of(o).Loss = (ForecastLoss)7),
        ("Buffering", "Streaming", o => o.Buffering = Buffering.Streaming),
    ];

    /// <summary>The targets are one series.</summary>
    public override Example[] Rows(int count, int seed = 1, int? width = null)
    {
        var rows = base.Rows(count, seed, width);
        var random = new Random(TestSeed.Of(seed));
        var value = 1.0;
        foreach (var row in rows)
        {
            row.Target = (float)(100 + (20 * value));
            value = -Math.Sign(value) * (0.75 + (0.5 * random.NextDouble()));
        }
        return rows;
    }

    public override Example Spoil(Example row, int slot, float value)
    {
        var copy = row.Copy();
        copy.Target = value;
        return copy;
    }

    public override string PlaceOf(int row, int slot) => $"'{InputColumn}', row {row} (the first row is 0)";

    public override Example MakeEqual(Example row) => Spoil(row, 0, Feature);

    public override (Example First, Example Second) Exchange(Example first, Example second) => (Spoil(first, 0, second.Target), Spoil(second, 0, first.Target));

    public override (IDataView Train, IDataView Test) Split(MLContext ml, IDataView data)
    {
        var count = data.GetRowCount()!.Value;
        return (ml.Data.TakeRows(data, count * 4 / 5), ml.Data.SkipRows(data, count * 4 / 5));
    }

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).HiddenUnits = 7;
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).InputColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) => SetFeatureColumn(options, column);

    /// <summary>Series are held in memory.</summary>
    public override void SetShuffleBuffer(DataTrainingOptions options, int rows)
    {
    }

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.Forecasting.ForecastByLstm(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((LstmForecastingEstimator)estimator).Fit(train, validation));

    public override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.NormalizeMeanVariance(nameof(Example.Target));

    /// <summary>The share of the next values' variance that is forecast.</summary>
    public override double Quality(MLContext ml, IDataView scored)
    {
        var values = scored.GetColumn<float>(nameof(Example.Target)).Skip(1).ToArray();
        var mean = values.Average();
        return 1 - (Outcome.Values(scored, Forecast).Zip(values, (forecast, value) => Math.Pow(value - forecast, 2)).Sum() / values.Sum(value => Math.Pow(value - mean, 2)));
    }

    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored)
    {
        var values = scored.GetColumn<float>(nameof(Example.Target)).Skip(1).ToArray();
        var errors = Outcome.Values(scored, Forecast).Zip(values, (forecast, value) => (double)Math.Abs(value - forecast)).ToArray();
        return [("mae", errors.Average(), 1e-4), ("rmse", Math.Sqrt(errors.Average(error => error * error)), 1e-4)];
    }

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        throw new NotSupportedException("A prediction engine sees single rows, and a forecast looks back.");

    /// <summary>Adadelta's first steps are a thousandth of it.</summary>
    public override double? RateOf(Optimizer optimizer) => optimizer is AdadeltaOptimizer ? 10 : null;

    /// <summary>A window of one value: every row has a forecast.</summary>
    protected override DataTrainingOptions CreateOptions() => new LstmForecastingEstimator.Options
    {
        WindowSize = 1,
        Horizon = 1,
        HiddenUnits = 8,
        Epochs = 15,
        BatchSize = 16,
        LearningRate = 0.02,
    };

    protected override void AddNoise(DataTrainingOptions options)
    {
        Of(options).NumberOfLayers = 2;
        Of(options).Dropout = 0.1;
    }

    protected override void SetColumns(DataTrainingOptions options) => (Of(options).InputColumnName, Of(options).OutputColumnName) = (nameof(Example.Target), Forecast);

    private static LstmForecastingEstimator.Options Of(DataTrainingOptions options) => (LstmForecastingEstimator.Options)options;
}
