using System.Globalization;
using Microsoft.ML;

namespace MLExtensions.Benchmarks;

/// <summary>An epoch over text files of 10 and of 200 MB, streamed: memory must not grow with the file. In processes of their own.</summary>
internal sealed class MemoryOfText : IBenchmark
{
    public const string ChildCommand = "memory-of-text";

    private const string Line = "The quick brown fox jumps over the lazy dog, and what the dog then says is not for print.";

    public string Name => "text-memory";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var growth = new List<double>();
        foreach (var megabytes in new[] { 10, 200 })
        {
            var numbers = ChildProcess.Run(ChildCommand, megabytes.ToString(CultureInfo.InvariantCulture));
            var (before, peak, seconds) = (numbers[0], numbers[1], numbers[2]);
            growth.Add(peak - before);
            var details = FormattableString.Invariant($"{before / 1e6:F0} MB before, peak {peak / 1e6:F0} MB; {seconds:F0} s, {megabytes / seconds:F2} MB of text/s (1 layer of 16)");
            yield return new ResultRow($"growth of peak memory in Fit on {megabytes} MB of text, streamed, an epoch", "", FormattableString.Invariant($"{growth[^1] / 1e6:F0} MB"), details);
        }
        yield return Bound.AtMost("the same, 200 MB over 10 MB", 1.5, growth[1] / growth[0], "F2", "");
    }

    /// <summary>Trains in this process and prints resident bytes before and at the peak, and the seconds.</summary>
    public static int RunChild(string[] arguments)
    {
        var megabytes = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        var path = Path.GetTempFileName();
        try
        {
            Write(path, 1);
            Fit(path);
            Write(path, megabytes);
            Timing.CollectGarbage();
            using var peak = new ResidentPeak();
            var seconds = Timing.Seconds(() => Fit(path));
            Console.WriteLine(FormattableString.Invariant($"{peak.Before} {peak.Read()} {seconds:F1}"));
            return 0;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Fit(string path)
    {
        var ml = new MLContext(1);
        var trainer = ml.LanguageModels.Trainers.Lstm(new LanguageModelEstimator.Options
        {
            Tokenization = Tokenization.Characters(),
            NumberOfLayers = 1,
            HiddenUnits = 16,
            BatchSize = 512,
            WindowLength = 32,
            Epochs = 1,
            ThreadCount = 1,
            Buffering = Buffering.Streaming,
        });
        trainer.Fit(ml.Data.LoadFromTextLines(path)).Dispose();
    }

    private static void Write(string path, int megabytes)
    {
        using var writer = new StreamWriter(path);
        for (long written = 0; written < megabytes * 1_000_000L; written += Line.Length + 1)
            writer.Write(Line + '\n');
    }
}
