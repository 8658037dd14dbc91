using MLExtensions.Examples.Infrastructure;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace MLExtensions.Examples.RnnMemory;

/// <summary>Draws the validation error of several networks on a logarithmic scale, with the error of always predicting the mean.</summary>
internal static class LearningPicture
{
    private const int Width = 900;
    private const int Height = 500;
    private const int LeastPower = -5;

    public static void Save(IReadOnlyList<(string Title, TrainingHistory History)> trainings, string path)
    {
        var plot = new Plot();
        PictureStyle.Apply(plot, "Adding problem: squared error on validation sequences");
        plot.XLabel("epoch");
        foreach (var (title, history) in trainings)
        {
            var errors = history.Epochs.Select(epoch => Math.Log10(Math.Pow(epoch.Validation["rmse"], 2)));
            var line = plot.Add.Scatter(history.Epochs.Select(epoch => (double)epoch.Epoch).ToArray(), errors.ToArray());
            line.LineWidth = 2;
            line.LegendText = title;
        }
        var baseline = plot.Add.HorizontalLine(Math.Log10(AddingProblem.Baseline), color: Colors.Gray, pattern: LinePattern.Dotted);
        baseline.LegendText = "always the mean";
        var powers = Enumerable.Range(LeastPower, 1 - LeastPower).ToArray();
        plot.Axes.Left.SetTicks(powers.Select(power => (double)power).ToArray(), powers.Select(power => power == 0 ? "1" : $"1e{power}").ToArray());
        plot.Axes.SetLimitsY(LeastPower, 0);
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };
        plot.ShowLegend(Alignment.LowerLeft);
        plot.SavePng(path, Width, Height);
    }
}
