using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML;
using MLExtensions.Persistence;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>The names of the columns that are added; null for those that are not.</summary>
internal sealed record HiddenMarkovOutputs(string? State, string? Probabilities, string? Filtered, string? LogLikelihood, string? SequenceLogLikelihood);

/// <summary>What a trained hidden Markov model is.</summary>
internal sealed record HiddenMarkovContent(SequenceColumns Columns, HiddenMarkovOutputs Outputs, ObservationFormat Format, MarkovStateNames States, HiddenMarkovParameters Parameters, IReadOnlyList<HiddenMarkovStart> Starts)
{
    public TrainingHistory? History { get; init; }
}

/// <summary>Saves hidden Markov models in a model's .zip: readable numbers with every digit, and a checksum.</summary>
internal static class HiddenMarkovFile
{
    private const string Entry = "hidden-markov.json";
    private const string HistoryEntry = "history.json";
    private const int FormatVersion = 1;
    private const int MaximumBytes = 1 << 30;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        MaxDepth = 8,
        NewLine = "\n",
    };

    public static void Save(ModelSaveContext ctx, HiddenMarkovContent content)
    {
        var bytes = ToBytes(content);
        ctx.SaveNonEmptyString(Checksum(bytes));
        ctx.SaveBinaryStream(Entry, writer => writer.Write(bytes));
        var history = content.History?.ToJson();
        ctx.SaveStringOrNull(history == null ? null : Checksum(history));
        if (history != null)
            ctx.SaveBinaryStream(HistoryEntry, writer => writer.Write(history));
    }

    /// <exception cref="ModelFormatException">An entry is missing or damaged.</exception>
    public static HiddenMarkovContent Load(ModelLoadContext ctx)
    {
        var bytes = Read(Entry, ctx.LoadNonEmptyString(), MaximumBytes);
        var content = Parse(bytes);
        return ctx.LoadStringOrNull() is not { } checksum
            ? content
            : content with { History = TrainingHistoryJson.FromJson(Read(HistoryEntry, checksum, TrainingHistoryJson.MaxBytes), HistoryEntry) };

        byte[] Read(string entry, string expected, int limit) => ModelEntry.Read(ctx, entry, limit) is var found && Checksum(found) == expected
            ? found
            : throw new ModelFormatException(entry, "is damaged: its checksum does not match the one in Model.key");
    }

    internal static byte[] ToBytes(HiddenMarkovContent content)
    {
        var parameters = content.Parameters;
        var stored = parameters.Emissions switch
        {
            DiscreteEmissions discrete => new StoredModel(FormatVersion, content, parameters.Start.ToArray(), parameters.Transitions.ToArray()) { Symbols = discrete.Values.ToArray() },
            GaussianEmissions gaussian => new StoredModel(FormatVersion, content, parameters.Start.ToArray(), parameters.Transitions.ToArray())
            {
                Weights = gaussian.WeightValues.ToArray(),
                Means = gaussian.MeanValues.ToArray(),
                Covariances = gaussian.CovarianceValues.ToArray(),
                Kind = gaussian.Kind,
            },
            _ => throw new NotSupportedException(),
        };
        return JsonSerializer.SerializeToUtf8Bytes(stored, Json);
    }

    /// <exception cref="ModelFormatException">It is no model.</exception>
    internal static HiddenMarkovContent Parse(byte[] bytes)
    {
        try
        {
            var stored = JsonSerializer.Deserialize<StoredModel>(bytes, Json) ?? throw new FormatException("it holds null.");
            return stored.FormatVersion == FormatVersion ? stored.ToContent() : throw new FormatException(FormattableString.Invariant($"its version is {stored.FormatVersion}; this library reads {FormatVersion}."));
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidOperationException or OverflowException && e is not ModelFormatException)
        {
            throw new ModelFormatException(Entry, "is no hidden Markov model: " + e.Message, e);
        }
    }

    private static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    [method: JsonConstructor]
    private sealed record StoredModel(int FormatVersion, SequenceColumns Columns, HiddenMarkovOutputs Outputs, ObservationFormat Format, MarkovStateNames States, double[] Start, double[] Transitions, IReadOnlyList<HiddenMarkovStart> Starts)
    {
        public StoredModel(int version, HiddenMarkovContent content, double[] start, double[] transitions)
            : this(version, content.Columns, content.Outputs, content.Format, content.States, start, transitions, content.Starts)
        {
        }

        public double[]? Symbols { get; init; }

        public double[]? Weights { get; init; }

        public double[]? Means { get; init; }

        public double[]? Covariances { get; init; }

        public CovarianceKind Kind { get; init; }

        public HiddenMarkovContent ToContent()
        {
            var states = Start.Length;
            Require(states is > 0 and <= HiddenMarkovParameters.MaximumStates && Transitions.Length == states * states, "transitions");
            Require(States.All.Count == states && !States.All.Contains(null!) && (States.OfLabels?.Count ?? 0) <= states, "names of states");
            Require(Format.Symbols >= 0 && Format.Width >= 0 && (Format.Symbols > 0) != (Format.Width > 0) && (Format.Names?.Count ?? Format.Symbols) == Format.Symbols, "observations");
            Require(!Starts.Contains(null!), "starts");
            return new HiddenMarkovContent(Columns, Outputs, Format, States, new HiddenMarkovParameters(Start, HiddenMarkovParameters.Square(Transitions, states, states), Emissions(states)), Starts);
        }

        private HiddenMarkovEmissions Emissions(int states)
        {
            if (Format.IsDiscrete)
            {
                Require(Symbols?.LongLength == (long)states * Format.Symbols, "emissions");
                return new DiscreteEmissions(HiddenMarkovParameters.Normalized(Symbols!, Format.Symbols, "Emissions", nameof(Symbols)), states);
            }
            Require(Enum.IsDefined(Kind) && Weights is { Length: > 0 } && Means is { } && Covariances is { } && Weights.Length % states == 0, "emissions");
            var (components, size) = (Weights!.Length / states, GaussianEmissions.SizeOf(Kind, Format.Width));
            Require(Means!.LongLength == (long)Weights.Length * Format.Width && Covariances!.LongLength == (long)size * (Kind == CovarianceKind.Tied ? 1 : Weights.Length) && Means.All(double.IsFinite), "emissions");
            return new GaussianEmissions(HiddenMarkovParameters.Normalized(Weights, components, "Weights", nameof(Weights)), Means, Covariances!, states, components, Kind);
        }

        private static void Require(bool condition, string what)
        {
            if (!condition)
                throw new FormatException($"its {what} do not fit the rest.");
        }
    }
}
