using MLExtensions.Examples.Infrastructure;
using ScottPlot;

namespace MLExtensions.Examples.Forecast;

/// <summary>Draws the last years with the forecasts that were made at each year's end.</summary>
internal static class ForecastPicture
{
    private const int Width = 1200;
    private const int Height = 500;

    /// <param name="months">The months.</param>
    /// <param name="forecasts">The forecast of each month; NaN where there is none.</param>
    /// <param name="path">The PNG.</param>
    public static void Save(ElNinoMonth[] months, float[][] forecasts, string path)
    {
        var plot = new Plot();
        PictureStyle.Apply(plot, "Sea surface temperature, Niño 1+2 (°C), forecast for a year at the end of each December");
        Add(plot, months.Select(month => month.Date), months.Select(month => (double)month.Temperature), Colors.Black, LinePattern.Solid, "measured");
        var isFirst = true;
        for (var i = ElNinoMonth.MonthsPerYear; i < months.Length; i++)
        {
            if (months[i].MonthOfYear != ElNinoMonth.MonthsPerYear || float.IsNaN(forecasts[i][0]))
                continue;
            var dates = Enumerable.Range(1, forecasts[i].Length).Select(step => months[i].Date.AddMonths(step)).ToArray();
            var yearBefore = Enumerable.Range(i + 1 - forecasts[i].Length, forecasts[i].Length).Select(at => (double)months[at].Temperature);
            Add(plot, dates, yearBefore, Colors.Gray, LinePattern.Dotted, isFirst ? "the year before" : "");
            Add(plot, dates, forecasts[i].Select(value => (double)value), Colors.OrangeRed, LinePattern.Solid, isFirst ? "LSTM" : "");
            isFirst = false;
        }
        plot.Axes.DateTimeTicksBottom();
        plot.ShowLegend(Alignment.UpperRight, Orientation.Horizontal);
        plot.SavePng(path, Width, Height);
    }

    private static void Add(Plot plot, IEnumerable<DateTime> dates, IEnumerable<double> values, Color color, LinePattern pattern, string title)
    {
        var line = plot.Add.ScatterLine(dates.Select(date => date.ToOADate()).ToArray(), values.ToArray(), color);
        line.LinePattern = pattern;
        line.LineWidth = 2;
        line.LegendText = title;
    }
}
