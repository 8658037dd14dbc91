using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Forecasting;

/// <summary>Bad options and data are refused, by name, before training.</summary>
[TestClass]
public sealed class ForecastBadInputTests
{
    private static readonly SeriesSample[] Rows = SeriesSample.Sine(60);

    [TestMethod]
    public void Options_AreCheckedAtOnce()
    {
        AssertOption("WindowSize is 0", o => o.WindowSize = 0);
        AssertOption("Horizon is -1", o => o.Horizon = -1);
        AssertOption("InputColumnName is empty", o => o.InputColumnName = "");
        AssertOption("ExtraColumnNames[1] is empty", o => o.ExtraColumnNames = ["Signal", " "]);
        AssertOption("NumberOfLayers is 0", o => o.NumberOfLayers = 0);
        AssertOption("HiddenUnits is 0", o => o.HiddenUnits = 0);
        AssertOption("Dropout is 1", o => o.Dropout = 1);
        AssertOption("Cell is 7", o => o.Cell = (RecurrentCell)7);
        AssertOption("Epochs is 0", o => o.Epochs = 0);
        AssertOption("Buffering is Streaming", o => o.Buffering = Buffering.Streaming);
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new MLContext().Forecasting.ForecastByLstm("Forecast", "Value", 0, 3)).Message, "WindowSize is 0");
    }

    [TestMethod]
    public void EarlyStopping_NeedsValidationData()
    {
        var error = Assert.Throws<ArgumentException>(() => SeriesSample.Forecaster(o => o.EarlyStopping = new EarlyStopping()).Fit(SeriesSample.View(Rows)));
        StringAssert.Contains(error.Message, "set ValidationFraction");
        using var model = SeriesSample.Forecaster(o => (o.Epochs, o.EarlyStopping) = (2, new EarlyStopping())).Fit(SeriesSample.View(Rows), SeriesSample.View(Rows));
        Assert.IsNotNull(model.History.Epochs[^1].ValidationLoss);
    }

    [TestMethod]
    public void Columns_AreNamed()
    {
        AssertColumn("Value column 'Sale' is not in the data; the columns are Value", o => o.InputColumnName = "Sale");
        AssertColumn("Value column 'Series'", o => o.InputColumnName = "Series");
        AssertColumn("Extra column 'Series'", o => o.ExtraColumnNames = ["Series"]);
        AssertColumn("Group column 'Signal'", o => o.GroupColumnName = "Signal");
    }

    [TestMethod]
    public void Values_AreNamed()
    {
        var rows = SeriesSample.Sine(60);
        rows[40].Value = float.NaN;
        StringAssert.Contains(Assert.Throws<FormatException>(() => SeriesSample.Forecaster().Fit(SeriesSample.View(rows))).Message, "'Value', row 40: the value is NaN");
        using var model = SeriesSample.Forecaster(o => o.Epochs = 1).Fit(SeriesSample.View(Rows));
        var error = Assert.Throws<Exception>(() => SeriesSample.Forecasts(model.Transform(SeriesSample.View(rows))));
        StringAssert.Contains(Outcome.Messages(error), "'Value', row 40: the value is NaN");
    }

    [TestMethod]
    public void TooShortSeries_IsNamed()
    {
        var rows = Rows.Concat(SeriesSample.Sine(14, "short")).ToArray();
        var error = Assert.Throws<ArgumentException>(() => SeriesSample.Forecaster(o => o.GroupColumnName = "Series").Fit(SeriesSample.View(rows)));
        StringAssert.Contains(error.Message, "'short' has 14 rows");
        StringAssert.Contains(error.Message, "at least 15");
    }

    [TestMethod]
    public void OtherExtraColumns_AreRefusedInScoring()
    {
        var ml = new MLContext(1);
        var pair = ml.Transforms.Concatenate("Extra", "Signal", "Signal").Fit(SeriesSample.View(Rows)).Transform(SeriesSample.View(Rows));
        using var model = SeriesSample.Forecaster(o => (o.ExtraColumnNames, o.Epochs) = (["Extra"], 1)).Fit(pair);
        var single = ml.Transforms.CopyColumns("Extra", "Signal").Fit(SeriesSample.View(Rows)).Transform(SeriesSample.View(Rows));
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => model.Transform(single)).Message, "Extra have 1 values; the model was trained on 2");
        Assert.Throws<InvalidOperationException>(() => model.Forecast(new float[20]));
    }

    [TestMethod]
    public void Cancel_StopsTraining()
    {
        using var source = new CancellationTokenSource();
        var forecaster = SeriesSample.Forecaster(o => (o.Epochs, o.CancellationToken, o.Progress) = (100_000, source.Token, new Listener(progress =>
        {
            if (progress.Epoch == 2)
                source.Cancel();
        })));
        Assert.Throws<OperationCanceledException>(() => forecaster.Fit(SeriesSample.View(Rows)));
    }

    private static void AssertOption(string message, Action<LstmForecastingEstimator.Options> change) =>
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => SeriesSample.Forecaster(change)).Message, message);

    private static void AssertColumn(string message, Action<LstmForecastingEstimator.Options> change)
    {
        var forecaster = SeriesSample.Forecaster(change);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => forecaster.Fit(SeriesSample.View(Rows))).Message, message);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => forecaster.GetOutputSchema(SchemaShape.Create(SeriesSample.View(Rows).Schema))).Message, message);
    }
}
