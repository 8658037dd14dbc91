using System.Reflection;
using System.Runtime.InteropServices;

namespace MLExtensions.Native;

/// <summary>Finds the native files of an application.</summary>
internal static class NativeFiles
{
    /// <summary>TorchSharp's native library, as named in its P/Invokes.</summary>
    internal const string Shim = "LibTorchSharp";

    /// <summary>Returns the file name of a library on this platform.</summary>
    internal static string NameOf(string library)
    {
        if (OperatingSystem.IsWindows())
            return library + ".dll";
        return OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";
    }

    /// <summary>Returns the path of a native file of the application, or null.</summary>
    internal static string? Find(string fileName, Assembly assembly)
        => Folders(assembly).Select(folder => Path.Combine(folder, fileName)).FirstOrDefault(File.Exists);

    /// <summary>Returns the path of a file that this process has loaded, by the beginning of its name; null if there is none, or where that cannot be found out.</summary>
    internal static string? FindLoaded(string beginning)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            return File.ReadLines("/proc/self/maps")
                .Select(map => map.IndexOf('/') is >= 0 and var at ? map[at..] : "")
                .FirstOrDefault(path => Path.GetFileName(path).StartsWith(beginning, StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Returns the path of the file that a path leads to.</summary>
    internal static string RealPath(string path)
        => File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? target.FullName : path;

    private static IEnumerable<string> Folders(Assembly assembly)
    {
        var searched = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (var folder in searched.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
        yield return AppContext.BaseDirectory;
        if (Path.GetDirectoryName(assembly.Location) is { Length: > 0 } beside)
            yield return beside;
    }
}

/// <summary>The packages with libtorch, one of which an application adds for its platform.</summary>
internal static class NativePackages
{
    internal const string LibTorchVersion = "2.10.0";
    internal const string TorchSharpVersion = "0.107.0";

    /// <summary>A sentence about how to get libtorch on this platform.</summary>
    internal static string Advice => Cpu is null
        ? $"libtorch is not packaged for {RuntimeInformation.RuntimeIdentifier}: use linux-x64, win-x64 or osx-arm64."
        : $"Add it to the application: `dotnet add package {Cpu} --version {LibTorchVersion}`{CudaAdvice}, or let the environment variable {LibTorchDirectory.Variable} name the folder of a libtorch {LibTorchVersion}.";

    private static string CudaAdvice => Cuda is null ? "" : $", for NVIDIA GPUs `dotnet add package {Cuda} --version {TorchSharpVersion}` instead";

    /// <summary>The name of this platform in <c>runtimes/</c> folders.</summary>
    internal static string Rid => $"{Platform}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    private static string? Cpu => (Platform, RuntimeInformation.ProcessArchitecture) switch
    {
        ("linux", Architecture.X64) => "libtorch-cpu-linux-x64",
        ("win", Architecture.X64) => "libtorch-cpu-win-x64",
        ("osx", Architecture.Arm64) => "libtorch-cpu-osx-arm64",
        _ => null,
    };

    private static string? Cuda => (Platform, RuntimeInformation.ProcessArchitecture) switch
    {
        ("linux", Architecture.X64) => "TorchSharp-cuda-linux",
        ("win", Architecture.X64) => "TorchSharp-cuda-windows",
        _ => null,
    };

    private static string Platform
    {
        get
        {
            if (OperatingSystem.IsWindows())
                return "win";
            return OperatingSystem.IsMacOS() ? "osx" : "linux";
        }
    }
}
