using Microsoft.ML;
using MLExtensions.Families.Forecasting;

namespace MLExtensions.Tests.Forecasting;

/// <summary>How rows become series, windows and scaled values.</summary>
[TestClass]
public sealed class SeriesTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Rows_AreGatheredBySeries()
    {
        var set = Read([new(1, 10, "a"), new(5, 50, "b"), new(2, 20, "a"), new(3, 30, "a"), new(6, 60, "b")]);
        Assert.HasCount(2, set.Series);
        Assert.AreEqual("a", set.Series[0].Group);
        CollectionAssert.AreEqual(new float[] { 1, 10, 2, 20, 3, 30 }, set.Series[0].Steps(0, 3).ToArray());
        CollectionAssert.AreEqual(new float[] { 6, 60 }, set.Series[1].Steps(1, 1).ToArray());
        Assert.AreEqual(6, set.Series[1].Value(1));
    }

    /// <summary>A training window forecasts the training part alone; a validation window looks back into it.</summary>
    [TestMethod]
    public void Windows_ValidationIsTheEnd()
    {
        var windows = SeriesWindows.Divide(Read(Ramp(20)), windowSize: 4, horizon: 2, validationFraction: 0.25);
        CollectionAssert.AreEqual(Enumerable.Range(3, 10).ToArray(), windows.Training.Select(window => window.End).ToArray());
        CollectionAssert.AreEqual(new[] { 14, 15, 16, 17 }, windows.Validation.Select(window => window.End).ToArray());
        Assert.IsEmpty(SeriesWindows.Divide(Read(Ramp(20)), 4, 2, 0).Validation);
    }

    [TestMethod]
    public void TooShort_NamesTheSeries()
    {
        var rows = Ramp(20).Append(new Step(1, 1, "short")).ToArray();
        var error = Assert.Throws<ArgumentException>(() => SeriesWindows.Divide(Read(rows), 4, 2, 0));
        StringAssert.Contains(error.Message, "'short' has 1 rows");
        StringAssert.Contains(error.Message, "at least 6");
        var aside = Assert.Throws<ArgumentException>(() => SeriesWindows.Divide(Read(Ramp(20)), 4, 3, 0.1));
        StringAssert.Contains(aside.Message, "holds out 2");
        Assert.Throws<ArgumentException>(() => SeriesWindows.Divide(Read([]), 4, 2, 0));
    }

    [TestMethod]
    [DataRow(float.NaN, "NaN")]
    [DataRow(float.PositiveInfinity, "Infinity")]
    public void NotFinite_NamesColumnRowAndValue(float value, string text)
    {
        var error = Assert.Throws<FormatException>(() => Read([new(1, 1, "a"), new(value, 1, "a")]));
        StringAssert.Contains(error.Message, $"'Number', row 1 (the first row is 0): the value is {text}");
        var extra = Assert.Throws<FormatException>(() => Read([new(1, 1, "a"), new(1, value, "a")]));
        StringAssert.Contains(extra.Message, "'Extra', row 1");
        StringAssert.Contains(Assert.Throws<FormatException>(() => Read([new(1, 1, "")])).Message, "'Group', row 0");
    }

    /// <summary>The numbers of the validation part must not be known in training.</summary>
    [TestMethod]
    public void GlobalScale_IsOfTheTrainingPart()
    {
        var set = Read(Ramp(20));
        var scale = SeriesWindows.Divide(set, 4, 2, 0.25).CreateScale(set, SeriesScaling.Global, 4);
        Assert.AreEqual(7, scale.Means[0], 1e-9);
        Assert.AreEqual(Math.Sqrt(((15 * 15) - 1) / 12.0), scale.Deviations[0], 1e-9);
        Assert.AreEqual(70, scale.Means[1], 1e-6);
        float[] window = [7, 70, 8, 70];
        var unit = scale.Apply(window);
        Assert.AreEqual(0, window[0]);
        Assert.AreEqual(0, window[1], 1e-6);
        Assert.AreEqual(8, unit.Restore(window[2]), 1e-5);
    }

    /// <summary>A trend, or series of different levels: each window by itself. A level that stays is seen by the network.</summary>
    [TestMethod]
    public void Scaling_IsChosenByTheLevel()
    {
        Assert.AreEqual(SeriesScaling.Window, Choose(i => i));
        Assert.AreEqual(SeriesScaling.Window, Choose(i => (3 * Math.Sin(i)) + (0.2 * i)));
        Assert.AreEqual(SeriesScaling.Global, Choose(i => 50 + Math.Sin(i)));
        Assert.AreEqual(SeriesScaling.Global, Choose(_ => 7));
        Assert.AreEqual(SeriesScaling.Window, Choose(i => (i < 60 ? 0 : 9) + Math.Sin(i)));
        Assert.AreEqual(SeriesScaling.Global, Choose(i => i, windowSize: 4));

        static SeriesScaling Choose(Func<int, double> value, int windowSize = 12)
        {
            var set = Read([.. Enumerable.Range(0, 120).Select(i => new Step((float)value(i), 0, "a"))]);
            return SeriesWindows.Divide(set, windowSize, 2, 0).ChooseScaling(set.Width, windowSize);
        }
    }

    [TestMethod]
    public void WindowScale_IsTheWindowsOwn()
    {
        var scale = new SeriesScale(SeriesScaling.Window, [0, 1], [10, 2]);
        float[] window = [100, 3, 104, 5];
        var unit = scale.Apply(window);
        CollectionAssert.AreEqual(new float[] { -1, 1, 1, 2 }, window);
        Assert.AreEqual(102, unit.Center);
        Assert.AreEqual(2, unit.Size);
        float[] flat = [5, 1, 5, 1];
        Assert.AreEqual(0.01, scale.Apply(flat).Size, 1e-9);
        Assert.AreEqual(0, flat[2]);
    }

    [TestMethod]
    public void History_KeepsTheLastSteps()
    {
        var history = new SeriesHistory(3, 2);
        var window = new float[6];
        for (var i = 0; i < 5; i++)
        {
            Assert.AreEqual(i >= 3, history.IsFull);
            history.Add([i, 10 * i]);
        }
        history.CopyTo(window);
        CollectionAssert.AreEqual(new float[] { 2, 20, 3, 30, 4, 40 }, window);
    }

    private static Step[] Ramp(int length) => Enumerable.Range(0, length).Select(i => new Step(i, 10 * i, "a")).ToArray();

    private static SeriesSet Read(Step[] rows) =>
        SeriesSet.Read(Ml.Data.LoadFromEnumerable(rows), new SeriesColumnNames(nameof(Step.Number), [nameof(Step.Extra)], nameof(Step.Group)), () => { });

    private sealed record Step(float Number, float Extra, string Group);
}
