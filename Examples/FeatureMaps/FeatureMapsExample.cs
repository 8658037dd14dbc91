using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.FeatureMaps;

/// <summary>What a network sees: the filters of its first layer, and what its layers make of a picture.</summary>
internal sealed class FeatureMapsExample : IExample
{
    private const int MostLayers = 5;
    private const int MostMaps = 64;
    private const string FiltersFile = "filters.png";

    private static readonly ExternalData Weights = PretrainedFiles.Network;
    private static readonly ExampleOption Model = new("model", "FILE", "Model of the examples mnist-cnn or cifar10, to use instead of --weights.");
    private static readonly ExampleOption White = new("white", "255|1", "Value of a white pixel when the model was trained: 1 for mnist-cnn.", "255");
    private static readonly ExampleOption Layers = new("layers", "NAME,...", "Names of the layers to show.", DefaultText: $"up to {MostLayers} of them");

    public string Name => "features-map";

    public ExampleHelp Help => new(
        "Draws what a convolutional network sees: its first filters, and the outputs of its layers for a picture.",
        $"{Weights}, or a model at --model; the picture",
        "about 3 seconds",
        $"{FiltersFile} and one picture for each layer (LAYER.png)");

    public IReadOnlyList<ExampleOption> Options => [Weights.Option, Model, White, Layers];

    public ExampleWords Words => new("FILE", "Picture to show to the network.", Most: 1);

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext();
        var output = new OutputFolder(Name);
        var white = int.Parse(arguments.Choice(White, "255", "1"));
        var model = arguments.OptionalText(Model);
        if (model != null && !File.Exists(model))
            throw new UsageException($"--model is '{model}', which does not exist.");
        var network = model != null
            ? PictureNetwork.OfModel(mlContext, model, white, output)
            : new PictureNetwork(Weights.Find(arguments), null, white);
        var picture = Load(mlContext, arguments.Words[0], network.ImageSize);
        var files = new List<(string, string)>();
        if (SaveFilters(mlContext, network, picture, output))
            files.Add((FiltersFile, "the filters of the first layer: the pattern that each looks for"));
        var (layersShown, mapsShown) = (0, 0);
        var table = new Table().Border(TableBorder.Rounded).AddColumns("layer", "maps", "size");
        foreach (var layer in Choose(network.UpTo(mlContext, null).LayerNames, arguments.OptionalText(Layers)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var upTo = network.UpTo(mlContext, layer).Fit(picture);
            var maps = upTo.Transform(picture);
            if (maps.Schema["Maps"].Type is not VectorDataViewType { Dimensions: [var count, var height, var width] })
            {
                table.AddRow(layer, "", "a vector, not maps");
                continue;
            }
            SaveMaps(maps.GetColumn<float[]>("Maps").Single(), Math.Min(count, MostMaps), height, width, output.PathOf($"{layer}.png"));
            table.AddRow(layer, $"{count}", $"{height} x {width}");
            layersShown++;
            mapsShown += Math.Min(count, MostMaps);
            files.Add(($"{layer}.png", $"the maps of layer {layer}: where its filters found something"));
        }
        AnsiConsole.Write(table);
        output.Print(files);
        return new ResultLine { ["layers"] = layersShown, ["maps"] = mapsShown };
    }

    /// <summary>The picture as the network's input; one channel is its brightness.</summary>
    private static IDataView Load(MLContext mlContext, string path, (int Channels, int Height, int Width) size)
    {
        using var picture = PictureFile.Read(path);
        var schema = SchemaDefinition.Create(typeof(PictureRow));
        schema[nameof(PictureRow.Image)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, size.Channels, size.Height, size.Width);
        using var resized = PictureFile.Resize(picture, size.Width, size.Height);
        return mlContext.Data.LoadFromEnumerable([new PictureRow { Image = PictureFile.PlanarPixels(resized, size.Channels) }], schema);
    }

    private static IEnumerable<string> Choose(IReadOnlyList<string> names, string? asked)
    {
        if (asked != null)
            return asked.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // A sequence of layers ends where its last one does.
        var leaves = names.Where(name => !names.Any(other => other.StartsWith(name + '.', StringComparison.Ordinal))).ToArray();
        var count = Math.Min(MostLayers, leaves.Length);
        return Enumerable.Range(0, count).Select(i => leaves[i * leaves.Length / count]);
    }

    /// <summary>Each map from its least value, black, to its greatest, white.</summary>
    private static void SaveMaps(float[] maps, int count, int height, int width, string path)
    {
        var size = height * width;
        var ranges = Enumerable.Range(0, count).Select(map => maps.AsSpan(map * size, size).ToArray()).Select(map => (Least: map.Min(), Most: map.Max())).ToArray();
        TilePicture.SavePng(path, count, width, height, columns: null, (map, row, column) =>
        {
            var brightness = Brightness(maps[(map * size) + (row * width) + column], ranges[map].Least, ranges[map].Most);
            return (brightness, brightness, brightness);
        });
    }

    /// <summary>Draws the first convolution's filters, if they have one or three input channels.</summary>
    private static bool SaveFilters(MLContext mlContext, PictureNetwork network, IDataView picture, OutputFolder output)
    {
        using var whole = network.UpTo(mlContext, null).Fit(picture);
        var (name, shape) = whole.Model.WeightShapes.First(weight => weight.Value.Count == 4);
        var (count, channels, height, width) = ((int)shape[0], (int)shape[1], (int)shape[2], (int)shape[3]);
        if (channels is not (1 or 3))
            return false;
        var weights = whole.Model.GetWeights(name);
        var size = channels * height * width;
        var ranges = Enumerable.Range(0, count).Select(filter => weights.AsSpan(filter * size, size).ToArray()).Select(filter => (Least: filter.Min(), Most: filter.Max())).ToArray();
        TilePicture.SavePng(output.PathOf(FiltersFile), count, width, height, columns: null, (filter, row, column) =>
        {
            byte Of(int channel)
            {
                var at = (filter * size) + (Math.Min(channel, channels - 1) * height * width) + (row * width) + column;
                return Brightness(weights[at], ranges[filter].Least, ranges[filter].Most);
            }
            return (Of(0), Of(1), Of(2));
        });
        return true;
    }

    /// <summary>From black at <paramref name="least"/> to white at <paramref name="most"/>.</summary>
    private static byte Brightness(float value, float least, float most) =>
        most > least ? (byte)Math.Round(255 * (value - least) / (most - least)) : (byte)0;

    private sealed class PictureRow
    {
        public float[] Image { get; set; } = [];
    }
}
