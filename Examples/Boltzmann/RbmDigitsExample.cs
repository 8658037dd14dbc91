using MLExtensions.Examples.Digits;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>
/// scikit-learn's example of restricted Boltzmann machines: a linear classifier on the hidden units of an RBM that never saw a
/// label, compared with the same classifier on the pixels.
/// </summary>
internal sealed class RbmDigitsExample : IExample
{
    private const double LeastAccuracy = 0.935;
    private const string FiltersFile = "filters.png";
    private const string HistoryFile = "history.png";

    private static readonly ExampleOption Seeds = new("seeds", "N", "Number of trainings, with seeds 1 to N. The figures are their means.", "1");

    public string Name => "rbm-digits";

    public ExampleHelp Help => new(
        "Compares a linear classifier on the features of a restricted Boltzmann machine (RBM) with one on pixels, for digits moved by a pixel.",
        ShippedData.Describe("digits.csv"),
        "about 20 seconds for each seed",
        $"{FiltersFile} and {HistoryFile} of seed 1");

    public IReadOnlyList<ExampleOption> Options => [Seeds];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seedCount = arguments.Integer(Seeds, least: 1);
        var output = new OutputFolder(Name);
        var trainings = new List<RbmDigitsTraining>();
        for (var seed = 1; seed <= seedCount; seed++)
        {
            var training = RbmDigitsTraining.Run(seed, cancellationToken);
            trainings.Add(training);
            if (seed == 1)
            {
                training.Rbm.SaveFiltersPng(output.PathOf(FiltersFile), DigitImage.Side, DigitImage.Side);
                training.Rbm.Histories[0].SavePng(output.PathOf(HistoryFile));
            }
            training.Rbm.Dispose();
        }
        Print(trainings);
        output.Print(
            (FiltersFile, "what the hidden units look for: white for ink, black for none, gray for either"),
            (HistoryFile, "the training curves of the RBM"));
        var accuracy = trainings.Average(training => training.HiddenAccuracy);
        return new ResultLine
        {
            ["rbm.accuracy"] = accuracy,
            ["rbm.accuracy-least"] = trainings.Min(training => training.HiddenAccuracy),
            ["rbm.accuracy-most"] = trainings.Max(training => training.HiddenAccuracy),
            ["pixels.accuracy"] = trainings.Average(training => training.PixelAccuracy),
            ["rbm.pseudo-log-likelihood"] = trainings.Average(training => training.PseudoLogLikelihood),
            ["rbm.seconds"] = Math.Round(trainings.Average(training => training.Seconds), 1),
            Failure = accuracy < LeastAccuracy ? $"The accuracy on hidden units is below {LeastAccuracy}." : null,
        };
    }

    private static void Print(IReadOnlyList<RbmDigitsTraining> trainings)
    {
        var table = new Table().Border(TableBorder.Rounded).Title("Logistic regression")
            .AddColumns("seed", "accuracy on hidden units", "on pixels", "pseudo-log-likelihood", "seconds");
        for (var i = 0; i < trainings.Count; i++)
            AddRow($"{i + 1}", [trainings[i]]);
        if (trainings.Count > 1)
            AddRow("mean", trainings);
        AnsiConsole.Write(table);

        void AddRow(string name, IReadOnlyList<RbmDigitsTraining> rows) => table.AddRow(
            name,
            $"{rows.Average(row => row.HiddenAccuracy):0.0000}",
            $"{rows.Average(row => row.PixelAccuracy):0.0000}",
            $"{rows.Average(row => row.PseudoLogLikelihood):0.00}",
            $"{rows.Average(row => row.Seconds):0.0}");
    }
}
