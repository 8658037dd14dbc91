using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.LanguageModels;

/// <summary>The training of a language model in an example: the options of the command line, and the files that it leaves.</summary>
/// <param name="size">The network's name, and what its files are called.</param>
/// <param name="options">A fresh set of options.</param>
/// <param name="output">Where the files go.</param>
internal sealed class TextTraining(string size, LanguageModelEstimator.Options options, OutputFolder output)
{
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training text. 0 with --weights only measures.", DefaultText: "the network's own");
    private static readonly ExampleOption Weights = new("weights", "FILE", "Safetensors file of trained weights to start from.", DefaultText: "random weights");

    /// <summary>The options of the command line that <see cref="Fit"/> uses.</summary>
    public static IReadOnlyList<ExampleOption> CommandLine => [Epochs, Weights, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    /// <summary>Where the model is after <see cref="Fit"/>.</summary>
    public string ModelPath => output.PathOf(ModelFile);

    private string ModelFile => $"{size}.zip";

    private string WeightsFile => $"{size}.safetensors";

    private string HistoryFile => $"{size}-history.png";

    public static int SeedOf(ExampleArguments arguments) => arguments.Integer(ExampleOption.Seed, least: 0);

    /// <summary>Trains and saves a model, with a progress bar.</summary>
    public LanguageModelTransformer Fit(MLContext mlContext, ExampleArguments arguments, IDataView trainSet, IDataView validationSet, CancellationToken cancellationToken)
    {
        Adjust(arguments);
        options.CancellationToken = cancellationToken;
        options.Progress = new ConsoleProgress($"{size}: {options.NumberOfLayers} x {options.HiddenUnits} hidden units");
        var model = mlContext.LanguageModels.Trainers.Lstm(options).Fit(trainSet, validationSet);
        mlContext.Model.Save(model, trainSet.Schema, ModelPath);
        model.Model.SaveWeights(output.PathOf(WeightsFile));
        if (HasHistory(model))
            model.History.SavePng(output.PathOf(HistoryFile));
        return model;
    }

    /// <summary>Prints which files there are now.</summary>
    public void PrintFiles(LanguageModelTransformer model)
    {
        (string, string)[] files = [(ModelFile, "the model"), (WeightsFile, "its weights")];
        output.Print(HasHistory(model) ? [.. files, (HistoryFile, "the training curves")] : files);
    }

    private static bool HasHistory(LanguageModelTransformer model) => model.History.Epochs.Count > 0;

    private void Adjust(ExampleArguments arguments)
    {
        options.ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1);
        options.InitialWeightsPath = arguments.OptionalText(Weights);
        if (options.InitialWeightsPath is { } weights && !File.Exists(weights))
            throw new UsageException($"--weights is '{weights}', which does not exist.");
        options.InitialWeightsMatch = WeightMatch.Strict;
        options.Epochs = arguments.OptionalInteger(Epochs, least: 0) ?? options.Epochs;
        if (options.Epochs == 0)
            return; // Nothing is trained, so a checkpoint of an earlier training is kept.
        output.KeepEpochs(options, size, arguments);
    }
}
