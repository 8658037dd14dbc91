using System.Text;
using Microsoft.ML.Data;
using Spectre.Console;

namespace MLExtensions.Examples.Digits;

using Text = Spectre.Console.Text; // MLExtensions.Text is nearer

/// <summary>What the digits example prints.</summary>
internal static class DigitsReport
{
    private const string Shades = " ░▒▓█";
    private const float Black = 16;

    /// <summary>Keys were made in the order of the labels, so class 0 is the digit 0.</summary>
    public static void PrintConfusion(ConfusionMatrix matrix)
    {
        var table = new Table().Border(TableBorder.Rounded).Title("Confusion matrix");
        table.AddColumn("actual \\ predicted");
        for (var digit = 0; digit < matrix.NumberOfClasses; digit++)
            table.AddColumn(new TableColumn($"{digit}").RightAligned());
        table.AddColumn(new TableColumn("recall").RightAligned());
        for (var actual = 0; actual < matrix.NumberOfClasses; actual++)
        {
            var counts = matrix.Counts[actual].Select((count, predicted) => Cell(count, isCorrect: predicted == actual));
            table.AddRow([$"{actual}", .. counts, $"{matrix.PerClassRecall[actual]:P1}"]);
        }
        AnsiConsole.Write(table);
    }

    /// <summary>Images side by side, each with what it is and what the model predicts.</summary>
    public static void PrintDigits(IReadOnlyList<(DigitImage Image, DigitPrediction Prediction)> digits)
    {
        var table = new Table().Border(TableBorder.Rounded).Title("Predictions of the loaded model");
        foreach (var (image, _) in digits)
            table.AddColumn($"a {image.Label}");
        table.AddRow(digits.Select(digit => new Text(Draw(digit.Image))));
        table.AddRow(digits.Select(digit => new Text($"{digit.Prediction.PredictedLabel}, {digit.Prediction.Score.Max():P1}")));
        AnsiConsole.Write(table);
    }

    public static void PrintAccuracies(IReadOnlyList<double> accuracies)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("seed").AddColumn(new TableColumn("test accuracy").RightAligned());
        for (var i = 0; i < accuracies.Count; i++)
            table.AddRow($"{i + 1}", $"{accuracies[i]:0.0000}");
        table.AddRow("mean", $"{accuracies.Average():0.0000}");
        AnsiConsole.Write(table);
    }

    private static string Cell(double count, bool isCorrect) => (count, isCorrect) switch
    {
        (0, _) => "[gray]·[/]",
        (_, true) => $"[green]{count}[/]",
        _ => $"[red]{count}[/]",
    };

    private static string Draw(DigitImage image)
    {
        var drawing = new StringBuilder();
        foreach (var row in image.Features.Chunk(DigitImage.Side))
        {
            foreach (var pixel in row)
                drawing.Append(Shades[(int)(pixel / Black * (Shades.Length - 1))], repeatCount: 2);
            drawing.AppendLine();
        }
        return drawing.ToString();
    }
}
