using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Gan;

/// <summary>Generative adversarial networks on MNIST, judged by a classifier of real digits.</summary>
/// <param name="name">The command.</param>
/// <param name="summary">What it does, in one sentence.</param>
/// <param name="duration">About how long it takes.</param>
/// <param name="epochs">The number of epochs unless another one is given.</param>
/// <param name="create">Creates the estimator for a number of epochs.</param>
internal sealed class MnistGanExample(string name, string summary, string duration, int epochs, Func<MnistGanExample.Settings, GanOptions> create) : IExample
{
    private const int Judged = 10_000;
    private const int Nearest = 500;
    private const string Label = "Label";
    private const string Noise = "Noise";

    private readonly ExampleOption _epochs = new("epochs", "N", "Number of passes over the training data.", $"{epochs}");
    private static readonly ExampleOption TrainedOn = new("train-on", "N", "Number of generated digits that a classifier is trained on; 0 for none. Only where digits can be asked for.", "60000");

    /// <summary>The dense networks of the first paper, without labels.</summary>
    public static MnistGanExample Plain { get; } = new(
        "gan-mnist",
        "Trains the dense generative adversarial network of the first paper on MNIST, without labels.",
        "about 20 minutes of one core, and 10 more for the judge the first time",
        epochs: 30,
        settings => new GanEstimator.Options { Networks = GanPresets.Goodfellow(), Epochs = settings.Epochs, LearningRate = 2e-4, EmaDecay = 0.995 });

    /// <summary>Convolutions, and digits that can be asked for.</summary>
    public static MnistGanExample Conditional { get; } = new(
        "cgan-mnist",
        "Trains a conditional convolutional generative adversarial network on MNIST, and asks a classifier what it sees in the digits.",
        "about 12 minutes of one core, and 10 more for the judge the first time",
        epochs: 10,
        settings => new DcganEstimator.Options { LabelColumnName = Label, Epochs = settings.Epochs });

    public string Name => name;

    public ExampleHelp Help => new(
        summary,
        $"{MnistData.Files}",
        duration,
        "samples-NNNN.png (the same noise after each epoch), losses.png, model.zip; and gan-judge/judge.zip, the classifier");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, _epochs, TrainedOn, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var folder = MnistData.Files.Find(arguments);
        var trainSet = MnistData.LoadTraining(mlContext, folder);
        var testSet = MnistData.LoadTest(mlContext, folder);
        var output = new OutputFolder(Name);
        var options = create(new Settings(arguments.Integer(_epochs, least: 1)));
        (options.OutputColumnName, options.NoiseColumnName, options.SamplesFolder) = ("Features", Noise, output.PathOf(""));
        options.ImageShape = new ImageShape(1, MnistData.Side, MnistData.Side);
        options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        (options.Progress, options.CancellationToken) = (new ConsoleProgress(Name), cancellationToken);
        output.KeepEpochs(options, "model", arguments);
        using var gan = Train(mlContext, options, trainSet);
        gan.History.SavePng(output.PathOf("losses.png"));
        mlContext.Model.Save(gan, SchemaOfRequests(gan, trainSet), output.PathOf("model.zip"));

        var result = Judge(mlContext, gan, trainSet, testSet, arguments, cancellationToken);
        output.Print(("samples-*", "generated digits after each epoch, always of the same noise"), ("losses.png", "the training curves"), ("model.zip", "both networks"));
        return result;
    }

    /// <summary>What the generator needs where it is served: noise, and the digit if it can be asked for.</summary>
    private static DataViewSchema SchemaOfRequests(GanTransformer gan, IDataView trainSet)
    {
        var schema = new DataViewSchema.Builder();
        if (gan.LabelColumnName is { } label)
            schema.AddColumn(label, trainSet.Schema[label].Type, trainSet.Schema[label].Annotations);
        schema.AddColumn(Noise, new VectorDataViewType(NumberDataViewType.Single, gan.Architecture.LatentSize));
        return schema.ToSchema();
    }

    private static GanTransformer Train(MLContext mlContext, GanOptions options, IDataView trainSet) => options switch
    {
        DcganEstimator.Options convolutional => mlContext.GenerativeModels.Trainers.Dcgan(convolutional).Fit(trainSet),
        GanEstimator.Options dense => mlContext.GenerativeModels.Trainers.Gan(dense).Fit(trainSet),
        _ => throw new NotSupportedException($"{options.GetType()} has no estimator here."),
    };

    private static ResultLine Judge(MLContext mlContext, GanTransformer gan, IDataView trainSet, IDataView testSet, ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var judge = DigitJudge.Open(mlContext, trainSet, cancellationToken);
        using var features = DigitJudge.OpenFeatures(mlContext, judge, testSet);
        var generated = mlContext.Data.Cache(gan.Generate(Judged, seed: 1), "Features");
        var distance = mlContext.GenerativeModels.Evaluate(
            features.Transform(testSet), features.Transform(gan.Generate(Judged, seed: 1)), DigitJudge.FeatureColumn, features.Transform(mlContext.Data.TakeRows(trainSet, Judged)));
        var nearest = mlContext.GenerativeModels.EvaluateNearest(trainSet, gan.Generate(Nearest, seed: 2), mlContext.Data.TakeRows(testSet, Nearest));
        var result = new ResultLine
        {
            ["gan.frechet-distance"] = distance.FrechetDistance,
            ["real.frechet-distance"] = distance.Floor!.RealDistance,
            ["gan.nearest"] = nearest.Generated.Mean,
            ["real.nearest"] = nearest.HeldOut!.Mean,
        };
        var table = new Table().Border(TableBorder.Rounded).AddColumns("measured", "generated", "real")
            .AddRow("Fréchet distance of the judge's features", $"{distance.FrechetDistance:0.00}", $"{distance.Floor.RealDistance:0.00}")
            .AddRow("nearest training image, mean distance", $"{nearest.Generated.Mean:0.00}", $"{nearest.HeldOut.Mean:0.00}");
        if (gan.LabelColumnName != null)
            AskForDigits();
        AnsiConsole.Write(table);
        return result;

        void AskForDigits()
        {
            var seen = mlContext.GenerativeModels.EvaluateRecognition(gan.Generate(Judged, seed: 1), judge, Label, real: testSet);
            table.AddRow("recognized as asked", $"{seen.Accuracy:P2}", $"{seen.RealAccuracy:P2}");
            (result["gan.as-asked"], result["judge.accuracy"]) = (seen.Accuracy, seen.RealAccuracy!.Value);
            if (arguments.Integer(TrainedOn, least: 0) is not (> 0 and var count))
                return;
            var taught = mlContext.GenerativeModels.EvaluateAsTrainingData(testSet, gan.Generate(count, seed: 3), DigitJudge.CreatePupil(mlContext, cancellationToken));
            table.AddRow($"real test images, by a classifier trained on {count} generated", $"{taught.Accuracy:P2}", "");
            result["pupil.accuracy"] = taught.Accuracy;
        }
    }

    /// <summary>What the command line says about the training.</summary>
    internal sealed record Settings(int Epochs);
}
