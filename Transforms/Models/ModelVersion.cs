using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Persistence;

namespace MLExtensions.Models;

/// <summary>Version information that identifies transformers and networks in a saved model.</summary>
internal static class ModelVersion
{
    private const uint First = 0x00010001;

    /// <param name="modelSignature">The eight characters at the beginning of the model.</param>
    /// <param name="loaderSignature">The name under which the loader is registered.</param>
    public static VersionInfo Of(string modelSignature, string loaderSignature) => new(
        modelSignature,
        verWrittenCur: First,
        verReadableCur: First,
        verWeCanReadBack: First,
        loaderAssemblyName: typeof(ModelVersion).Assembly.FullName,
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
