using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Autoencoder;

/// <summary>
/// A deep autoencoder on MNIST, pretrained by a stack of restricted Boltzmann machines and unrolled, compared with as many principal components:
/// Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", 2006.
/// </summary>
internal sealed class AutoencoderExample : IExample
{
    private const string LatentColumn = "Latent";
    private const int DefaultLatentSize = 2;
    private const int DefaultEpochs = 20;
    private const int DefaultPretrainingEpochs = 10;
    private const int PointsShown = 5000;
    private const int ImagesShown = 20;

    private static readonly ExampleOption LatentSize = new("latent-size", "N", "Size of the latent representation. 2 can be drawn, 30 is the paper's.", $"{DefaultLatentSize}");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of epochs of fine-tuning.", $"{DefaultEpochs}");
    private static readonly ExampleOption PretrainingEpochs = new("pretraining-epochs", "N", "Number of epochs of each RBM. 0 starts from random weights.", $"{DefaultPretrainingEpochs}");

    public string Name => "autoencoder";

    public ExampleHelp Help => new(
        "Compares how well a deep autoencoder and principal components reconstruct MNIST's test images from a few numbers.",
        $"{MnistData.Files}",
        "about half an hour of one core (estimated)",
        "model-N.zip (the autoencoder with N numbers), loss-N.png, reconstructions-N.png, for 2 numbers latent.png (the numbers as points), and checkpoint folders for --resume");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, LatentSize, Epochs, PretrainingEpochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var folder = MnistData.Files.Find(arguments);
        var latentSize = arguments.Integer(LatentSize, least: 1);
        var pretraining = arguments.Integer(PretrainingEpochs, least: 0);
        var threads = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        var output = new OutputFolder(Name);
        var trainSet = MnistData.LoadTraining(mlContext, folder);
        var testSet = MnistData.LoadTest(mlContext, folder);

        var layers = AutoencoderNetworks.Describe(latentSize);
        var pretrainingProgress = new ConsoleProgress($"Pretraining {layers}, without labels");
        var stackOptions = AutoencoderNetworks.CreateStack(latentSize, Math.Max(1, pretraining), threads, pretrainingProgress, cancellationToken);
        output.KeepEpochs(stackOptions, $"stack-{latentSize}", arguments);
        using var stack = pretraining == 0 ? null : mlContext.Transforms.StackedRbm(stackOptions).Fit(trainSet);
        var progress = new ConsoleProgress($"Fine-tuning {layers}");
        var options = AutoencoderNetworks.CreateAutoencoder(stack, latentSize, arguments.Integer(Epochs, least: 1), threads, progress, cancellationToken);
        output.KeepEpochs(options, $"model-{latentSize}", arguments);
        using var model = mlContext.Transforms.Autoencoder(options).Fit(trainSet);
        var components = PrincipalComponents.Of(mlContext, trainSet, latentSize);

        var table = new Table().Border(TableBorder.Rounded).Title($"Test images from {latentSize} numbers")
            .AddColumns("method", "mean squared error of a pixel", "of an image");
        var result = new ResultLine();
        if (stack != null)
            AddRow("stack, not fine-tuned", "stack", ErrorOfStack(mlContext, stack, testSet));
        AddRow("autoencoder", "autoencoder", model.ReconstructionError(testSet));
        AddRow("principal components", "principal-components", components.ReconstructionError(testSet));
        AnsiConsole.Write(table);

        SavePictures(mlContext, model, components, testSet, output);
        mlContext.Model.Save(model, trainSet.Schema, output.PathOf($"model-{latentSize}.zip"));
        output.Print(
            ($"model-{latentSize}.zip", "the autoencoder"),
            ($"loss-{latentSize}.png", "the training curves"),
            ($"reconstructions-{latentSize}.png", "test images, and below each its reconstruction"),
            ("latent.png", "the two numbers of each test image as a point, one color per digit, beside the first two principal components"));
        return result;

        void AddRow(string method, string name, double error)
        {
            var ofImage = error * MnistData.Side * MnistData.Side;
            table.AddRow(method, $"{error:0.00000}", $"{ofImage:0.00}");
            result[$"{name}.squared-error"] = ofImage;
        }
    }

    /// <summary>The same network before fine-tuning.</summary>
    private static double ErrorOfStack(MLContext mlContext, RbmTransformer stack, IDataView testSet)
    {
        using var unrolled = mlContext.Transforms.Autoencoder(new AutoencoderEstimator.Options { OutputColumnName = LatentColumn, InitialModel = stack, Epochs = 0 }).Fit(testSet);
        return unrolled.ReconstructionError(testSet);
    }

    private static void SavePictures(MLContext mlContext, AutoencoderTransformer model, PrincipalComponents components, IDataView testSet, OutputFolder output)
    {
        model.History.SavePng(output.PathOf($"loss-{model.LatentSize}.png"));
        var images = mlContext.Data.TakeRows(testSet, ImagesShown).GetColumn<float[]>("Features").ToList();
        TilePicture.SavePng(output.PathOf($"reconstructions-{model.LatentSize}.png"), [.. images, .. images.Select(model.Reconstruct)], MnistData.Side, MnistData.Side, ImagesShown);
        if (model.LatentSize != 2)
            return;
        var shown = mlContext.Data.TakeRows(testSet, PointsShown);
        var digits = shown.GetColumn<uint>("Label").Select(key => (int)key - 1).ToList();
        LatentPicture.Save(
            output.PathOf("latent.png"),
            digits,
            ("Deep autoencoder", model.Transform(shown).GetColumn<float[]>(LatentColumn).ToList()),
            ("Principal components", components.Transform(shown).ToList()));
    }
}
