using System.Reflection;
using System.Runtime.InteropServices;

namespace MLExtensions.Native;

/// <summary>
/// The environment variable LIBTORCH_DIR names the folder of an installed libtorch, such as <c>torch/lib</c> of PyTorch's wheel. Its
/// libraries are loaded before TorchSharp searches for libtorch, so they are used.
/// </summary>
internal static class LibTorchDirectory
{
    internal const string Variable = "LIBTORCH_DIR";

    // Each library needs only the previous ones; a CPU build has no CUDA libraries.
    private static readonly (string Name, bool Required)[] Libraries =
    [
        ("c10", true),
        ("torch_cpu", true),
        ("c10_cuda", false),
        ("torch_cuda", false),
        ("torch", true),
    ];

    /// <summary>Loads the libraries in the folder that the variable names, if it is set.</summary>
    /// <exception cref="TorchNotAvailableException">The folder does not contain a libtorch, or it cannot be loaded.</exception>
    internal static void Preload(Assembly torchSharp)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } setting)
            return;
        var folder = Path.GetFullPath(setting);
        CheckIsOnlyOne(folder, torchSharp);
        foreach (var (name, required) in Libraries)
        {
            var path = Path.Combine(folder, NativeFiles.NameOf(name));
            if (File.Exists(path))
                Load(path);
            else if (required)
                throw new TorchNotAvailableException($"{Variable} is '{setting}', but '{path}' does not exist. It must be the folder of a libtorch {NativePackages.LibTorchVersion}, such as torch/lib of PyTorch's wheel.");
        }
    }

    /// <remarks>TorchSharp would also load the libtorch of the application, and two in one process crash it.</remarks>
    private static void CheckIsOnlyOne(string folder, Assembly torchSharp)
    {
        var name = NativeFiles.NameOf("torch_cpu");
        if (NativeFiles.Find(name, torchSharp) is not { } own || NativeFiles.RealPath(own) == NativeFiles.RealPath(Path.Combine(folder, name)))
            return;
        throw new TorchNotAvailableException($"{Variable} is '{folder}', but the application has its own libtorch, '{own}', and a process can have only one. Unset {Variable}, or build the application without a package that brings libtorch (libtorch-cpu-*, TorchSharp-cpu, TorchSharp-cuda-*).");
    }

    private static void Load(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new TorchNotAvailableException($"{Variable} asks for '{path}', which cannot be loaded. {NativeDiagnosis.Explain(path, e.Message, path)}", e);
        }
    }
}
