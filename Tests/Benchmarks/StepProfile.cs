using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>Prints where a training step's time goes, the engine's and the hand-written loop's, on one thread.</summary>
internal static class StepProfile
{
    public static void Print(BenchmarkSettings settings)
    {
        set_num_threads(1);
        foreach (var batchSize in new[] { 128, 1024 })
        {
            using var engine = new EngineProfile(settings.Training, batchSize);
            using var loop = new HandWrittenProfile(settings.Training, batchSize);
            for (var round = -1; round < settings.Rounds; round++)
            {
                engine.RunEpoch(round + 2);
                loop.RunEpoch();
                if (round >= 0)
                    continue;
                engine.Times.Forget();
                engine.Whole.Forget();
                loop.Times.Forget();
            }
            Console.WriteLine($"A step of 784-128-32-10, batch {batchSize}, 1 thread: microseconds of processor time, medians of {settings.Rounds} epochs of {settings.Training.Count} rows");
            Print("engine, in parts", engine.Times);
            Print("engine, its own step", engine.Whole);
            Print("hand-written loop", loop.Times);
            Console.WriteLine();
        }
    }

    private static void Print(string title, PartTimes times)
    {
        var sum = times.Sum;
        var rows = times.Parts.Select(part => Row(part, times.Median(part), sum)).Append(Row("sum", sum, sum));
        TextTable.Print(Console.Out, [title.PadRight(28), "us/step", "share"], rows);
        Console.WriteLine();
    }

    private static string[] Row(string part, double microseconds, double sum) =>
        [part, FormattableString.Invariant($"{microseconds,7:F1}"), FormattableString.Invariant($"{100 * microseconds / sum,4:F0} %")];
}
