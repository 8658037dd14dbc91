// What a service that only scores does: loads a model, answers one row, then all of them. `ScoringConsumer MODEL SCORES` compares with the
// scores that the trained model had; `ScoringConsumer MODEL` says what the first answer takes.
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions;

if (args is not [var modelPath, .. var rest])
{
    Console.Error.WriteLine("Usage: scoring-consumer MODEL [SCORES]");
    return 2;
}

var ml = new MLContext(seed: 1);
var model = ml.Model.Load(modelPath, out var trained);
var schema = SchemaDefinition.Create(typeof(Row));
schema[nameof(Row.Features)].ColumnType = trained[nameof(Row.Features)].Type;
var width = ((VectorDataViewType)trained[nameof(Row.Features)].Type).Size;
var scoring = ((IEnumerable<ITransformer>)model).Where(step => !step.GetType().Name.StartsWith("ValueToKey", StringComparison.Ordinal)).ToArray();
var chain = new TransformerChain<ITransformer>(scoring);
using (var engine = ml.Model.CreatePredictionEngine<Row, Answer>(chain, new PredictionEngineOptions { InputSchemaDefinition = schema, OwnsTransformer = false }))
    engine.Predict(new Row { Features = new float[width] });
var sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
using var process = Process.GetCurrentProcess();
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"first answer after {sinceStart.TotalMilliseconds:0} ms, {process.PeakWorkingSet64 / 1e6:0} MB"));

var torch = File.ReadLines("/proc/self/maps").Count(line => line.Contains("libtorch", StringComparison.Ordinal) || line.Contains("LibTorchSharp", StringComparison.Ordinal));
Console.WriteLine(torch == 0 ? "no libtorch in the process" : "libtorch in the process");
if (rest is not [var scoresPath])
    return 0;

var expected = File.ReadAllLines(scoresPath).Select(line => line.Split(' ').Select(text => float.Parse(text, CultureInfo.InvariantCulture)).ToArray()).ToArray();
var data = ml.Data.LoadFromEnumerable(Row.Generate(expected.Length, seed: 1), schema);
var answers = ml.Data.CreateEnumerable<Answer>(chain.Transform(data), reuseRowObject: false).Select(answer => answer.Score).ToArray();
var largest = expected.Zip(answers, (x, y) => x.Zip(y, (a, b) => Math.Abs(a - b)).Max()).Max();
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{answers.Length} rows, greatest difference {largest:G2}"));
var message = NeedsLibtorch();
Console.WriteLine(message);
return torch == 0 && largest < 1e-5 && message.Contains("ONNX Runtime is there", StringComparison.Ordinal) ? 0 : 1;

// What only libtorch can do says so, in a sentence.
string NeedsLibtorch()
{
    chain.SetScoring(new ScoringOptions { Engine = ScoringEngine.LibTorch });
    try
    {
        chain.Transform(data).GetColumn<float[]>("Score").First();
        return "libtorch is not missing";
    }
    catch (TorchNotAvailableException e)
    {
        return e.Message;
    }
}

internal sealed class Answer
{
    public float[] Score { get; set; } = [];
}

internal sealed class Row
{
    public float[] Features { get; set; } = [];

    /// <summary>The rows of the other consumer: three clusters, one an axis.</summary>
    internal static List<Row> Generate(int count, int seed)
    {
        var random = new Random(seed);
        var rows = new List<Row>();
        for (var i = 0; i < count; i++)
        {
            float[] features = [.. Enumerable.Range(0, 4).Select(_ => random.NextSingle() - 0.5f)];
            features[i % 3] += 2;
            rows.Add(new Row { Features = features });
        }
        return rows;
    }
}
