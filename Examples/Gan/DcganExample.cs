using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Cifar10;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using MLExtensions.Examples.Style;

namespace MLExtensions.Examples.Gan;

/// <summary>A convolutional GAN on MNIST, on CIFAR-10, or on pictures of one's own.</summary>
internal sealed class DcganExample : IExample
{
    private const int ColorSide = 64;
    private const string Image = "Features";

    private static readonly ExampleOption Set = new("set", "mnist|cifar10|FOLDER", "The images: MNIST, CIFAR-10, or a folder of pictures, which are resized to 64 x 64 pixels.", "mnist");
    private static readonly ExternalData Mnist = new("MNIST", "data", "DIR", "Folder of MNIST's or CIFAR-10's files.", "mnist");
    private static readonly ExternalData Cifar10 = new("CIFAR-10", "data", "DIR", Mnist.Option.Description, "cifar10");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the images.", "10");

    public string Name => "dcgan";

    public ExampleHelp Help => new(
        "Trains a convolutional generative adversarial network on images of any kind, without labels, and draws what it generates.",
        "MNIST or CIFAR-10 (not in the repository), or a folder of .jpg and .png files",
        "about 10 minutes of one core for MNIST, 40 for CIFAR-10",
        "samples-NNNN.png (the same noise after each epoch), way.png (from one image to another), losses.png, model.zip");

    public IReadOnlyList<ExampleOption> Options => [Set, Mnist.Option, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(arguments.Integer(ExampleOption.Seed, least: 0));
        var output = new OutputFolder(Name);
        var images = Load(mlContext, arguments, output);
        var options = new DcganEstimator.Options
        {
            FeatureColumnName = Image,
            ImageShape = arguments.Text(Set) == "mnist" ? new ImageShape(1, MnistData.Side, MnistData.Side) : null,
            Epochs = arguments.Integer(Epochs, least: 1),
            SamplesFolder = output.PathOf(""),
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            Progress = new ConsoleProgress(Name),
            CancellationToken = cancellationToken,
        };
        output.KeepEpochs(options, "model", arguments);
        using var gan = mlContext.GenerativeModels.Trainers.Dcgan(options).Fit(images);
        gan.History.SavePng(output.PathOf("losses.png"));
        mlContext.Model.Save(gan, images.Schema, output.PathOf("model.zip"));
        gan.SaveSamplesPng(output.PathOf("way.png"), Ways(gan), 8);
        output.Print(("samples-*", "generated images after each epoch, always of the same noise"), ("way.png", "on the way from one image to another"), ("losses.png", "the training curves"), ("model.zip", "both networks"));
        var last = gan.History.Epochs[^1].Training;
        return new ResultLine { ["gan.spread"] = last["spread"], ["gan.loss"] = last["loss"] };
    }

    private static IDataView Load(MLContext mlContext, ExampleArguments arguments, OutputFolder output)
    {
        switch (arguments.Text(Set))
        {
            case "mnist":
                return MnistData.LoadTraining(mlContext, Mnist.Find(arguments));
            case "cifar10":
                var folder = arguments.OptionalText(Mnist.Option) ?? Cifar10.Find(arguments);
                return Resized(mlContext, mlContext.Data.LoadFromImageFolder(Path.Combine(Cifar10Data.Find(folder, output), "train")), Cifar10Data.Side);
            case var pictures when Directory.Exists(pictures):
                return Resized(mlContext, Pictures(mlContext, pictures), ColorSide);
            case var unknown:
                throw new UsageException($"--set is '{unknown}'; it must be mnist, cifar10, or a folder of pictures.");
        }
    }

    /// <summary>The pictures of a folder and of those in it.</summary>
    private static IDataView Pictures(MLContext mlContext, string folder)
    {
        var paths = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path).ToUpperInvariant() is ".JPG" or ".JPEG" or ".PNG")
            .Order(StringComparer.Ordinal).ToArray();
        return paths.Length > 0 ? PictureRows.Load(mlContext, paths) : throw new UsageException($"--set: '{folder}' has no .jpg or .png files.");
    }

    private static IDataView Resized(MLContext mlContext, IDataView images, int side) =>
        mlContext.Transforms.ResizeImages(Image, side, side, "Image").Fit(images).Transform(images);

    private static float[][] Ways(GanTransformer gan)
    {
        var noise = gan.DrawNoise(8, seed: 5);
        return Enumerable.Range(0, 4).SelectMany(way => gan.Interpolate(noise[2 * way], noise[(2 * way) + 1], 8)).ToArray();
    }
}
