using System.Globalization;
using Microsoft.ML;

namespace MLExtensions.Benchmarks;

/// <summary>
/// Ten iterations of EM of 4 states over 100,000 and 1,000,000 observations in one sequence: seconds, and memory, which must not grow with states times
/// observations. In processes of their own.
/// </summary>
internal sealed class MarkovTraining : IBenchmark
{
    public const string ChildCommand = "memory-of-markov";

    private const int Iterations = 10;
    private const int States = 4;

    public string Name => "markov";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        foreach (var kind in new[] { "discrete", "gaussian" })
        {
            foreach (var buffering in new[] { Buffering.InMemory, Buffering.Streaming })
            {
                foreach (var rows in new[] { 100_000, 1_000_000 })
                {
                    var numbers = ChildProcess.Run(ChildCommand, kind, buffering.ToString(), rows.ToString(CultureInfo.InvariantCulture));
                    var (growth, fit, processor, score) = (numbers[0], numbers[1], numbers[2], numbers[3]);
                    var seconds = FormattableString.Invariant($"{fit:F2} s");
                    var details = FormattableString.Invariant($"{(Iterations + 1) * rows / fit / 1e6:F1} million observations/s; processor time {processor:F2} s; peak memory {growth / 1e6:F0} MB more than before; all columns of the rows in {score:F2} s");
                    yield return new ResultRow(FormattableString.Invariant($"{kind}, {States} states, {rows} observations, {buffering}, {Iterations} iterations, 1 thread"), "", seconds, details);
                }
            }
        }
    }

    /// <summary>Trains and scores in this process; prints the growth of resident bytes in <c>Fit</c>, its seconds and processor seconds, and the seconds of scoring.</summary>
    public static int RunChild(string[] arguments)
    {
        var (kind, buffering, rows) = (arguments[0], Enum.Parse<Buffering>(arguments[1]), int.Parse(arguments[2], CultureInfo.InvariantCulture));
        var ml = new MLContext(1);
        Fit(ml, kind, buffering, 1000);
        Timing.CollectGarbage();
        HiddenMarkovTransformer? model = null;
        double growth, fit, processor;
        using (var peak = new ResidentPeak())
        {
            var before = Environment.CpuUsage.TotalTime;
            fit = Timing.Seconds(() => model = Fit(ml, kind, buffering, rows));
            processor = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
            growth = peak.Read() - peak.Before;
        }
        var score = Timing.Seconds(() => Read(model!.Transform(View(ml, rows))));
        Console.WriteLine(FormattableString.Invariant($"{growth} {fit:F3} {processor:F3} {score:F3}"));
        return 0;
    }

    private static HiddenMarkovTransformer Fit(MLContext ml, string kind, Buffering buffering, int rows)
    {
        HiddenMarkovOptions options = kind == "discrete" ? new DiscreteHiddenMarkovEstimator.Options { ObservationColumnName = nameof(Row.Symbol) } : new GaussianHiddenMarkovEstimator.Options { ObservationColumnName = nameof(Row.Value) };
        (options.NumbersOfStates, options.NumberOfStarts, options.MaximumIterations, options.Tolerance) = ([States], 1, Iterations, 0);
        (options.SequenceColumnName, options.Buffering, options.Seed) = (null, buffering, 1);
        var data = View(ml, rows);
        return options is DiscreteHiddenMarkovEstimator.Options discrete ? ml.HiddenMarkovModels.Trainers.Discrete(discrete).Fit(data) : ml.HiddenMarkovModels.Trainers.Gaussian((GaussianHiddenMarkovEstimator.Options)options).Fit(data);
    }

    private static void Read(IDataView output)
    {
        using var cursor = output.GetRowCursor(output.Schema);
        var (getState, state) = (cursor.GetGetter<uint>(output.Schema["PredictedState"]), 0u);
        var (getLikelihood, likelihood) = (cursor.GetGetter<double>(output.Schema["LogLikelihood"]), 0.0);
        while (cursor.MoveNext())
        {
            getState(ref state);
            getLikelihood(ref likelihood);
        }
    }

    private static IDataView View(MLContext ml, int rows) => ml.Data.LoadFromEnumerable(Rows(rows));

    /// <summary>Made as they are read: they take no memory.</summary>
    private static IEnumerable<Row> Rows(int count)
    {
        var row = new Row();
        var (state, noise) = (0, 1u);
        for (var i = 0; i < count; i++)
        {
            noise = (noise * 1664525) + 1013904223;
            state = (noise >> 8) % 20 == 0 ? (int)(noise >> 16) % States : state;
            row.Symbol = (uint)((state * 2) + ((noise >> 20) % 5)) % 8;
            row.Value = (3 * state) + (((noise >> 12) % 1000) / 250f);
            yield return row;
        }
    }

    private sealed class Row
    {
        [Microsoft.ML.Data.KeyType(8)]
        public uint Symbol { get; set; }

        public float Value { get; set; }
    }
}
