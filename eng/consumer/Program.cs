// What a user of the package does: `train FOLDER` fits, saves and predicts; `check FOLDER`, another process, loads the model
// and has to predict the same numbers.
using System.Globalization;
using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions;

const int RowCount = 600;
const double RequiredAccuracy = 0.9; // of three well-separated clusters; guessing gives a third

if (args is not [("train" or "check") and var command, var folder])
{
    Console.Error.WriteLine("Usage: consumer train|check FOLDER");
    return 2;
}

string modelPath = Path.Combine(folder, "model.zip");
string scoresPath = Path.Combine(folder, "scores.txt");
var mlContext = new MLContext(seed: 1);
IDataView data = mlContext.Data.LoadFromEnumerable(Sample.Generate(RowCount, seed: 1));
return command == "train" ? Train() : Math.Max(Check(), await Serve());

int Train()
{
    var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
        .Append(mlContext.MulticlassClassification.Trainers.Mlp(
            labelColumnName: "Label", featureColumnName: "Features", hiddenLayers: [16], epochs: 20, batchSize: 32, learningRate: 0.01));
    ITransformer model = pipeline.Fit(data);
    mlContext.Model.Save(model, data.Schema, modelPath);
    File.WriteAllLines(scoresPath, Scores(model));

    // Use what only other packages bring along: SkiaSharp and System.Numerics.Tensors.
    model.Network().History!.SavePng(Path.Combine(folder, "history.png"));
    var features = mlContext.Transforms.NormalizeMinMax("Features", fixZero: false).Append(mlContext.Transforms.Rbm("Hidden", "Features", hiddenUnits: 4, epochs: 1));
    features.Fit(data).Dispose();
    if (!RemembersRows().GetAwaiter().GetResult())
        return 1;

    double accuracy = mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy;
    Console.WriteLine($"trained: accuracy {accuracy:F3}");
    return accuracy >= RequiredAccuracy ? 0 : 1;
}

// The package with the galleries: what is added is found again, by the native library of SQLite.
async Task<bool> RemembersRows()
{
    using var store = new SqliteGalleryStore(Path.Combine(folder, "gallery.db"), modelFingerprint: "consumer");
    var points = store.GetCollection<int, Point>("points");
    await points.EnsureCollectionExistsAsync();
    await points.UpsertAsync(Enumerable.Range(0, 50).Select(number => new Point { Number = number, Place = [number, number * number] }));
    IDataView found = mlContext.Data.FindNeighbors(mlContext.Data.LoadFromEnumerable([new Point { Place = [7.1f, 49] }]), points, point => point.Number.ToString(CultureInfo.InvariantCulture), "Place", 1);
    return found.GetColumn<string[]>("NeighborNames").Single() is ["7"];
}

int Check()
{
    ITransformer model = mlContext.Model.Load(modelPath, out _);
    bool same = File.ReadAllLines(scoresPath).SequenceEqual(Scores(model));
    Console.WriteLine(same ? $"loaded: the same scores for {RowCount} rows" : "loaded: other scores than the trained model's");
    return same ? 0 : 1;
}

// Many at once, scored in blocks, give the scores that they get alone.
async Task<int> Serve()
{
    await using var predictor = BatchedPredictor.Load(modelPath);
    var answers = await Task.WhenAll(Sample.Generate(RowCount, seed: 1).Select(sample => predictor.PredictAsync<Sample, Prediction>(sample)));
    var expected = File.ReadLines(scoresPath).SelectMany(line => line.Split(' ')).Select(text => float.Parse(text, CultureInfo.InvariantCulture));
    var largest = answers.SelectMany(answer => answer.Score).Zip(expected, (a, b) => Math.Abs(a - b)).Max();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"served: {answers.Length} rows, greatest difference {largest:G2}"));
    return largest < 1e-5 ? 0 : 1;
}

IEnumerable<string> Scores(ITransformer model)
    => mlContext.Data.CreateEnumerable<Prediction>(model.Transform(data), reuseRowObject: false)
        .Select(row => string.Join(' ', row.Score.Select(score => score.ToString("R", CultureInfo.InvariantCulture))));

internal sealed class Prediction
{
    public float[] Score { get; set; } = [];
}

internal sealed class Sample
{
    public string Label { get; set; } = "";

    [VectorType(4)]
    public float[] Features { get; set; } = [];

    /// <summary>Three clusters, one an axis.</summary>
    internal static List<Sample> Generate(int count, int seed)
    {
        var random = new Random(seed);
        var samples = new List<Sample>();
        for (int i = 0; i < count; i++)
        {
            float[] features = [.. Enumerable.Range(0, 4).Select(_ => random.NextSingle() - 0.5f)];
            features[i % 3] += 2;
            samples.Add(new Sample { Label = $"class {i % 3}", Features = features });
        }
        return samples;
    }
}

internal sealed class Point
{
    [VectorStoreKey]
    public int Number { get; set; }

    [VectorStoreVector(2, DistanceFunction = DistanceFunction.EuclideanDistance), VectorType(2)]
    public float[] Place { get; set; } = [];
}
