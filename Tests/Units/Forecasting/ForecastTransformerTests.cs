using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using TorchSharp;

namespace MLExtensions.Tests.Forecasting;

/// <summary>The forecasts of a trained model, however they are asked for.</summary>
[TestClass]
public sealed class ForecastTransformerTests
{
    private static readonly SeriesSample[] Rows = SeriesSample.Sine(150);

    [TestMethod]
    public void Forecast_SameAsTheColumn()
    {
        using var model = SeriesSample.Forecaster().Fit(SeriesSample.View(Rows));
        var column = SeriesSample.Forecasts(model.Transform(SeriesSample.View(Rows)));
        Outcome.AssertClose(column[^1], model.Forecast(Rows.Select(row => row.Value)), 1e-5);
        Outcome.AssertClose(column[60], model.Forecast(Rows.Take(61).Select(row => row.Value)), 1e-5);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => model.Forecast([1, 2])).Message, "needs at least 12");
        StringAssert.Contains(Assert.Throws<FormatException>(() => model.Forecast(Enumerable.Repeat(float.NaN, 20))).Message, "history[8] is NaN");
        Assert.AreEqual(3, model.Horizon);
        Assert.AreEqual(3, ((VectorDataViewType)model.GetOutputSchema(SeriesSample.View(Rows).Schema)["Forecast"].Type).Size);
        Assert.AreEqual(12, model.WindowSize);
    }

    /// <summary>1,500 rows: several blocks of different sizes. The rows' other columns stay beside their forecasts.</summary>
    [TestMethod]
    public void Columns_StayTogether()
    {
        var rows = SeriesSample.Sine(1500);
        using var model = SeriesSample.Forecaster(o => o.Epochs = 1).Fit(SeriesSample.View(rows));
        var view = model.Transform(SeriesSample.View(rows));
        Assert.IsFalse(view.CanShuffle);
        CollectionAssert.AreEqual(rows.Select(row => row.Value).ToArray(), view.GetColumn<float>("Value").ToArray());
        var forecasts = SeriesSample.Forecasts(view);
        Assert.HasCount(1500, forecasts);
        foreach (var at in new[] { 11, 31, 32, 159, 160, 671, 672, 1499 })
            Outcome.AssertClose(model.Forecast(rows.Take(at + 1).Select(row => row.Value)), forecasts[at], 1e-5);
        var read = new MLContext().Data.CreateEnumerable<Result>(view, reuseRowObject: false).ToArray();
        Assert.AreEqual(rows[700].Value, read[700].Value);
        Outcome.AssertSameBits(forecasts[700], read[700].Forecast);
        Assert.HasCount(3, view.Preview(maxRows: 3).RowView);
    }

    [TestMethod]
    public void Load_InAFreshProcess_SameForecasts()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = SeriesSample.View(Rows);
        var pipeline = ml.Transforms.CopyColumns("Copy", "Signal").Append(SeriesSample.Forecaster(o =>
        {
            (o.GroupColumnName, o.Scaling) = ("Series", SeriesScaling.Window);
            o.ExtraColumnNames = ["Copy"];
        }));
        var model = pipeline.Fit(data);
        ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        var loaded = (IEnumerable<ITransformer>)new MLContext().Model.Load(folder.File("model.zip"), out _);
        var forecaster = loaded.OfType<LstmForecastingTransformer>().Single();
        Assert.AreEqual(model.LastTransformer.History, forecaster.History);
        Assert.AreEqual(model.LastTransformer.Model.Architecture, forecaster.Model.Architecture);
        ChildProcess.Run(ForecastInChild, folder.Path).AssertSuccess();
        var forecasts = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(folder.File("forecasts.bin"))).ToArray();
        var expected = SeriesSample.Forecasts(model.Transform(data)).SelectMany(forecast => forecast).ToArray();
        Outcome.AssertSameBits(expected.Select(float.IsNaN).Select(Convert.ToSingle).ToArray(), forecasts.Select(float.IsNaN).Select(Convert.ToSingle).ToArray());
        Outcome.AssertClose(expected.Where(float.IsFinite).ToArray(), forecasts.Where(float.IsFinite).ToArray(), 1e-6);
    }

    [TestMethod]
    public void Forecast_LeavesNoTensors()
    {
        using var model = SeriesSample.Forecaster(o => o.Epochs = 1).Fit(SeriesSample.View(Rows));
        model.Forecast(Rows.Select(row => row.Value));
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        model.Forecast(Rows.Select(row => row.Value));
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    /// <summary>No type of this library is touched here: ML.NET finds them through the file.</summary>
    private static void ForecastInChild(string[] args)
    {
        var model = new MLContext().Model.Load(Path.Combine(args[0], "model.zip"), out _);
        var forecasts = SeriesSample.Forecasts(model.Transform(SeriesSample.View(Rows))).SelectMany(forecast => forecast).ToArray();
        File.WriteAllBytes(Path.Combine(args[0], "forecasts.bin"), MemoryMarshal.AsBytes<float>(forecasts).ToArray());
    }

    private sealed class Result
    {
        public float Value { get; set; }

        public float[] Forecast { get; set; } = [];
    }
}
