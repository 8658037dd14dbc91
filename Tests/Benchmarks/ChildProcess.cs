using System.Diagnostics;
using System.Globalization;

namespace MLExtensions.Benchmarks;

/// <summary>This program again, in a process of its own, for figures that others' memory would spoil.</summary>
internal static class ChildProcess
{
    /// <summary>Runs a command and reads the numbers that it prints.</summary>
    public static double[] Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Run(start);
    }

    /// <summary>Starts a program and reads the numbers that it prints.</summary>
    public static double[] Run(ProcessStartInfo start)
    {
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0)
            throw new InvalidOperationException($"The process '{start.FileName}' ended with code {child.ExitCode}.");
        return Array.ConvertAll(output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), text => double.Parse(text, CultureInfo.InvariantCulture));
    }
}
