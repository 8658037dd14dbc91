using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace MLExtensions.Native;

/// <summary>
/// TorchSharp's Linux library requires a version of libstdc++ that Debian 12, Ubuntu 22.04 and RHEL 9 do not have, although nothing in it
/// uses that version. If it cannot be loaded for that reason, a copy with a weak requirement is loaded instead.
/// </summary>
internal static class OldLibStdCxx
{
    /// <summary>The missing version, of GCC 13.2.</summary>
    internal const string Version = "GLIBCXX_3.4.32";

    /// <summary>The <see cref="AppContext"/> switch that turns the copy off.</summary>
    internal const string OffSwitch = "MLExtensions.NoNativePatch";

    private const string FileName = "libLibTorchSharp.so";
    private static readonly Lock Gate = new();
    private static IntPtr _library;

    /// <summary>How the copy was loaded: <c>memory</c>, <c>file</c>, or null if none was needed or none could be loaded.</summary>
    internal static string? Way { get; private set; }

    /// <summary>Why no copy was loaded; null if none was needed or one was loaded.</summary>
    internal static string? Failure { get; private set; }

    internal static bool IsOff => AppContext.TryGetSwitch(OffSwitch, out var off) && off;

    /// <summary>Registers with the runtime, so that it also works for programs that use TorchSharp before any of our types.</summary>
    [ModuleInitializer]
    internal static void Register()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return;
        var ours = AssemblyLoadContext.GetLoadContext(typeof(OldLibStdCxx).Assembly) ?? AssemblyLoadContext.Default;
        ours.ResolvingUnmanagedDll += Resolve; // called only if the search of the runtime has failed
        if (ours != AssemblyLoadContext.Default)
            AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
    }

    private static IntPtr Resolve(Assembly assembly, string library)
    {
        if (library != NativeFiles.Shim || assembly.GetName().Name != "TorchSharp")
            return IntPtr.Zero;
        lock (Gate)
        {
            if (_library == IntPtr.Zero)
                Failure = Load(assembly);
            return _library;
        }
    }

    /// <returns>Null, or why the copy was not loaded.</returns>
    private static string? Load(Assembly torchSharp)
    {
        if (IsOff)
            return $"the AppContext switch '{OffSwitch}' is on";
        if (NativeFiles.Find(FileName, torchSharp) is not { } path)
            return $"{FileName} is not among the application's files";
        var image = File.ReadAllBytes(path);
        if (!ElfVersionNeeds.Weaken(image, Version))
            return $"'{path}' does not require {Version}";
        // The copy is not in a folder, so its dependencies must be loaded first.
        if (!NativeLibrary.TryLoad("torch", torchSharp, null, out _))
            return "libtorch.so cannot be loaded";
        if (!LibraryImage.TryLoad(image, FileName, out _library, out var way))
            return way;
        Way = way;
        return null;
    }
}
