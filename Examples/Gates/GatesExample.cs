using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Gates;

/// <summary>Why hidden layers: problems that no straight line solves.</summary>
internal sealed class GatesExample : IExample
{
    private const int TrainingPoints = 6_000;
    private const int TestPoints = 20_000;
    private const double LeastStarAccuracy = 0.98;
    private const string PictureFile = "star.png";
    private const string LossFile = "star-loss.png";

    public string Name => "gates";

    public ExampleHelp Help => new(
        "Compares a network with logistic regression on the gates AND, OR, NOT and XOR and on a six-pointed star.",
        "none; the points are drawn at random",
        "about 5 seconds",
        $"{PictureFile} (where each model sees the star) and {LossFile}");

    public IReadOnlyList<ExampleOption> Options => [ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var result = new ResultLine();
        LearnGates(mlContext, result, cancellationToken);
        LearnStar(mlContext, seed, result, cancellationToken);
        if (result["gates.network.accuracy"] < 1)
            result.Failure = "The network did not learn every gate.";
        else if (result["star.network.accuracy"] < LeastStarAccuracy)
            result.Failure = $"The network's accuracy on the star is below {LeastStarAccuracy}.";
        return result;
    }

    /// <summary>Four rows, memorized. Logistic regression fails at XOR: no line has (0,0) and (1,1) on one side only.</summary>
    private static void LearnGates(MLContext mlContext, ResultLine result, CancellationToken cancellationToken)
    {
        var network = mlContext.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            HiddenLayers = [8],
            Activation = Activation.Tanh,
            LearningRate = 0.05,
            BatchSize = 4,
            Epochs = 300,
            CancellationToken = cancellationToken,
        });
        var linear = mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression(l1Regularization: 0, l2Regularization: 0.01f);

        var table = new Table().Border(TableBorder.Rounded).Title("Truth tables").AddColumns("gate", "inputs", "output", "network", "logistic regression");
        var (rowsInAll, rightOfNetwork, rightOfLinear) = (0, 0, 0);
        foreach (var gate in Gate.All)
        {
            var truthTable = gate.LoadTruthTable(mlContext);
            var ofNetwork = ProbabilitiesOf(network.Fit(truthTable), truthTable);
            var ofLinear = ProbabilitiesOf(linear.Fit(truthTable), truthTable);
            var rows = gate.TruthTable();
            for (var i = 0; i < rows.Count; i++)
            {
                table.AddRow(i == 0 ? gate.Name : "", string.Join(' ', rows[i].Features), rows[i].Label ? "1" : "0", Cell(ofNetwork[i], rows[i].Label), Cell(ofLinear[i], rows[i].Label));
                rowsInAll++;
                rightOfNetwork += IsRight(ofNetwork[i], rows[i].Label) ? 1 : 0;
                rightOfLinear += IsRight(ofLinear[i], rows[i].Label) ? 1 : 0;
            }
            table.AddEmptyRow();
        }
        AnsiConsole.Write(table);
        result["gates.network.accuracy"] = (double)rightOfNetwork / rowsInAll;
        result["gates.logistic-regression.accuracy"] = (double)rightOfLinear / rowsInAll;
    }

    /// <summary>
    /// Six lines bound the star. A first hidden layer can learn on which side of lines a point lies, a second one which
    /// sides together make a corner of the star, and the output that any of these corners will do.
    /// </summary>
    private void LearnStar(MLContext mlContext, int seed, ResultLine result, CancellationToken cancellationToken)
    {
        var trainSet = mlContext.Data.LoadFromEnumerable(Star.Sample(TrainingPoints, seed).ToList());
        var testSet = mlContext.Data.LoadFromEnumerable(Star.Sample(TestPoints, seed + 1).ToList());

        var network = mlContext.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        {
            HiddenLayers = [32, 32],
            Activation = Activation.Tanh,
            LearningRate = 0.01,
            LearningRateSchedule = LearningRateSchedule.Cosine(),
            Epochs = 60,
            Progress = new ConsoleProgress("Training on the star"),
            CancellationToken = cancellationToken,
        }).Fit(trainSet);
        var linear = mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(trainSet);

        var ofNetwork = mlContext.BinaryClassification.Evaluate(network.Transform(testSet));
        var ofLinear = mlContext.BinaryClassification.Evaluate(linear.Transform(testSet));
        AnsiConsole.Write(new Table().Border(TableBorder.Rounded).Title("Six-pointed star").AddColumns("", "test accuracy", "AUC")
            .AddRow("network, 2-32-32-1", $"{ofNetwork.Accuracy:0.0000}", $"{ofNetwork.AreaUnderRocCurve:0.0000}")
            .AddRow("logistic regression", $"{ofLinear.Accuracy:0.0000}", $"{ofLinear.AreaUnderRocCurve:0.0000}"));

        var output = new OutputFolder(Name);
        DecisionRegionPlot.SavePng(mlContext, output.PathOf(PictureFile), ("Network", network), ("Logistic regression", linear));
        network.History.SavePng(output.PathOf(LossFile));
        output.Print((PictureFile, "where each model sees the star"), (LossFile, "the training curves"));
        result["star.network.accuracy"] = ofNetwork.Accuracy;
        result["star.logistic-regression.accuracy"] = ofLinear.Accuracy;
    }

    private static float[] ProbabilitiesOf(ITransformer model, IDataView data) => [.. model.Transform(data).GetColumn<float>("Probability")];

    private static string Cell(float probability, bool expected) => $"[{(IsRight(probability, expected) ? "green" : "red")}]{probability:0.00}[/]";

    private static bool IsRight(float probability, bool expected) => probability >= 0.5f == expected;
}
