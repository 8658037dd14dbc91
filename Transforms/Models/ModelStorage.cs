using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.Json;
using MLExtensions.Families.Forecasting;
using MLExtensions.Persistence;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using Microsoft.ML.Runtime;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>
/// The entries of a model in the .zip: architecture.json, weights.safetensors and history.json. The network is built only after the number
/// of weights in the file was checked.
/// </summary>
internal static class ModelStorage
{
    // In version 1 every network has a head and a history, in version 2 they are optional.
    private const int FormatVersion = 2;
    private const int OldestVersion = 1;
    private const int MaximumArchitectureBytes = 16 << 20;
    private const string ArchitectureEntry = "architecture.json";
    private const string WeightsEntry = "weights.safetensors";
    private const string HistoryEntry = "history.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        MaxDepth = 32,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static void Save(ModelSaveContext ctx, NetworkModelParameters model)
    {
        var description = JsonSerializer.SerializeToUtf8Bytes(new ModelDescription(FormatVersion, model.Architecture, model.Head == null ? null : JsonSerializer.SerializeToElement(model.Head, Json)), Json);
        var history = model.History?.ToJson();
        // The checksums of the .zip itself are not verified when it is read.
        var checksums = new Dictionary<string, string> { [ArchitectureEntry] = Checksum(description) };
        if (history != null)
            checksums[HistoryEntry] = Checksum(history);
        ctx.SaveBinaryStream(ArchitectureEntry, writer => writer.Write(description));
        ctx.SaveBinaryStream(WeightsEntry, writer => SafeTensorsWriter.Write(writer.BaseStream, model.Network.state_dict(), checksums));
        if (history != null)
            ctx.SaveBinaryStream(HistoryEntry, writer => writer.Write(history));
    }

    /// <exception cref="ModelFormatException">An entry is missing or damaged; the message names it.</exception>
    public static (NetworkArchitecture Architecture, PredictionHead? Head, LeasedNetwork Weights, TrainingHistory? History) Load(ModelLoadContext ctx)
    {
        var descriptionJson = ModelEntry.Read(ctx, ArchitectureEntry, MaximumArchitectureBytes);
        var description = ParseDescription(descriptionJson);
        byte[]? historyJson = null;
        var network = ModelEntry.Read(ctx, WeightsEntry, stream =>
        {
            var reader = SafeTensorsReader.Open(stream, WeightsEntry, requireChecksum: true);
            CheckChecksum(reader.Header, ArchitectureEntry, descriptionJson);
            if (reader.Header.Metadata.ContainsKey(HistoryEntry))
            {
                historyJson = ModelEntry.Read(ctx, HistoryEntry, TrainingHistoryJson.MaxBytes);
                CheckChecksum(reader.Header, HistoryEntry, historyJson);
            }
            return ReadNetwork(reader, description.Architecture);
        });
        try
        {
            return (description.Architecture, description.ReadHead(), network, historyJson == null || description.HasInventedHistory(historyJson) ? null : TrainingHistoryJson.FromJson(historyJson, HistoryEntry));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static void CheckChecksum(SafeTensorsHeader header, string entry, byte[] bytes)
    {
        if (!header.Metadata.TryGetValue(entry, out var checksum) || checksum != Checksum(bytes))
            throw new ModelFormatException(entry, $"is damaged: its checksum does not match the one in {WeightsEntry}");
    }

    private static ModelDescription ParseDescription(byte[] json)
    {
        try
        {
            var description = JsonSerializer.Deserialize<ModelDescription>(json, Json) ?? throw new FormatException("it is null.");
            description.Check();
            return description;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or FormatException)
        {
            throw new ModelFormatException(ArchitectureEntry, "is not an architecture: " + e.Message, e);
        }
    }

    /// <summary>Reads the weights into a module, or where ONNX Runtime scores into plain memory: then libtorch is not loaded before it is needed.</summary>
    private static LeasedNetwork ReadNetwork(SafeTensorsReader reader, NetworkArchitecture architecture)
    {
        var present = reader.Header.Entries.Sum(entry => entry.Shape.Aggregate(1L, (product, size) => product * size));
        if (CountParameters(architecture) > present)
            throw new ModelFormatException(WeightsEntry, FormattableString.Invariant($"holds {present} numbers, but {ArchitectureEntry} describes a network of {architecture.ParameterCount}"));
        if (architecture.NeedsLibtorch || !reader.CanBeStored || !ScoringEngines.UsesOnnxRuntime(new ScoringOptions()))
            return new LeasedNetwork(ReadModule(reader, architecture));
        var stored = new StoredNetwork(architecture, reader.ReadStored(), WeightsEntry);
        stored.Check();
        return new LeasedNetwork(stored);
    }

    private static nn.Module<Tensor, Tensor> ReadModule(SafeTensorsReader reader, NetworkArchitecture architecture)
    {
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        try
        {
            var weights = new Dictionary<string, Tensor>(network.state_dict());
            reader.LoadInto(weights);
            WeightCheck.RequireFinite(weights, WeightsEntry);
            network.DetachFromDisposeScope();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static long CountParameters(NetworkArchitecture architecture)
    {
        try
        {
            return architecture.ParameterCount;
        }
        catch (OverflowException e)
        {
            throw new ModelFormatException(ArchitectureEntry, "describes a network that is too large for any computer", e);
        }
    }

    private sealed record ModelDescription(int FormatVersion, NetworkArchitecture Architecture, JsonElement? Head = null)
    {
        // Version 1 wrote these instead of a missing head.
        private static readonly string[] Fillers = ["features", "language"];

        public void Check()
        {
            if (FormatVersion is < OldestVersion or > ModelStorage.FormatVersion)
                throw new FormatException(FormattableString.Invariant($"its formatVersion is {FormatVersion}; this library reads {OldestVersion} to {ModelStorage.FormatVersion}."));
            Architecture.Check();
            var head = ReadHead();
            head?.Check();
            if (head != null && Architecture.OutputCount != head.OutputCount)
                throw new FormatException(FormattableString.Invariant($"the network has {Architecture.OutputCount} outputs, but the head needs {head.OutputCount}."));
        }

        /// <summary>Version 1 wrote an artificial history for networks that were not trained.</summary>
        public bool HasInventedHistory(byte[] json)
        {
            if (FormatVersion > 1 || ReadHead() != null)
                return false;
            try
            {
                return JsonNode.Parse(json)?["stopReason"]?.GetValue<string>() == "pretrained";
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                return false; // reading it as a history reports the problem
            }
        }

        public PredictionHead? ReadHead()
        {
            if (Head is not { ValueKind: not JsonValueKind.Null } head)
                return null;
            var isFiller = FormatVersion == 1 && head.ValueKind == JsonValueKind.Object && head.TryGetProperty("$type", out var type) && Fillers.Contains(type.GetString());
            return isFiller ? null : head.Deserialize<PredictionHead>(Json);
        }
    }
}

/// <summary>Version information that identifies transformers and networks in a saved model.</summary>
internal static class ModelVersion
{
    public const uint First = 0x00010001;

    /// <summary>The version after the first.</summary>
    public const uint Second = 0x00010002;

    /// <param name="modelSignature">The eight characters at the beginning of the model.</param>
    /// <param name="loaderSignature">The name under which the loader is registered.</param>
    /// <param name="version">The version that is written, or the latest that can be read.</param>
    /// <param name="assembly">The assembly with the loader; null for this one.</param>
    public static VersionInfo Of(string modelSignature, string loaderSignature, uint version = First, Assembly? assembly = null) => new(
        modelSignature,
        verWrittenCur: version,
        verReadableCur: version,
        verWeCanReadBack: First,
        loaderAssemblyName: (assembly ?? typeof(ModelVersion).Assembly).FullName,
        loaderSignature: loaderSignature);

    /// <summary>Loads a network from a folder of a model.</summary>
    /// <param name="ctx">The model.</param>
    /// <param name="env">The environment.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="description">The expected kind of network, for the message.</param>
    /// <param name="suits">Whether a network is of that kind.</param>
    /// <exception cref="ModelFormatException">The network is of another kind; the message names the folder.</exception>
    public static NetworkModelParameters LoadNetwork(this ModelLoadContext ctx, IHostEnvironment env, string folder, string description, Func<NetworkModelParameters, bool> suits)
    {
        ctx.LoadModel<NetworkModelParameters, SignatureLoadModel>(env, out var network, folder);
        if (suits(network))
            return network;
        network.Dispose();
        throw new ModelFormatException(folder, $"is not {description}: {network.Architecture}");
    }
}
