using System.Runtime.InteropServices;
using MLExtensions.Messages;
using MLExtensions.Onnx;
using MLExtensions.Persistence;
using MLExtensions.Scoring.OnnxRuntime;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Models;

/// <summary>A network as a file has it: in plain memory, for scoring without libtorch.</summary>
/// <param name="architecture">The architecture.</param>
/// <param name="weights">The weights.</param>
/// <param name="entryName">The name of the file in error messages.</param>
internal sealed class StoredNetwork(NetworkArchitecture architecture, IReadOnlyDictionary<string, StoredTensor> weights, string entryName)
{
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes => weights.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<long>)entry.Value.Shape);

    /// <summary>Weights, which must not be changed; null if there are none of that name.</summary>
    public GraphTensor? Find(string name) => weights.TryGetValue(name, out var tensor) ? new GraphTensor(tensor.ToFloats(), tensor.Shape) : null;

    /// <summary>Checks as far as that is possible without libtorch that the weights are finite and those of the architecture.</summary>
    /// <exception cref="ModelFormatException">They are not; the message names one.</exception>
    public void Check()
    {
        foreach (var (name, tensor) in weights)
        {
            if (tensor.Values is float[] values && FiniteCheck.FirstNonFinite(values) is var place && place >= 0)
                throw new ModelFormatException(entryName, FormattableString.Invariant($"'{name}' has a weight that is {values[place]}; weights must be finite"));
        }
        if (!architecture.HasGraph)
            return;
        var asked = new HashSet<string>(StringComparer.Ordinal);
        GraphFile.Check(architecture, name =>
        {
            asked.Add(name);
            return weights.TryGetValue(name, out var tensor) && tensor.Type != ScalarType.Float32
                ? throw new ModelFormatException(entryName, $"tensor '{name}' should be float32, but the file has {tensor.Type}")
                : Find(name);
        });
        var unexpected = weights.Keys.Where(name => !asked.Contains(name) && !name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)).ToArray();
        if (unexpected.Length > 0)
            throw new ModelFormatException(entryName, $"does not have the tensors of the model; unexpected: {NameList.Of(unexpected)}");
    }

    /// <summary>Creates the module with these weights.</summary>
    /// <exception cref="ModelFormatException">They are not those of the architecture; the message names them.</exception>
    public nn.Module<Tensor, Tensor> CreateModule()
    {
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        try
        {
            var targets = network.state_dict();
            SafeTensorsTargets.Check(weights.Select(entry => (entry.Key, entry.Value.Type, (IReadOnlyList<long>)entry.Value.Shape)).ToArray(), targets, problem => new ModelFormatException(entryName, problem));
            using var noGradient = no_grad();
            foreach (var (name, tensor) in weights)
                tensor.CopyTo(targets[name].bytes);
            network.DetachFromDisposeScope();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}

/// <summary>A tensor in plain memory, row-major.</summary>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">The sizes of its dimensions.</param>
/// <param name="Values">The elements: floats as such, others as bytes, little-endian.</param>
internal sealed record StoredTensor(ScalarType Type, long[] Shape, Array Values)
{
    public float[] ToFloats() => Values as float[] ?? (Type == ScalarType.Int64
        ? Array.ConvertAll(MemoryMarshal.Cast<byte, long>((byte[])Values).ToArray(), value => (float)value)
        : throw new NotSupportedException($"Weights of type {Type} cannot be read as floats."));

    public void CopyTo(Span<byte> destination) => (Values is float[] floats ? MemoryMarshal.AsBytes<float>(floats) : (byte[])Values).CopyTo(destination);
}
