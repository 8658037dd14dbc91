using System.Runtime.InteropServices;
using MLExtensions.Onnx;
using MLExtensions.Persistence;
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

    /// <summary>A copy of weights; null if there are none of that name.</summary>
    public GraphTensor? Find(string name) => weights.TryGetValue(name, out var tensor) ? new GraphTensor(tensor.ToFloats(), tensor.Shape) : null;

    /// <summary>Checks that the weights are finite.</summary>
    /// <exception cref="ModelFormatException">One is not; the message names it.</exception>
    public void RequireFinite()
    {
        foreach (var (name, tensor) in weights)
        {
            if (tensor.Type == ScalarType.Float32 && FiniteCheck.FirstNonFinite(MemoryMarshal.Cast<byte, float>(tensor.Bytes)) is var place && place >= 0)
                throw new ModelFormatException(entryName, FormattableString.Invariant($"'{name}' has a weight that is {MemoryMarshal.Cast<byte, float>(tensor.Bytes)[place]}; weights must be finite"));
        }
    }

    /// <summary>Creates the module with these weights.</summary>
    /// <exception cref="ModelFormatException">They are not those of the architecture; the message names them.</exception>
    public nn.Module<Tensor, Tensor> CreateModule()
    {
        TorchRuntime.Initialize();
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        try
        {
            var targets = network.state_dict();
            SafeTensorsTargets.Check(weights.Select(entry => (entry.Key, entry.Value.Type, (IReadOnlyList<long>)entry.Value.Shape)).ToArray(), targets, problem => new ModelFormatException(entryName, problem));
            using var noGradient = no_grad();
            foreach (var (name, tensor) in weights)
                tensor.Bytes.CopyTo(targets[name].bytes);
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
/// <param name="Bytes">The elements, little-endian.</param>
internal sealed record StoredTensor(ScalarType Type, long[] Shape, byte[] Bytes)
{
    public float[] ToFloats() => Type switch
    {
        ScalarType.Float32 => MemoryMarshal.Cast<byte, float>(Bytes).ToArray(),
        ScalarType.Int64 => Array.ConvertAll(MemoryMarshal.Cast<byte, long>(Bytes).ToArray(), value => (float)value),
        _ => throw new NotSupportedException($"Weights of type {Type} cannot be read as floats."),
    };
}
