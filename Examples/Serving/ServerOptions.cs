using System.Globalization;

namespace MLExtensions.Examples.Serving;

/// <summary>What the command line says.</summary>
internal sealed record ServerOptions
{
    /// <summary>The folder of the models.</summary>
    public string Models { get; init; } = "";

    /// <summary>Where the server listens; loopback unless told otherwise.</summary>
    public string Url { get; init; } = "http://127.0.0.1:8080";

    /// <summary>What requests must bring; null for nothing.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Whether only the last version of each model is loaded.</summary>
    public bool LatestOnly { get; init; }

    /// <summary>Whether the log is JSON.</summary>
    public bool JsonLog { get; init; }

    /// <summary>The most bytes of a request.</summary>
    public int BodyLimit { get; init; } = 32 << 20;

    /// <summary>The most connections.</summary>
    public int Connections { get; init; } = 16384;

    /// <summary>How often the folder is looked at.</summary>
    public TimeSpan WatchInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long connections that are there when the server is told to end may bring a request.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How models are served.</summary>
    public BatchedPredictorOptions Prediction { get; init; } = new();

    /// <summary>Reads the command line.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="output">Takes what is wrong, or help.</param>
    /// <returns>Null if something is wrong, or help was asked for.</returns>
    public static ServerOptions? Parse(IReadOnlyList<string> args, TextWriter output)
    {
        var options = new ServerOptions();
        try
        {
            for (var i = 0; i < args.Count; i++)
            {
                if (args[i] is "--help" or "-h")
                {
                    output.WriteLine(Help);
                    return null;
                }
                string Value() => ++i < args.Count ? args[i] : throw new ArgumentException($"{args[i - 1]} needs a value.");
                options = args[i] switch
                {
                    "--latest-only" => options with { LatestOnly = true },
                    "--json-log" => options with { JsonLog = true },
                    var name => With(options, name, Value()),
                };
            }
            if (!Directory.Exists(options.Models))
                throw new ArgumentException(options.Models.Length == 0 ? "--models is missing: the folder of the models." : $"--models: there is no folder '{Path.GetFullPath(options.Models)}'.");
            return options;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            output.WriteLine(e.Message);
            output.WriteLine("--help lists the options.");
            return null;
        }
    }

    private static ServerOptions With(ServerOptions options, string name, string value) => name switch
    {
        "--models" => options with { Models = value },
        "--url" => options with { Url = Uri.TryCreate(value, UriKind.Absolute, out _) || value.Contains("://", StringComparison.Ordinal) ? value : throw new ArgumentException($"--url is '{value}'; it must be like http://0.0.0.0:8080.") },
        "--api-key" => options with { ApiKey = value },
        "--body-limit" => options with { BodyLimit = Count(name, value) },
        "--connections" => options with { Connections = Count(name, value) },
        "--watch" => options with { WatchInterval = Seconds(name, value) },
        "--drain" => options with { Drain = Seconds(name, value) },
        "--block" => options with { Prediction = options.Prediction with { MaximumBlockRows = Count(name, value) } },
        "--queue" => options with { Prediction = options.Prediction with { QueueCapacity = Count(name, value) } },
        "--workers" => options with { Prediction = options.Prediction with { Workers = Count(name, value) } },
        "--threads" => options with { Prediction = options.Prediction with { Scoring = new ScoringOptions { ThreadCount = Count(name, value) } } },
        "--window-ms" => options with { Prediction = options.Prediction with { Window = Seconds(name, value) / 1000 } },
        "--time-limit" => options with { Prediction = options.Prediction with { TimeLimit = Seconds(name, value) } },
        _ => throw new ArgumentException($"There is no option {name}."),
    };

    private static int Count(string name, string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
        ? count
        : throw new ArgumentException($"{name} is '{value}'; it must be a whole number of at least 1.");

    private static TimeSpan Seconds(string name, string value) => double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 86400
        ? TimeSpan.FromSeconds(seconds)
        : throw new ArgumentException($"{name} is '{value}'; it must be a number from 0 to 86400.");

    private const string Help = """
        Serves saved models over HTTP: the Open Inference Protocol (v2) and TensorFlow Serving's REST interface.

        --models DIR        models: DIR/NAME/VERSION/model.zip, DIR/NAME/model.zip or DIR/NAME.zip
        --url URL           where to listen (http://127.0.0.1:8080; http://0.0.0.0:8080 for the network)
        --api-key KEY       requests must bring it, as X-API-Key or Authorization: Bearer
        --latest-only       load only the last version of each model
        --watch SECONDS     how often the folder is looked at (1)
        --block ROWS        most rows scored as one block (256)
        --window-ms MS      how long a request waits for others (0)
        --queue ROWS        most rows that wait; beyond it 429 (8192)
        --workers N         blocks scored at once (half of the cores)
        --threads N         threads of a block (one for little work, all cores for much)
        --time-limit S      longest answer; beyond it 504 (30)
        --drain S           after SIGTERM, how long connections that are there may bring a request (0.5)
        --body-limit BYTES  largest request; beyond it 413 (33554432)
        --connections N     most connections (16384)
        --json-log          the log as JSON
        """;
}
