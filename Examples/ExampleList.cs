using MLExtensions.Examples.Autoencoder;
using MLExtensions.Examples.Boltzmann;
using MLExtensions.Examples.Cifar10;
using MLExtensions.Examples.Digits;
using MLExtensions.Examples.FeatureMaps;
using MLExtensions.Examples.FineTune;
using MLExtensions.Examples.Forecast;
using MLExtensions.Examples.Gates;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.LanguageModels;
using MLExtensions.Examples.Mnist;
using MLExtensions.Examples.PredictImage;
using MLExtensions.Examples.RnnMemory;
using MLExtensions.Examples.Tabular;
using MLExtensions.Examples.Topics;
using Spectre.Console;

namespace MLExtensions.Examples;

using Text = Spectre.Console.Text; // MLExtensions.Text is nearer

/// <summary>All examples. A new one is a class and a line here.</summary>
internal static class ExampleList
{
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
        new GatesExample(),
        new TabularExample(),
        new ForecastExample(),
        new PtbExample(),
        new ShakespeareExample(),
        new TopicsExample(),
        new RnnMemoryExample(),
        new RbmDigitsExample(),
        new RbmMnistExample(),
        new DbnMnistExample(),
        new AutoencoderExample(),
    ];

    public static IEnumerable<string> Names => Examples.Select(example => example.Name);

    public static IExample? Find(string name) => Array.Find(Examples, example => example.Name == name);

    public static void Print()
    {
        AnsiConsole.WriteLine("dotnet run -c Release --project Examples -- NAME [--option value ...]");
        AnsiConsole.WriteLine();
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("name", "summary");
        foreach (var example in Examples)
        {
            table.AddRow(new Text(example.Name, Color.Green), new Text(example.Summary));
            if (example.Words is { } words)
                table.AddRow(new Text("  " + words.Placeholder), new Text(words.Description, Color.Grey));
            foreach (var option in example.Options)
                table.AddRow(new Text("  " + option.Usage), new Text(option.Description, Color.Grey));
        }
        AnsiConsole.Write(table);
    }
}
