using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML;

namespace MLExtensions.Benchmarks;

/// <summary>
/// An epoch over a file that is larger than memory, streamed: its examples per second against reading alone, and how much memory grows in
/// Fit. Each side has a process of its own, in turns, and none finds the file in the system's cache. The file is made in the temporary
/// folder and deleted.
/// </summary>
internal sealed class StreamedEpoch : IBenchmark
{
    public const string ChildCommand = "streaming-child";

    private const double Megabyte = 1e6;
    private const double LargestGrowth = 500;

    // Text takes ten times as long; what is parsed is no other for more rows.
    private const int TextShare = 40;

    public string Name => "streaming-20gb";

    public bool IsRare => true;

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings) =>
    [
        .. InFolder(folder => Measure(settings, folder, isText: false, settings.Gigabytes)),
        .. InFolder(folder => Measure(settings, folder, isText: true, settings.Gigabytes / TextShare)),
    ];

    /// <summary>Reads or trains in this process, and prints what it took.</summary>
    public static int RunChild(string[] arguments)
    {
        var (isText, path) = (bool.Parse(arguments[1]), arguments[2]);
        var ml = new MLContext(1);
        // Loads libtorch, compiles the code and fills the allocators' first blocks.
        for (var isWarm = false; ; isWarm = true)
        {
            var file = new LargeFile(isWarm ? path : path + LargeFile.SmallSuffix, isText);
            LargeFile.DropFromCache(file.Path);
            Timing.CollectGarbage();
            using var peak = new ResidentPeak();
            var start = Environment.CpuUsage.TotalTime;
            var run = arguments[0] == nameof(LargeFile.Read) ? file.Read(ml) : Train(ml, file.Open(ml));
            var processor = (Environment.CpuUsage.TotalTime - start).TotalSeconds;
            if (!isWarm)
                continue;
            Console.WriteLine(FormattableString.Invariant($"{run.Rows} {run.Seconds} {run.Whole} {processor} {peak.Before} {peak.Read()}"));
            return 0;
        }
    }

    /// <summary>Lends a temporary folder, which is deleted whatever happens.</summary>
    private static ResultRow[] InFolder(Func<string, ResultRow[]> measure)
    {
        var folder = Directory.CreateTempSubdirectory("mlextensions-streaming-");
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => folder.Delete(recursive: true));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => folder.Delete(recursive: true));
        try
        {
            var rows = measure(folder.FullName);
            folder.Delete(recursive: true);
            return rows;
        }
        catch // an exception that nobody catches would end the process before a finally
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    private static ResultRow[] Measure(BenchmarkSettings settings, string folder, bool isText, double gigabytes)
    {
        var path = Path.Combine(folder, "rows");
        var rows = (long)(gigabytes * 1e9 / LargeFile.BytesPerRow);
        var making = Timing.Seconds(() => LargeFile.Write(path, rows, isText));
        LargeFile.Write(path + LargeFile.SmallSuffix, Math.Min(rows, 2_000), isText);
        var size = new FileInfo(path).Length;
        Console.Error.Write(FormattableString.Invariant($" [{size / 1e9:F2} GB made in {making:F0} s]"));
        var (reads, trainings) = (new List<StreamedRun>(), new List<StreamedRun>());
        for (var round = 0; round < settings.Rounds; round++)
        {
            var isEven = round % 2 == 0; // every other one in reverse
            if (isEven)
                reads.Add(Child(nameof(LargeFile.Read), isText, path));
            trainings.Add(Child(nameof(Train), isText, path));
            if (!isEven)
                reads.Add(Child(nameof(LargeFile.Read), isText, path));
        }
        var ours = new Samples("an epoch", trainings.Select(run => run.Seconds));
        var comparison = new Comparison(ours, new Samples("reading alone", reads.Select(run => run.Seconds)));
        var what = FormattableString.Invariant($"{gigabytes:G3} GB of features ({rows:#,0} x {LargeFile.Width}) streamed from {(isText ? "text" : "ML.NET's binary format")}, a file of {size / 1e9:F1} GB, {LargeFile.Width}-32-10, batch 128");
        var speed = Bound.Row($"{what}: an epoch against reading alone", 0.9, comparison, "rows", rows);
        speed = speed with { Details = FormattableString.Invariant($"{speed.Details}; whole Fit {trainings.Average(run => run.Whole):F0} s; processor {trainings.Average(run => run.Processor):F0} s against {reads.Average(run => run.Processor):F0} s") };
        if (trainings.Concat(reads).FirstOrDefault(run => run.Rows != rows) is { } other)
            throw new InvalidOperationException(FormattableString.Invariant($"{other.Rows} of {rows} rows were read."));
        var worst = trainings.MaxBy(run => run.Peak - run.Before)!;
        var memory = Bound.AtMost("the same: growth of peak memory in Fit, MB", LargestGrowth, (worst.Peak - worst.Before) / Megabyte, "F0", FormattableString.Invariant($"{worst.Before / Megabyte:F0} MB before, peak {worst.Peak / Megabyte:F0} MB; reading alone grows by {reads.Max(run => run.Peak - run.Before) / Megabyte:F0} MB"));
        return [speed, memory];
    }

    private static StreamedRun Child(string what, bool isText, string path)
    {
        var numbers = ChildProcess.Run(ChildCommand, what, isText.ToString(CultureInfo.InvariantCulture), path);
        return new StreamedRun((long)numbers[0], numbers[1], numbers[2]) { Processor = numbers[3], Before = numbers[4], Peak = numbers[5] };
    }

    private static StreamedRun Train(MLContext ml, IDataView data)
    {
        TrainingHistory? history = null;
        var whole = Timing.Seconds(() =>
        {
            using var model = ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options
            {
                HiddenLayers = [32],
                BatchSize = 128,
                Epochs = 1,
                ThreadCount = 1,
                Buffering = Buffering.Streaming,
            }).Fit(data);
            history = model.History;
        });
        return new StreamedRun(history!.Epochs[0].Examples, history.Epochs[0].Seconds, whole);
    }
}

/// <summary>What a process did.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Seconds">The seconds of one pass over the features.</param>
/// <param name="Whole">The seconds of everything, the pass over the labels included.</param>
internal sealed record StreamedRun(long Rows, double Seconds, double Whole)
{
    /// <summary>The processor seconds of everything.</summary>
    public double Processor { get; init; }

    /// <summary>The resident bytes at the beginning.</summary>
    public double Before { get; init; }

    /// <summary>The most resident bytes.</summary>
    public double Peak { get; init; }
}
