using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Forecast;

/// <summary>Sixty years of monthly sea surface temperatures: an LSTM learns from fifty of them and forecasts the others, a year ahead from each month.</summary>
internal sealed class ForecastExample : IExample
{
    // Units, dropout, learning rate and epochs were chosen on the last three decades of the training years, each forecast by those before it.
    private const int Horizon = ElNinoMonth.MonthsPerYear;
    private const int TrainingYears = 50;
    private const string ModelFile = "forecast.zip";
    private const string PictureFile = "forecasts.png";

    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", "40");
    private static readonly ExampleOption Window = new("window", "N", "Number of months that a forecast looks back, 12 or more.", "24");

    public string Name => "forecast";

    public ExampleHelp Help => new(
        "Trains an LSTM on 50 years of monthly temperatures of the Pacific and compares its forecasts of the next 10 years with seasonal ones.",
        ShippedData.Describe("elnino.csv"),
        "about 15 seconds",
        $"{ModelFile} (the model) and {PictureFile} (the years after training, with forecasts)");

    public IReadOnlyList<ExampleOption> Options => [Epochs, Window, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var output = new OutputFolder(Name);
        var window = arguments.Integer(Window, least: ElNinoMonth.MonthsPerYear);
        var months = ElNinoMonth.Load(mlContext);
        var training = months[..(TrainingYears * ElNinoMonth.MonthsPerYear)];
        var data = mlContext.Data.LoadFromEnumerable(training);
        using var model = mlContext.Forecasting.ForecastByLstm(new LstmForecastingEstimator.Options
        {
            InputColumnName = nameof(ElNinoMonth.Temperature),
            ExtraColumnNames = [nameof(ElNinoMonth.Season)],
            WindowSize = window,
            Horizon = Horizon,
            HiddenUnits = 64,
            Epochs = arguments.Integer(Epochs, least: 1),
            Dropout = 0.5,
            LearningRate = 0.01,
            LearningRateSchedule = LearningRateSchedule.Cosine(),
            GradientClipNorm = 1,
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            Progress = new ConsoleProgress($"LSTM, {training[0].Month} to {training[^1].Month}"),
            CancellationToken = cancellationToken,
        }).Fit(data);
        // A forecast needs the months before it: the last training month is the first with a full window.
        var test = months[(training.Length - window)..];
        var forecasts = model.Transform(mlContext.Data.LoadFromEnumerable(test));
        var metrics = Evaluate(mlContext, forecasts);
        var means = Evaluate(mlContext, MonthlyMeans.Forecast(mlContext, training, test, first: window - 1, Horizon));
        (string Title, ForecastErrors Overall, IReadOnlyList<ForecastErrors> Steps)[] methods =
            [("LSTM", metrics.Overall, metrics.Steps), ("seasonal naive", metrics.Baseline, metrics.BaselineSteps), ("monthly means", means.Overall, means.Steps)];
        Print(methods);
        AnsiConsole.WriteLine($"{metrics.ForecastCount} forecasts from {training[^1].Month} on; after {months[^1].Month}: {string.Join(", ", Forecast(forecasts)[^1].Select(value => $"{value:0.0}"))} °C");
        mlContext.Model.Save(model, data.Schema, output.PathOf(ModelFile));
        ForecastPicture.Save(test, Forecast(forecasts), output.PathOf(PictureFile));
        output.Print((ModelFile, "the model"), (PictureFile, "the years after training, with forecasts"));
        var result = new ResultLine();
        foreach (var (title, overall, steps) in methods)
        {
            result[$"{ResultLine.NameOf(title)}.mae"] = overall.MeanAbsoluteError;
            result[$"{ResultLine.NameOf(title)}.mae-month1"] = steps[0].MeanAbsoluteError;
        }
        if (metrics.Overall.RootMeanSquaredError >= metrics.Baseline.RootMeanSquaredError)
            result.Failure = "The LSTM's forecasts are not better than the year before.";
        return result;
    }

    private static ForecastMetrics Evaluate(MLContext mlContext, IDataView forecasts) =>
        mlContext.Forecasting.EvaluateForecast(forecasts, nameof(ElNinoMonth.Temperature), "Forecast", seasonLength: ElNinoMonth.MonthsPerYear);

    private static float[][] Forecast(IDataView forecasts) => forecasts.GetColumn<float[]>("Forecast").ToArray();

    private static void Print(IReadOnlyList<(string Title, ForecastErrors Overall, IReadOnlyList<ForecastErrors> Steps)> methods)
    {
        int[] steps = [1, 3, 6, Horizon];
        var table = new Table().Border(TableBorder.Rounded).AddColumns("forecast", "MAE", "RMSE", "sMAPE", "MASE");
        foreach (var step in steps)
            table.AddColumn($"MAE {step}");
        foreach (var (title, overall, ofSteps) in methods)
        {
            string[] cells = [title, $"{overall.MeanAbsoluteError:0.000}", $"{overall.RootMeanSquaredError:0.000}", $"{overall.SymmetricMeanAbsolutePercentageError:0.00}", $"{overall.MeanAbsoluteScaledError:0.000}"];
            table.AddRow([.. cells, .. steps.Select(step => $"{ofSteps[step - 1].MeanAbsoluteError:0.000}")]);
        }
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine("MAE and RMSE in °C, sMAPE in %; MAE 1 to 12: that many months ahead. Seasonal naive is the year before, monthly means are those of the training years.");
    }
}
