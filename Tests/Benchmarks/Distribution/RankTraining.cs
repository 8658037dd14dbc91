namespace MLExtensions.Benchmarks;

/// <summary>
/// Two ranks with one thread each against one process with one thread, the same global batch: examples per second of all but the first epoch, and
/// the time of a cross-validation. Needs mpirun; without it nothing is measured.
/// </summary>
internal sealed class RankTraining : IBenchmark
{
    private const double Asked = 1.7;

    public string Name => "ranks";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        foreach (var (kind, batch, floor) in new (string, int, double?)[] { ("mlp", 128, null), ("mlp", 1024, null), ("cnn", 512, Asked), ("resnet", 128, Asked), ("language", 20, Asked), ("language", 64, null) })
            yield return Compare(settings, kind, batch, floor, "examples/s", isTime: false);
        yield return Compare(settings, RankChild.Folds, 10, Asked, "seconds", isTime: true);
        yield return Compare(settings, RankChild.SmallFolds, 10, null, "seconds", isTime: true);
    }

    private static ResultRow Compare(BenchmarkSettings settings, string kind, int size, double? floor, string unit, bool isTime)
    {
        var (one, two) = (new List<double>(), new List<double>());
        for (var round = 0; round < settings.Rounds; round++)
        {
            one.Add(RankChild.Measure(1, kind, size));
            two.Add(RankChild.Measure(2, kind, size));
        }
        var ratio = isTime ? Median(one) / Median(two) : Median(two) / Median(one);
        var bests = isTime ? one.Min() / two.Min() : two.Max() / one.Max();
        return new ResultRow(
            $"{kind} {size}, 2 ranks of 1 thread against 1 process of 1 thread",
            floor == null ? "" : FormattableString.Invariant($">= {floor:F1}x"),
            FormattableString.Invariant($"{ratio:F2}x (bests {bests:F2}x){(ratio < floor ? " MISSED" : "")}"),
            FormattableString.Invariant($"{Median(two):G4} and {Median(one):G4} {unit}"));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
