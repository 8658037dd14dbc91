using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Forecasting;

/// <summary>Bad options and data are refused, by name, before training.</summary>
[TestClass]
public sealed class ForecastBadInputTests
{
    private static readonly SeriesSample[] Rows = SeriesSample.Sine(60);

    [TestMethod]
    public void Columns_AreNamed()
    {
        AssertColumn("Extra column 'Series'", o => o.ExtraColumnNames = ["Series"]);
        AssertColumn("Group column 'Signal'", o => o.GroupColumnName = "Signal");
    }

    [TestMethod]
    public void TooShortSeries_IsNamed()
    {
        var rows = Rows.Concat(SeriesSample.Sine(14, "short")).ToArray();
        var error = Assert.Throws<ArgumentException>(() => SeriesSample.Forecaster(o => (o.GroupColumnName, o.ShortSeriesHandling) = ("Series", ShortSeriesHandling.Throw)).Fit(SeriesSample.View(rows)));
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

    private static void AssertColumn(string message, Action<LstmForecastingEstimator.Options> change)
    {
        var forecaster = SeriesSample.Forecaster(change);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => forecaster.Fit(SeriesSample.View(Rows))).Message, message);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => forecaster.GetOutputSchema(SchemaShape.Create(SeriesSample.View(Rows).Schema))).Message, message);
    }
}
