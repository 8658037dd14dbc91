using System.Text.Json;
using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.PoolServer;

// PoolServer make DIR: a perceptron 784-128-32-10 in DIR/mnist/1/model.zip, and a request for each protocol beside it.
// PoolServer serve FILE URL: serves the model.
if (args is ["make", var folder])
    ModelMaker.Make(folder);
else if (args is ["serve", var file, var url])
    Server.Run(file, url);
else
    Console.Error.WriteLine("PoolServer make DIR, or PoolServer serve FILE URL");

namespace MLExtensions.PoolServer
{
    internal static class Server
    {
        public static void Run(string file, string url)
        {
            var ml = new MLContext();
            var model = ml.Model.Load(file, out _);
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls(url);
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<ObjectPool<PredictionEngine<Digit, Answer>>>(new DefaultObjectPoolProvider().Create(new EnginePolicy(ml, model)));
            var app = builder.Build();
            app.MapPost("/predict", (Digit digit, ObjectPool<PredictionEngine<Digit, Answer>> engines) =>
            {
                if (digit.Features is not { Length: 784 })
                    return Results.BadRequest("Features: 784 numbers are needed.");
                var engine = engines.Get();
                try
                {
                    return Results.Ok(engine.Predict(digit));
                }
                finally
                {
                    engines.Return(engine);
                }
            });
            app.Run();
        }
    }

    internal static class ModelMaker
    {
        /// <summary>Random rows: what a model has learned does not change how long it takes.</summary>
        public static void Make(string folder)
        {
            var ml = new MLContext(seed: 1);
            var random = new Random(1);
            var rows = Enumerable.Range(0, 500).Select(i => new LabeledDigit { Features = Pixels(random), Label = (uint)(i % 10) }).ToArray();
            var data = ml.Data.LoadFromEnumerable(rows);
            var model = ml.Transforms.Conversion.MapValueToKey("Label")
                .Append(ml.Transforms.NormalizeMinMax("Features"))
                .Append(ml.MulticlassClassification.Trainers.Mlp(hiddenLayers: [128, 32], epochs: 2))
                .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
                .Fit(data);
            Directory.CreateDirectory(Path.Combine(folder, "mnist", "1"));
            ml.Model.Save(model, data.Schema, Path.Combine(folder, "mnist", "1", "model.zip"));
            WriteRequests(folder, Pixels(random));
        }

        private static void WriteRequests(string folder, float[] pixels)
        {
            File.WriteAllText(Path.Combine(folder, "pool.json"), JsonSerializer.Serialize(new { Features = pixels }));
            File.WriteAllText(Path.Combine(folder, "v1.json"), JsonSerializer.Serialize(new { instances = new[] { pixels } }));
            File.WriteAllText(Path.Combine(folder, "v2.json"), JsonSerializer.Serialize(new { inputs = new[] { new { name = "Features", shape = new[] { 1, 784 }, datatype = "FP32", data = pixels } } }));
        }

        /// <summary>A fifth of the pixels is not 0, as in MNIST; from 0 to 1, with the digits that a client writes.</summary>
        private static float[] Pixels(Random random) => Enumerable.Range(0, 784).Select(_ => random.Next(5) == 0 ? random.Next(1, 256) / 255f : 0).ToArray();
    }

    internal class Digit
    {
        [VectorType(784)]
        public float[] Features { get; set; } = [];

        // The step that maps labels to keys asks an engine for it.
        public uint Label { get; set; }
    }

    internal sealed class LabeledDigit : Digit;

    internal sealed class Answer
    {
        public uint PredictedLabel { get; set; }

        public float[] Score { get; set; } = [];
    }

    internal sealed class EnginePolicy(MLContext ml, ITransformer model) : PooledObjectPolicy<PredictionEngine<Digit, Answer>>
    {
        public override PredictionEngine<Digit, Answer> Create() => ml.Model.CreatePredictionEngine<Digit, Answer>(model, new PredictionEngineOptions { OwnsTransformer = false });

        public override bool Return(PredictionEngine<Digit, Answer> engine) => true;
    }
}
