using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Boltzmann;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Gan;

/// <summary>
/// Few labels: a linear trainer on what the discriminator of a GAN computes, which has seen all images without labels, beside pixels and the
/// hidden units of an RBM. Radford et al., 2016.
/// </summary>
internal sealed class GanFeaturesExample : IExample
{
    private const string Column = "Seen";

    private static readonly ExampleOption Labels = new("labels", "N", "Number of training images with a label; a multiple of 10.", "1000");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes of the GAN over the training data.", "5");

    public string Name => "gan-features";

    public ExampleHelp Help => new(
        "Trains a generative adversarial network on MNIST without labels, and a linear classifier of few labels on its discriminator's features.",
        $"{MnistData.Files}",
        "about 10 minutes of one core",
        "gan.zip (both networks), samples-NNNN.png");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, Labels, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var folder = MnistData.Files.Find(arguments);
        var trainSet = MnistData.LoadTraining(mlContext, folder);
        var testSet = MnistData.LoadTest(mlContext, folder);
        var few = FewLabels.Take(mlContext, trainSet, arguments.Integer(Labels, least: 10), seed);
        var output = new OutputFolder(Name);
        using var gan = TrainGan(mlContext, trainSet, arguments, output, cancellationToken);
        using var rbm = TrainRbm(mlContext, trainSet, arguments, output, cancellationToken);
        mlContext.Model.Save(gan, trainSet.Schema, output.PathOf("gan.zip"));

        var result = new ResultLine();
        var table = new Table().Border(TableBorder.Rounded).AddColumns("features", "test accuracy of a linear classifier");
        AddRow("pixels", "pixels", mlContext.Transforms.CopyColumns(Column, "Features"));
        AddRow("RBM, 500 hidden units", "rbm", Use(rbm, mlContext));
        AddRow("discriminator, all layers", "discriminator", mlContext.Transforms.DiscriminatorFeatures(Column, "Features", gan));
        AnsiConsole.Write(table);
        output.Print(("gan.zip", "both networks"), ("samples-*", "generated digits after each epoch"));
        return result;

        void AddRow(string title, string name, IEstimator<ITransformer> features)
        {
            var pipeline = features
                .Append(mlContext.Transforms.NormalizeMeanVariance(Column))
                .AppendCacheCheckpoint(mlContext)
                .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: Column));
            var metrics = mlContext.MulticlassClassification.Evaluate(pipeline.Fit(few).Transform(testSet));
            table.AddRow(title, $"{metrics.MicroAccuracy:P2}");
            result[$"{name}.accuracy"] = metrics.MicroAccuracy;
        }
    }

    private static GanTransformer TrainGan(MLContext mlContext, IDataView trainSet, ExampleArguments arguments, OutputFolder output, CancellationToken cancellationToken)
    {
        var options = new DcganEstimator.Options
        {
            ImageShape = new ImageShape(1, MnistData.Side, MnistData.Side),
            Epochs = arguments.Integer(Epochs, least: 1),
            SamplesFolder = output.PathOf(""),
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            Progress = new ConsoleProgress("GAN, without labels"),
            CancellationToken = cancellationToken,
        };
        output.KeepEpochs(options, "gan", arguments);
        return mlContext.GenerativeModels.Trainers.Dcgan(options).Fit(trainSet);
    }

    private static RbmTransformer TrainRbm(MLContext mlContext, IDataView trainSet, ExampleArguments arguments, OutputFolder output, CancellationToken cancellationToken)
    {
        var options = new RbmEstimator.Options
        {
            OutputColumnName = Column,
            HiddenLayers = [500],
            Epochs = 10,
            BatchSize = 100,
            LearningRate = 0.1,
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            Progress = new ConsoleProgress("RBM, without labels"),
            CancellationToken = cancellationToken,
        };
        output.KeepEpochs(options, "rbm", arguments);
        return mlContext.Transforms.Rbm(options).Fit(trainSet);
    }

    /// <summary>A trained transformer as a step of a pipeline.</summary>
    private static IEstimator<ITransformer> Use(RbmTransformer rbm, MLContext mlContext) => mlContext.Transforms.Rbm(new RbmEstimator.Options
    {
        OutputColumnName = Column,
        HiddenLayers = [500],
        InitialModel = rbm,
        Epochs = 0,
    });
}
