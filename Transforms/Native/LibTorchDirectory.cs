using System.Reflection;
using System.Runtime.InteropServices;

namespace MLExtensions.Native;

/// <summary>
/// The environment variable LIBTORCH_DIR names the folder of a libtorch that is already on the machine, such as
/// <c>torch/lib</c> of PyTorch's wheel. Loaded before TorchSharp looks, its libraries are those that are used.
/// </summary>
internal static class LibTorchDirectory
{
    internal const string Variable = "LIBTORCH_DIR";

    // Each needs only those before it; a CPU build has no CUDA ones.
    private static readonly (string Name, bool Required)[] Libraries =
    [
        ("c10", true),
        ("torch_cpu", true),
        ("c10_cuda", false),
        ("torch_cuda", false),
        ("torch", true),
    ];

    /// <summary>Loads the libraries of the folder that the variable names, if it is set.</summary>
    /// <exception cref="TorchNotAvailableException">The folder holds no libtorch, or one that does not load.</exception>
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
                throw new TorchNotAvailableException($"{Variable} is '{setting}', and there is no '{path}'. It has to be the folder of a libtorch {NativePackages.LibTorchVersion}, such as torch/lib of PyTorch's wheel.");
        }
    }

    /// <remarks>TorchSharp would load the application's own libtorch as well, and two in a process end it.</remarks>
    private static void CheckIsOnlyOne(string folder, Assembly torchSharp)
    {
        var name = NativeFiles.NameOf("torch_cpu");
        if (NativeFiles.Find(name, torchSharp) is not { } own || RealPath(own) == RealPath(Path.Combine(folder, name)))
            return;
        throw new TorchNotAvailableException($"{Variable} is '{folder}', but the application has a libtorch of its own, '{own}', and a process can have only one. Unset {Variable}, or build the application without a package that brings libtorch (libtorch-cpu-*, TorchSharp-cpu, TorchSharp-cuda-*).");
    }

    private static string RealPath(string path)
        => File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? target.FullName : path;

    private static void Load(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new TorchNotAvailableException($"{Variable} asks for '{path}', which does not load. {NativeDiagnosis.Explain(path, e.Message, path)}", e);
        }
    }
}
