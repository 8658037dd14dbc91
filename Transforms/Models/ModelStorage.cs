using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML;
using MLExtensions.Heads;
using MLExtensions.History;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>
/// A model's entries in the .zip: architecture.json, weights.safetensors and history.json. Nothing is built before the weights
/// that are really there have been counted.
/// </summary>
internal static class ModelStorage
{
    private const int FormatVersion = 1;
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
        var description = JsonSerializer.SerializeToUtf8Bytes(new ModelDescription(FormatVersion, model.Architecture, model.Head), Json);
        var history = model.History.ToJson();
        // A .zip's own check sums are not looked at when it is read.
        var checksums = new Dictionary<string, string> { [ArchitectureEntry] = Checksum(description), [HistoryEntry] = Checksum(history) };
        ctx.SaveBinaryStream(ArchitectureEntry, writer => writer.Write(description));
        ctx.SaveBinaryStream(WeightsEntry, writer => SafeTensorsWriter.Write(writer.BaseStream, model.Network.state_dict(), checksums));
        ctx.SaveBinaryStream(HistoryEntry, writer => writer.Write(history));
    }

    /// <exception cref="ModelFormatException">An entry is missing or damaged; the message names it.</exception>
    public static (NetworkArchitecture Architecture, PredictionHead Head, nn.Module<Tensor, Tensor> Network, TrainingHistory History) Load(ModelLoadContext ctx)
    {
        var descriptionJson = ModelEntry.Read(ctx, ArchitectureEntry, MaximumArchitectureBytes);
        var historyJson = ModelEntry.Read(ctx, HistoryEntry, TrainingHistoryJson.MaxBytes);
        var description = ParseDescription(descriptionJson);
        var history = TrainingHistoryJson.FromJson(historyJson, HistoryEntry);
        var network = ModelEntry.Read(ctx, WeightsEntry, stream =>
        {
            TorchRuntime.Initialize();
            var reader = SafeTensorsReader.Open(stream, WeightsEntry, requireChecksum: true);
            CheckChecksum(reader.Header, ArchitectureEntry, descriptionJson);
            CheckChecksum(reader.Header, HistoryEntry, historyJson);
            return ReadNetwork(reader, description.Architecture);
        });
        return (description.Architecture, description.Head, network, history);
    }

    private static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static void CheckChecksum(SafeTensorsHeader header, string entry, byte[] bytes)
    {
        if (!header.Metadata.TryGetValue(entry, out var checksum) || checksum != Checksum(bytes))
            throw new ModelFormatException(entry, $"is damaged: its bytes do not have the checksum that {WeightsEntry} has for them");
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
            throw new ModelFormatException(ArchitectureEntry, "is no architecture: " + e.Message, e);
        }
    }

    private static nn.Module<Tensor, Tensor> ReadNetwork(SafeTensorsReader reader, NetworkArchitecture architecture)
    {
        var present = reader.Header.Entries.Sum(entry => entry.Shape.Aggregate(1L, (product, size) => product * size));
        if (CountParameters(architecture) > present)
            throw new ModelFormatException(WeightsEntry, $"holds {present} numbers, and {ArchitectureEntry} describes a network of {architecture.ParameterCount}");
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        try
        {
            reader.LoadInto(new Dictionary<string, Tensor>(network.state_dict()));
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
            throw new ModelFormatException(ArchitectureEntry, "describes a network that no machine can hold", e);
        }
    }

    private sealed record ModelDescription(int FormatVersion, NetworkArchitecture Architecture, PredictionHead Head)
    {
        public void Check()
        {
            if (FormatVersion != ModelStorage.FormatVersion)
                throw new FormatException($"its formatVersion is {FormatVersion}; this library reads {ModelStorage.FormatVersion}.");
            Architecture.Check();
            Head.Check();
            if (Architecture.OutputCount != Head.OutputCount)
                throw new FormatException($"the network has {Architecture.OutputCount} outputs, the head needs {Head.OutputCount}.");
        }
    }
}
