using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MLExtensions.Benchmarks;

/// <summary>scikit-learn's BernoulliRBM in a Python of its own, where the machine has one (Debian's package python3-sklearn).</summary>
/// <remarks>The time is that of <c>fit</c> alone, on a float32 array in memory. The variable PYTHON names another interpreter.</remarks>
internal sealed class ScikitLearnRbm : IDisposable
{
    private const string Script = """
        import sys, time, numpy
        from sklearn.neural_network import BernoulliRBM
        file, width, hidden, batch, epochs, rate = sys.argv[1], *map(int, sys.argv[2:6]), float(sys.argv[6])
        rows = numpy.fromfile(file, numpy.float32).reshape(-1, width)
        machine = BernoulliRBM(n_components=hidden, learning_rate=rate, batch_size=batch, n_iter=epochs, random_state=1)
        start = time.perf_counter()
        machine.fit(rows)
        print(time.perf_counter() - start)
        """;

    private static readonly string Python = Environment.GetEnvironmentVariable("PYTHON") ?? "/usr/bin/python3";

    private readonly string _file = Path.GetTempFileName();

    public ScikitLearnRbm(IReadOnlyList<float[]> rows)
    {
        using var stream = File.Create(_file);
        foreach (var row in rows)
            stream.Write(MemoryMarshal.AsBytes<float>(row));
    }

    /// <summary>Whether there is one.</summary>
    public static bool IsInstalled()
    {
        try
        {
            return Run("-c", "import sklearn.neural_network") != null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    /// <summary>The seconds of a fit.</summary>
    public double Fit(int width, int hidden, int batch, int epochs, double rate)
    {
        string[] numbers = [.. new double[] { width, hidden, batch, epochs, rate }.Select(value => value.ToString(CultureInfo.InvariantCulture))];
        var output = Run(["-c", Script, _file, .. numbers]) ?? throw new InvalidOperationException("scikit-learn's process failed.");
        return double.Parse(output, CultureInfo.InvariantCulture);
    }

    public void Dispose() => File.Delete(_file);

    private static string? Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : null;
    }
}
