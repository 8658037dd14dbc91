using System.Diagnostics;

namespace MLExtensions.Benchmarks;

/// <summary>One side of a comparison.</summary>
/// <param name="Name">What it is, for the details.</param>
/// <param name="Run">Does the work once and returns the seconds it took.</param>
internal sealed record Contender(string Name, Func<double> Run)
{
    public static Contender Of(string name, Action work) => new(name, () => Timing.Seconds(work));
}

/// <summary>The seconds of one contender's rounds.</summary>
internal sealed class Samples(string name, IEnumerable<double> seconds)
{
    private readonly double[] _sorted = seconds.Order().ToArray();

    public double Best => _sorted[0];

    public double Median => (_sorted[(_sorted.Length - 1) / 2] + _sorted[_sorted.Length / 2]) / 2;

    /// <summary>Median and best rate of a round that does so many units of work.</summary>
    public string Rate(double units, string unit) => $"{name} {Short(units / Median)} (best {Short(units / Best)}) {unit}/s";

    private static string Short(double value) => value switch
    {
        >= 1e6 => FormattableString.Invariant($"{value / 1e6:F2}M"),
        >= 1e4 => FormattableString.Invariant($"{value / 1e3:F0}k"),
        >= 100 => FormattableString.Invariant($"{value:F0}"),
        _ => FormattableString.Invariant($"{value:G3}"),
    };
}

/// <summary>How many times as fast our side is as the other.</summary>
internal sealed record Comparison(Samples Ours, Samples Theirs)
{
    public double RatioOfMedians => Theirs.Median / Ours.Median;

    public double RatioOfBests => Theirs.Best / Ours.Best;
}

/// <summary>Measures in turns, so that a disturbance of the machine meets every contender.</summary>
internal static class Timing
{
    public static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static Comparison Compare(int rounds, Contender ours, Contender theirs)
    {
        var samples = Measure(rounds, ours, theirs);
        return new Comparison(samples[0], samples[1]);
    }

    /// <summary>One round that does not count, then the rounds, every other one in reverse.</summary>
    public static Samples[] Measure(int rounds, params Contender[] contenders)
    {
        var seconds = Array.ConvertAll(contenders, _ => new List<double>());
        for (var round = -1; round < rounds; round++)
        {
            for (var turn = 0; turn < contenders.Length; turn++)
            {
                var index = round % 2 == 0 ? turn : contenders.Length - 1 - turn;
                CollectGarbage();
                var time = contenders[index].Run();
                if (round >= 0)
                    seconds[index].Add(time);
            }
        }
        return contenders.Select((contender, index) => new Samples(contender.Name, seconds[index])).ToArray();
    }

    /// <summary>One contender must not clean up after another.</summary>
    public static void CollectGarbage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
