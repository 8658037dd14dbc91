using System.Globalization;

namespace MLExtensions.Benchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed class BenchmarkSettings
{
    public const int TrainingRowCount = 60_000;

    private readonly Lazy<ImageSet> _training;

    private BenchmarkSettings(int rounds, int rows, string? mnistFolder, int gigabytes)
    {
        Rounds = rounds;
        Gigabytes = gigabytes;
        MnistFolder = mnistFolder;
        _training = new Lazy<ImageSet>(() => mnistFolder == null
            ? ImageSet.Synthetic(rows, seed: 1)
            : MnistFiles.Read(mnistFolder, "train").Take(rows));
    }

    /// <summary>How often each contender is measured.</summary>
    public int Rounds { get; }

    /// <summary>The size of the features of data that is larger than memory.</summary>
    public double Gigabytes { get; }

    /// <summary>MNIST's IDX files, or null: then images are made up.</summary>
    public string? MnistFolder { get; }

    /// <summary>The benchmarks to run; empty for all.</summary>
    public IReadOnlyList<string> Names { get; private init; } = [];

    /// <summary>Shows where a training step's time goes instead.</summary>
    public bool Profile { get; private init; }

    /// <summary>The images that most benchmarks work on.</summary>
    public ImageSet Training => _training.Value;

    /// <exception cref="ArgumentException">An argument is not known, or its value is wrong.</exception>
    public static BenchmarkSettings Parse(IEnumerable<string> arguments)
    {
        var names = new List<string>();
        int rounds = 7, rows = TrainingRowCount, gigabytes = 20;
        string? mnistFolder = null;
        var profile = false;
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var argument))
        {
            switch (argument)
            {
                case "--rounds":
                    rounds = Number(argument, rest);
                    break;
                case "--rows":
                    rows = Number(argument, rest);
                    break;
                case "--gigabytes":
                    gigabytes = Number(argument, rest);
                    break;
                case "--mnist":
                    mnistFolder = Value(argument, rest);
                    break;
                case "--profile":
                    profile = true;
                    break;
                case var name when !name.StartsWith('-'):
                    names.Add(name);
                    break;
                default:
                    throw new ArgumentException($"'{argument}' is not known. Usage: [NAME...] [--rounds N] [--rows N] [--gigabytes N] [--mnist DIR] [--profile]");
            }
        }
        return new BenchmarkSettings(rounds, rows, mnistFolder, gigabytes) { Names = names, Profile = profile };
    }

    private static string Value(string option, Queue<string> rest) =>
        rest.TryDequeue(out var value) ? value : throw new ArgumentException($"{option} needs a value.");

    private static int Number(string option, Queue<string> rest)
    {
        var value = Value(option, rest);
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"{option} is '{value}'; it must be a whole number of at least 1.");
    }
}
