using MLExtensions.Examples.Digits;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>
/// scikit-learn's example of restricted Boltzmann machines: a linear classifier on the hidden units of a machine that never saw a
/// label, against the same classifier on the pixels.
/// </summary>
internal sealed class RbmDigitsExample : IExample
{
    private const double LeastAccuracy = 0.935;
    private const string FiltersFile = "filters.png";
    private const string HistoryFile = "history.png";

    private static readonly ExampleOption Seeds = new("seeds", "N", "train N times, with seeds 1 to N, and print the means (default 1)", "1");

    public string Name => "rbm-digits";

    public string Summary => "8,985 digits (shipped, and moved by a pixel): a restricted Boltzmann machine's features against pixels";

    public IReadOnlyList<ExampleOption> Options => [Seeds];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
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
                training.Machine.SaveFiltersPng(output.PathOf(FiltersFile), DigitImage.Side, DigitImage.Side);
                training.Machine.Histories[0].SavePng(output.PathOf(HistoryFile));
            }
            training.Machine.Dispose();
        }
        Print(trainings);
        output.Print(
            (FiltersFile, "what the hidden units look for: white for ink, black for none, grey for either"),
            (HistoryFile, "how the machine's training went, epoch by epoch"));
        return trainings.Average(training => training.HiddenAccuracy) >= LeastAccuracy ? 0 : 1;
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
