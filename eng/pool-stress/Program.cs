using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions;

// [SECONDS]: an ASP.NET server with a pool of engines, 16 requests at a time, for half of the seconds each (60 in all by default)
//   with engines that leave the model alone, as docs/serving.md says: every answer must be that of the model;
//   with engines that own it: the pool disposes those it does not keep, and the model with them. No crash, no other answer, only ObjectDisposedException.
// The exit code is 1 when anything else happened.
const int Parallel = 16;

var seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 60;
var ml = new MLContext(1);
var random = new Random(1);
var rows = Enumerable.Range(0, 200).Select(_ => new Row { Features = Enumerable.Range(0, 8).Select(_ => random.NextSingle()).ToArray() }).ToArray();
foreach (var row in rows)
    row.Label = row.Features[0] + row.Features[1];
var data = ml.Data.LoadFromEnumerable(rows);
var isGood = true;
foreach (var owns in new[] { false, true })
{
    // More engines than the pool keeps: it disposes the rest.
    using var model = ml.Regression.Trainers.Mlp(hiddenLayers: [16], epochs: 5).Fit(data);
    var expected = model.Transform(data).GetColumn<float>("Score").ToArray();
    var pool = new DefaultObjectPoolProvider { MaximumRetained = 1 }.Create(new EnginePolicy(ml, model, owns));
    var (right, wrong, disposed, other) = await Stress(pool, rows, expected, TimeSpan.FromSeconds(seconds / 2));
    Console.WriteLine($"engines that {(owns ? "own the model" : "leave the model alone")}: {right} right answers, {wrong} wrong, {disposed} ObjectDisposedException, {other} other errors");
    isGood &= right > 0 && wrong == 0 && other == 0 && owns == disposed > 0;
}
return isGood ? 0 : 1;

static async Task<(long Right, long Wrong, long Disposed, long Other)> Stress(ObjectPool<PredictionEngine<Row, Answer>> pool, Row[] rows, float[] expected, TimeSpan time)
{
    var builder = WebApplication.CreateSlimBuilder();
    builder.Logging.ClearProviders();
    builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
    await using var app = builder.Build();
    app.MapGet("/{row:int}", (int row) =>
    {
        PredictionEngine<Row, Answer>? engine = null;
        try
        {
            engine = pool.Get();
            Thread.Yield(); // others borrow meanwhile
            return Results.Text(engine.Predict(rows[row]).Score.ToString("R", CultureInfo.InvariantCulture));
        }
        catch (ObjectDisposedException)
        {
            return Results.StatusCode((int)HttpStatusCode.Gone);
        }
        finally
        {
            if (engine != null)
                pool.Return(engine);
        }
    });
    await app.StartAsync();
    var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    using var client = new HttpClient { BaseAddress = new Uri(address) };
    using var end = new CancellationTokenSource(time);
    long right = 0, wrong = 0, disposed = 0, other = 0;
    await Task.WhenAll(Enumerable.Range(0, Parallel).Select(worker => Task.Run(async () =>
    {
        for (var i = worker; !end.IsCancellationRequested; i = (i + 7) % rows.Length)
        {
            using var answer = await client.GetAsync(new Uri($"/{i}", UriKind.Relative));
            if (answer.StatusCode == HttpStatusCode.Gone)
                Interlocked.Increment(ref disposed);
            else if (answer.StatusCode != HttpStatusCode.OK)
                Interlocked.Increment(ref other);
            else if (Math.Abs(float.Parse(await answer.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture) - expected[i]) < 1e-5)
                Interlocked.Increment(ref right);
            else
                Interlocked.Increment(ref wrong);
        }
    })));
    await app.StopAsync();
    return (right, wrong, disposed, other);
}

internal sealed class Row
{
    [VectorType(8)]
    public float[] Features { get; set; } = [];

    public float Label { get; set; }
}

internal sealed class Answer
{
    public float Score { get; set; }
}

internal sealed class EnginePolicy(MLContext ml, ITransformer model, bool owns) : PooledObjectPolicy<PredictionEngine<Row, Answer>>
{
    public override PredictionEngine<Row, Answer> Create() => ml.Model.CreatePredictionEngine<Row, Answer>(model, new PredictionEngineOptions { OwnsTransformer = owns });

    public override bool Return(PredictionEngine<Row, Answer> obj) => true;
}
