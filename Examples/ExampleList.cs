using MLExtensions.Examples.Autoencoder;
using MLExtensions.Examples.Boltzmann;
using MLExtensions.Examples.Cifar10;
using MLExtensions.Examples.Digits;
using MLExtensions.Examples.Faces;
using MLExtensions.Examples.FeatureMaps;
using MLExtensions.Examples.FindLike;
using MLExtensions.Examples.FineTune;
using MLExtensions.Examples.Forecast;
using MLExtensions.Examples.Gan;
using MLExtensions.Examples.Gates;
using MLExtensions.Examples.HiddenMarkov;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.LanguageModels;
using MLExtensions.Examples.Mnist;
using MLExtensions.Examples.Poems;
using MLExtensions.Examples.PredictImage;
using MLExtensions.Examples.Reinforcement;
using MLExtensions.Examples.RnnMemory;
using MLExtensions.Examples.SequenceToSequence;
using MLExtensions.Examples.Style;
using MLExtensions.Examples.Tabular;
using MLExtensions.Examples.Topics;
using MLExtensions.Examples.UnseenDigits;
using Spectre.Console;

namespace MLExtensions.Examples;

using Text = Spectre.Console.Text; // MLExtensions.Text is nearer

/// <summary>All examples. A new one is a class and a line here.</summary>
internal static class ExampleList
{
    private const string Command = "dotnet run -c Release --project Examples --";

    private static readonly IExample[] Examples =
    [
        new DigitsExample(),
        MnistExample.OfPerceptrons,
        MnistExample.OfConvolutions,
        new Cifar10Example(),
        new DepthExample(),
        new PredictImageExample(),
        new FineTuneExample(),
        new FeatureMapsExample(),
        new FindLikeExample(),
        new FacesExample(),
        new UnseenDigitsExample(),
        new GatesExample(),
        new TabularExample(),
        new ForecastExample(),
        new PtbExample(),
        new ShakespeareExample(),
        new PoemsExample(),
        new BabiExample(),
        new ChatExample(),
        new TopicsExample(),
        new RnnMemoryExample(),
        new RbmDigitsExample(),
        new RbmMnistExample(),
        new DbnMnistExample(),
        new AutoencoderExample(),
        new GanRingExample(),
        new StackedMnistExample(),
        MnistGanExample.Plain,
        MnistGanExample.Conditional,
        new DcganExample(),
        new DigitBaselinesExample(),
        new GanFeaturesExample(),
        new InpaintExample(),
        new StyleExample(),
        new FastStyleExample(),
        new StyleEmbeddingExample(),
        new MdpExample(),
        new QLearningExample(),
        new DqnExample(),
        new DqnLogsExample(),
        new BreakoutExample(),
        new OffPolicyExample(),
        new FittedQExample(),
        new DiceExample(),
        new HmmWordsExample(),
    ];

    public static IEnumerable<string> Names => Examples.Select(example => example.Name);

    public static IExample? Find(string name) => Array.Find(Examples, example => example.Name == name);

    /// <summary>Prints how to call the program, and the examples.</summary>
    public static void Print()
    {
        AnsiConsole.WriteLine($"Usage: {Command} NAME [--option value ...]");
        AnsiConsole.WriteLine($"       {Command} NAME --help");
        AnsiConsole.WriteLine();
        PrintPairs(Examples.Select(example => (example.Name, example.Help.Summary)));
    }

    /// <summary>Prints what one example does, takes, needs and leaves.</summary>
    public static void PrintHelp(IExample example)
    {
        var words = example.Words is { } taken ? $" {taken.Placeholder}" : "";
        AnsiConsole.WriteLine($"Usage: {Command} {example.Name}{words}{(example.Options.Count > 0 ? " [--option value ...]" : "")}");
        AnsiConsole.WriteLine();
        AnsiConsole.WriteLine(example.Help.Summary);
        AnsiConsole.WriteLine();
        var pairs = example.Options.Select(option => (option.Usage, option.Help)).Append(("--help", "Prints this."));
        PrintPairs(example.Words is { } given ? pairs.Prepend((given.Placeholder, given.Description)) : pairs);
        AnsiConsole.WriteLine();
        PrintPairs([("Data", example.Help.Data), ("Time", example.Help.Duration), ("Output", example.Help.Files is { } files ? $"{OutputFolder.FolderOf(example.Name)}: {files}" : "no files")]);
    }

    private static void PrintPairs(IEnumerable<(string Name, string Description)> pairs)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("name", "description");
        table.Columns[0].NoWrap = true;
        foreach (var (name, description) in pairs)
            table.AddRow(new Text(name, Color.Green), new Text(description));
        AnsiConsole.Write(table);
    }
}
