using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Faces;

/// <summary>
/// Faces: a network learns from pictures of some people to tell whether two pictures show the same person, and is tested on others. Schroff
/// et al., "FaceNet", 2015.
/// </summary>
internal sealed class FacesExample : IExample
{
    private const int LastTrained = 22;
    private const int LastTested = 30;
    private const int Neighbors = 7;
    private const int RateOfOneInHundred = 1; // the second of .1, .01 and .001
    private const string Column = "Embedding";

    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", "60");
    private static readonly ExampleOption Seeds = new("seeds", "N", "Number of trainings, with consecutive seeds; the figures are their means.", "1");
    private static readonly ExampleOption Folds = new("folds", "N", "Number of trainings without a part of the people, for the threshold; two more see halves.", "5");

    public string Name => "faces";

    public ExampleHelp Help => new(
        "Learns from pictures of 22 people to tell whether two pictures show the same person, and is tested on 8 others.",
        $"{FaceImages.Folder}",
        "about 10 minutes of one core for a seed",
        "neighbors.png, distances.png, faces.zip (the network with a gallery of the tested people), classifier.safetensors");

    public IReadOnlyList<ExampleOption> Options => [FaceImages.Folder.Option, Epochs, Seeds, Folds, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var folder = FaceImages.Folder.Find(arguments);
        var (first, count) = (arguments.Integer(ExampleOption.Seed, least: 0), arguments.Integer(Seeds, least: 1));
        var trained = FaceImages.Read(folder, 1, LastTrained);
        var tested = FaceImages.Read(folder, LastTrained + 1, LastTested);
        var output = new OutputFolder(Name);
        var figures = new FaceFigures();
        for (var seed = first; seed < first + count; seed++)
            Run(seed, new MLContext(seed), trained, tested, arguments, output, figures, cancellationToken);
        AddPixels(new MLContext(first), tested, figures);
        AnsiConsole.Write(figures.ToTable());
        output.Print(("neighbors.png", "each unseen person and the nearest pictures"), ("distances.png", "distances of unseen people"), ("faces.zip", "the network with its threshold and a gallery"));
        return figures.ToResult();
    }

    private static void Run(int seed, MLContext mlContext, FaceImage[] trained, FaceImage[] tested, ExampleArguments arguments, OutputFolder output, FaceFigures figures, CancellationToken cancellationToken)
    {
        var (epochs, threads) = (arguments.Integer(Epochs, least: 1), arguments.OptionalInteger(ExampleOption.Threads, least: 1));
        var (all, unseen) = (mlContext.Data.LoadFromEnumerable(trained), mlContext.Data.LoadFromEnumerable(tested));

        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.MetricLearning.Trainers.Image(WithProgress(FaceNetworks.Embedding(epochs, threads, seed), $"embedding, seed {seed}", cancellationToken)));
        using var model = pipeline.Fit(all).LastTransformer;
        var embedded = model.Transform(unseen);
        figures.Add("triplets", mlContext.MetricLearning.Evaluate(embedded), Pairs(embedded));

        // The threshold needs people that a network has not seen, and more than a few of them.
        var calibration = mlContext.MetricLearning.CrossCalibrate(all, pipeline, model, falseAcceptRate: 0.01, numberOfFolds: arguments.Integer(Folds, least: 3), seed: seed);
        var pairs = mlContext.MetricLearning.CreatePairs(embedded);
        var verifier = mlContext.MetricLearning.Verify(new VerificationEstimator.Options { Calibration = calibration }).Fit(pairs);
        var verified = verifier.Transform(pairs);
        figures.AddAccepts(verified.GetColumn<bool>("Label").ToArray(), verified.GetColumn<bool>("PredictedLabel").ToArray());
        AnsiConsole.MarkupLineInterpolated($"{verifier.Calibration.ToString()}");

        var trainer = mlContext.MulticlassClassification.Trainers.Cnn(WithProgress(FaceNetworks.Classifier(epochs, threads, seed), $"classifier, seed {seed}", cancellationToken));
        using var classifier = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(trainer).Fit(all).LastTransformer;
        var before = FaceNetworks.BeforeLastLayer(mlContext, classifier, unseen, output.PathOf("classifier.safetensors"));
        figures.Add("classifier", mlContext.MetricLearning.Evaluate(before), Pairs(before));

        mlContext.Model.Save(new TransformerChain<ITransformer>(model, mlContext.MetricLearning.Identify(calibration).Fit(embedded)), unseen.Schema, output.PathOf("faces.zip"));
        var distances = verified.GetColumn<float>("Distance").ToArray();
        FacePictures.SaveDistances(output.PathOf("distances.png"), distances, verified.GetColumn<bool>("Label").ToArray(), verifier.Calibration.Threshold);
        FacePictures.SaveNeighbors(output.PathOf("neighbors.png"), tested, embedded.GetColumn<float[]>(Column).ToArray(), Neighbors);

        VerificationMetrics Pairs(IDataView data) => mlContext.MetricLearning.EvaluatePairs(mlContext.MetricLearning.CreatePairs(data));
    }

    private static void AddPixels(MLContext mlContext, FaceImage[] tested, FaceFigures figures)
    {
        var schema = SchemaDefinition.Create(typeof(CoarseFace));
        var rows = Array.ConvertAll(tested, face => new CoarseFace { Label = face.Label, Embedding = FaceImages.Coarsen(face) });
        schema[Column].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Embedding.Length);
        var data = mlContext.Data.LoadFromEnumerable(rows, schema);
        figures.Add("pixels", mlContext.MetricLearning.Evaluate(data), mlContext.MetricLearning.EvaluatePairs(mlContext.MetricLearning.CreatePairs(data)));
    }

    private static TOptions WithProgress<TOptions>(TOptions options, string title, CancellationToken cancellationToken)
        where TOptions : TrainingOptions
    {
        (options.Progress, options.CancellationToken) = (new ConsoleProgress(title), cancellationToken);
        return options;
    }

    /// <summary>The pixels of a face as its embedding.</summary>
    private sealed class CoarseFace
    {
        public string Label { get; init; } = "";

        public float[] Embedding { get; init; } = [];
    }

    /// <summary>Means over the seeds.</summary>
    private sealed class FaceFigures
    {
        private readonly Dictionary<string, List<double[]>> _rows = [];
        private readonly List<(double False, double True)> _accepts = [];

        public void Add(string name, EmbeddingMetrics metrics, VerificationMetrics pairs)
        {
            if (!_rows.TryGetValue(name, out var rows))
                _rows.Add(name, rows = []);
            rows.Add([pairs.AreaUnderRocCurve, pairs.ValidationRates[RateOfOneInHundred].Rate, metrics.PrecisionAt1, pairs.EqualErrorRate, metrics.MeanAveragePrecisionAtR]);
        }

        public void AddAccepts(bool[] same, bool[] accepted) => _accepts.Add((
            Enumerable.Range(0, same.Length).Where(pair => !same[pair]).Average(pair => accepted[pair] ? 1.0 : 0),
            Enumerable.Range(0, same.Length).Where(pair => same[pair]).Average(pair => accepted[pair] ? 1.0 : 0)));

        public Table ToTable()
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("8 unseen people", "AUC", "VAL at FAR .01", "1-NN", "EER", "MAP at R");
            foreach (var (name, _) in _rows)
                table.AddRow([name, .. Means(name).Select(mean => $"{mean:F4}")]);
            return table.Caption($"At the threshold calibrated for 1 % on other people: {_accepts.Average(accepts => accepts.False):P2} of different pairs accepted, and {_accepts.Average(accepts => accepts.True):P1} of the same.");
        }

        public ResultLine ToResult()
        {
            var result = new ResultLine();
            foreach (var (name, _) in _rows)
            {
                foreach (var (figure, mean) in ((string[])["auc", "val", "nn", "eer", "map"]).Zip(Means(name)))
                    result[$"{name}.{figure}"] = mean;
            }
            result["threshold.far"] = _accepts.Average(accepts => accepts.False);
            result["threshold.val"] = _accepts.Average(accepts => accepts.True);
            return result;
        }

        private double[] Means(string name) => Enumerable.Range(0, _rows[name][0].Length).Select(figure => _rows[name].Average(row => row[figure])).ToArray();
    }
}
