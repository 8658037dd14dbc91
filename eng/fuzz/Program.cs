using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MLExtensions.Fuzz;

// Random valid options of every family, trained on tiny data: nothing may crash, hang, end in a native message, or give a model of NaN.
//   eng/fuzz [--cases N] [--seconds S] [--seed K] [--case I] [--family F]
// --cases    2000 by default; --seconds  ends earlier; --seed  other cases; --case  only this one, in this process; --family  only the F-th, from 0.
// The exit code is 1 when a fault was found. The cases run in a child process, so that a crash or a hang is one fault, and the rest goes on.
const int SecondsOfOneCase = 60;

var settings = new Dictionary<string, int> { ["--cases"] = 2000, ["--seconds"] = 3600, ["--seed"] = 1, ["--case"] = -1, ["--child"] = -1, ["--family"] = -1 };
for (var i = 0; i < args.Length; i += 2)
{
    if (!settings.ContainsKey(args[i]) || i + 1 == args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
    {
        Console.Error.WriteLine($"'{args[i]}' is not known or has no number. Usage: [--cases N] [--seconds S] [--seed K] [--case I] [--family F]");
        return 2;
    }
    settings[args[i]] = number;
}
if (settings["--case"] >= 0)
{
    var one = new Case(settings["--case"], settings["--seed"], settings["--family"]);
    Console.WriteLine($"{one}\n{one.Run()}");
    return 0;
}
if (settings["--child"] >= 0)
{
    for (var number = settings["--child"]; number < settings["--cases"]; number++)
    {
        var one = new Case(number, settings["--seed"], settings["--family"]);
        Console.WriteLine($"at {one}");
        var (verdict, message) = one.Run();
        Console.WriteLine($"{verdict} {message.ReplaceLineEndings(" ")}");
    }
    return 0;
}
return Parent(settings);

static int Parent(Dictionary<string, int> settings)
{
    var clock = Stopwatch.StartNew();
    var counts = new int[Enum.GetValues<Verdict>().Length];
    var refusals = new Dictionary<string, int>();
    var next = 0;
    while (next < settings["--cases"] && clock.Elapsed.TotalSeconds < settings["--seconds"])
    {
        var (started, at) = (-1, "");
        using var lines = new BlockingCollection<string>();
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--child", $"{next}", "--cases", $"{settings["--cases"]}", "--seed", $"{settings["--seed"]}", .. settings["--family"] < 0 ? Array.Empty<string>() : ["--family", $"{settings["--family"]}"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = new ConcurrentQueue<string>();
        child.ErrorDataReceived += (_, e) => errors.Enqueue(e.Data ?? "");
        child.OutputDataReceived += (_, e) =>
        {
            if (e.Data is not null)
                lines.Add(e.Data);
            else
                lines.CompleteAdding();
        };
        child.BeginOutputReadLine();
        child.BeginErrorReadLine();
        var isOver = false;
        while (!isOver)
        {
            if (!lines.TryTake(out var line, TimeSpan.FromSeconds(SecondsOfOneCase)))
            {
                isOver = true;
                if (lines.IsCompleted && next >= settings["--cases"])
                    continue;
                Report(lines.IsCompleted ? $"crash: {string.Join(' ', errors.Where(text => text.Length > 0 && !text.Contains("NNPACK", StringComparison.Ordinal)).Take(3))}" : "hang");
                next = started + 1;
            }
            else if (line.StartsWith("at ", StringComparison.Ordinal))
            {
                at = line[3..];
                started = int.Parse(at[..at.IndexOf(' ')], CultureInfo.InvariantCulture);
            }
            else if (Enum.TryParse<Verdict>(line.Split(' ')[0], out var verdict))
            {
                next = started + 1;
                if (verdict == Verdict.Fault)
                    Report(line["Fault ".Length..]);
                else
                    counts[(int)verdict]++;
                if (verdict == Verdict.Refused)
                    refusals[line] = refusals.GetValueOrDefault(line) + 1;
                isOver = clock.Elapsed.TotalSeconds >= settings["--seconds"];
            }
        }
        child.Kill();
        child.WaitForExit();

        void Report(string what)
        {
            counts[(int)Verdict.Fault]++;
            Console.WriteLine($"fault: {at}\n       {what}");
        }
    }
    foreach (var (message, count) in refusals.OrderByDescending(pair => pair.Value).Take(40))
        Console.WriteLine($"{count,4} {message}");
    Console.WriteLine($"{next} cases in {clock.Elapsed.TotalSeconds:F0} s: {string.Join(", ", Enum.GetValues<Verdict>().Select(verdict => $"{counts[(int)verdict]} {verdict}"))}".ToLowerInvariant());
    return counts[(int)Verdict.Fault] > 0 ? 1 : 0;
}
