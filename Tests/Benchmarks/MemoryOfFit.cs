using System.Globalization;

namespace MLExtensions.Benchmarks;

/// <summary>How much the peak of resident memory grows during Fit, as a multiple of the features' size; in a process of its own.</summary>
internal sealed class MemoryOfFit : IBenchmark
{
    public const string ChildCommand = "memory-of-fit";

    public string Name => "memory";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var rows = BenchmarkSettings.TrainingRowCount;
        foreach (var countIsKnown in new[] { true, false })
        {
            var numbers = ChildProcess.Run(ChildCommand, rows.ToString(CultureInfo.InvariantCulture), countIsKnown.ToString());
            var (before, peak) = (numbers[0], numbers[1]);
            var features = (double)rows * ImageRow.Width * sizeof(float);
            var what = $"growth of peak memory in Fit over the features' size, {rows} x {ImageRow.Width}, row count {(countIsKnown ? "known" : "unknown")}";
            var details = FormattableString.Invariant($"features {features / 1e6:F0} MB, {before / 1e6:F0} MB before, peak {peak / 1e6:F0} MB");
            yield return Bound.AtMost(what, 1.5, (peak - before) / features, "F2", details);
        }
    }

    /// <summary>Fits in this process and prints the resident bytes before and at the peak.</summary>
    public static int RunChild(string[] arguments)
    {
        var rows = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        var countIsKnown = bool.Parse(arguments[1]);
        var trainer = new ImageTrainer();
        // Loads libtorch, compiles the code and fills the allocators' first blocks.
        trainer.Fit(new GeneratedImages(2000, countIsKnown), _ => { }).Dispose();
        Timing.CollectGarbage();
        using var peak = new ResidentPeak();
        trainer.Fit(new GeneratedImages(rows, countIsKnown), _ => { }).Dispose();
        Console.WriteLine(FormattableString.Invariant($"{peak.Before} {peak.Read()}"));
        return 0;
    }
}
