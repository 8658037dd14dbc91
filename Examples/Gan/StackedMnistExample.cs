using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;
using Spectre.Console;

namespace MLExtensions.Examples.Gan;

/// <summary>
/// Three digits in the three colors of one image: a thousand modes. How many of them does a generator find against a discriminator that is
/// far too small? Metz et al., "Unrolled generative adversarial networks", 2017; Lin et al., "PacGAN", 2018.
/// </summary>
internal sealed class StackedMnistExample : IExample
{
    private const int Rows = 128_000;
    private const int Judged = 26_000; // as in the papers
    private const int GeneratorFilters = 32;
    private const double LearningRate = 5e-4;

    private static readonly ExampleOption Pack = new("pack", "N", "Number of samples that the discriminator judges together; 1 is a plain GAN.", "2");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the 128,000 images, 2,000 steps each.", "5");

    public string Name => "gan-stacked";

    public ExampleHelp Help => new(
        "Trains a generative adversarial network on images of three digits, one in each color, and counts the combinations that it generates.",
        $"{MnistData.Files}",
        "about 5 minutes of one core, and 10 more for the judge the first time",
        "samples-NNNN.png (the same noise after each epoch), losses.png, model.zip; and gan-judge/judge.zip, the classifier");

    public IReadOnlyList<ExampleOption> Options => [MnistData.Files.Option, Pack, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var digits = MnistData.LoadTraining(mlContext, MnistData.Files.Find(arguments));
        var judge = DigitJudge.Open(mlContext, digits, cancellationToken);
        var data = Stack(mlContext, digits, seed);
        var output = new OutputFolder(Name);
        var options = CreateOptions(arguments.Integer(Pack, least: 1));
        (options.Epochs, options.SamplesFolder) = (arguments.Integer(Epochs, least: 1), output.PathOf(""));
        options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        (options.Progress, options.CancellationToken) = (new ConsoleProgress(Name), cancellationToken);
        output.KeepEpochs(options, "model", arguments);
        using var gan = mlContext.GenerativeModels.Trainers.Dcgan(options).Fit(data);
        gan.History.SavePng(output.PathOf("losses.png"));
        mlContext.Model.Save(gan, data.Schema, output.PathOf("model.zip"));

        var metrics = mlContext.GenerativeModels.EvaluateModes(Read(mlContext, gan, judge), [nameof(Triple.Red), nameof(Triple.Green), nameof(Triple.Blue)]);
        AnsiConsole.MarkupLine($"[bold]{metrics.NumberOfCoveredModes} of {metrics.NumberOfModes}[/] combinations of digits, reverse KL {metrics.ReverseKullbackLeibler:0.00}, {metrics.RowsWithoutClass} images without a class");
        output.Print(("samples-*", "generated images after each epoch, always of the same noise"), ("losses.png", "the training curves"), ("model.zip", "both networks"));
        return new ResultLine { ["gan.modes"] = metrics.NumberOfCoveredModes, ["gan.reverse-kl"] = metrics.ReverseKullbackLeibler };
    }

    /// <summary>The discriminator has a quarter of the generator's filters: it sees little, and hardly that variety is missing.</summary>
    private static DcganEstimator.Options CreateOptions(int packSize) => new()
    {
        Networks = GanPresets.Radford(3, MnistData.Side, GeneratorFilters) with
        {
            Discriminator = GanPresets.Radford(3, MnistData.Side, GeneratorFilters / 4).Discriminator,
        },
        PackSize = packSize,
        Loss = AdversarialLoss.NonSaturating,
        BatchSize = 64,
        LearningRate = LearningRate,
        LearningRateSchedule = LearningRateSchedule.Constant(),
        EmaDecay = null,
        Buffering = Buffering.Streaming, // 1.2 GB otherwise
        ShuffleBufferRows = 1000, // they come in random order
    };

    /// <summary>Images of three random digits, made anew in each pass, always the same.</summary>
    private static IDataView Stack(MLContext mlContext, IDataView digits, int seed)
    {
        const int Pixels = MnistData.Side * MnistData.Side;
        var images = digits.GetColumn<float[]>("Features").ToArray();
        var schema = SchemaDefinition.Create(typeof(Stacked));
        schema[nameof(Stacked.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, MnistData.Side, MnistData.Side);
        return mlContext.Data.LoadFromEnumerable(Draw(), schema);

        IEnumerable<Stacked> Draw()
        {
            var random = new Random(seed);
            for (var row = 0; row < Rows; row++)
            {
                var features = new float[3 * Pixels];
                for (var color = 0; color < 3; color++)
                    images[random.Next(images.Length)].CopyTo(features, color * Pixels);
                yield return new Stacked { Features = features };
            }
        }
    }

    /// <summary>The digits that the judge sees in the colors of generated images. Keys count from 1 in columns, from 0 in objects.</summary>
    private static IDataView Read(MLContext mlContext, GanTransformer gan, ITransformer judge)
    {
        var schema = SchemaDefinition.Create(typeof(Stacked));
        schema[nameof(Stacked.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1, MnistData.Side, MnistData.Side);
        var colors = gan.Generate(Judged, seed: 1).GetColumn<float[]>(gan.OutputColumnName)
            .SelectMany(image => image.Chunk(image.Length / 3), (_, color) => new Stacked { Features = color });
        var seen = judge.Transform(mlContext.Data.LoadFromEnumerable(colors, schema)).GetColumn<uint>("PredictedLabel");
        return mlContext.Data.LoadFromEnumerable(seen.Chunk(3).Select(digits => new Triple { Red = digits[0] - 1, Green = digits[1] - 1, Blue = digits[2] - 1 }).ToArray());
    }

    private sealed class Stacked
    {
        public float[] Features { get; set; } = [];
    }

    private sealed class Triple
    {
        [KeyType(10)]
        public uint Red { get; set; }

        [KeyType(10)]
        public uint Green { get; set; }

        [KeyType(10)]
        public uint Blue { get; set; }
    }
}
