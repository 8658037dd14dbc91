namespace MLExtensions.Benchmarks;

/// <summary>
/// A model of more ranks than there are cores here. Measured are the time of a step by the batch, in one process of one thread, and that of a sum
/// over two ranks by its length. Assumed are ranks that do not disturb each other, and sums that take 2 log2(W) messages after each other and move
/// 2 (W - 1) / W times the gradients over each rank's network (Rabenseifner's algorithm).
/// </summary>
internal sealed class RankScaling : IBenchmark
{
    private static readonly int[] Worlds = [2, 4, 8, 16];

    public string Name => "rank-scaling";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var (small, large) = (RankChild.Measure(2, RankChild.Sum, 1), RankChild.Measure(2, RankChild.Sum, 4_000_000));
        var here = new Network("this machine's memory", small / 2, (large - small) / (4_000_000 * sizeof(float)));
        yield return new ResultRow("a sum over 2 ranks", "", FormattableString.Invariant($"{small * 1e6:F0} us for 1 number, {large * 1e3:F1} ms for 4,000,000"), "");
        Network[] networks = [here, new("10 Gbit/s, 50 us", 50e-6, 8 / 10e9), new("1 Gbit/s, 10 ms", 10e-3, 8 / 1e9)];
        // Of text, an example is a token; a step has 20 of each stream.
        foreach (var (kind, batch, examples, weights) in new[] { ("mlp", 128, 1, 105_000), ("cnn", 512, 1, 421_642), ("resnet", 128, 1, 272_474), ("language", 20, 20, 4_650_000), ("language", 64, 20, 4_650_000) })
        {
            var steps = new[] { 1 }.Concat(Worlds).Where(world => batch / world > 0).ToDictionary(world => world, world => batch / world * examples / RankChild.Measure(1, kind, Math.Max(1, batch / world)));
            foreach (var network in networks)
            {
                yield return new ResultRow($"{kind} {batch}, strong scaling, {network.Name}", "", string.Join(", ", Worlds.Where(steps.ContainsKey).Select(world => Text(world, steps[1] / (steps[world] + network.SecondsOfSum(world, weights))))), "");
                yield return new ResultRow($"{kind} {batch} a rank, weak scaling, {network.Name}", "", string.Join(", ", Worlds.Select(world => Text(world, world * steps[1] / (steps[1] + network.SecondsOfSum(world, weights))))), "");
            }
        }
    }

    private static string Text(int world, double speed) => FormattableString.Invariant($"{world}: {speed:F1}x");

    /// <param name="Name">What it is.</param>
    /// <param name="Latency">The seconds of a message.</param>
    /// <param name="SecondsPerByte">The seconds of a byte.</param>
    private sealed record Network(string Name, double Latency, double SecondsPerByte)
    {
        public double SecondsOfSum(int world, int numbers) => (2 * Math.Log2(world) * Latency) + (2.0 * (world - 1) / world * numbers * sizeof(float) * SecondsPerByte);
    }
}
