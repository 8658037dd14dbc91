using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace MLExtensions.Native;

/// <summary>
/// A process that loads a second copy of libtorch is aborted by libtorch. Plug-ins cause that: an <see cref="AssemblyLoadContext"/> that
/// loads the plug-in's own native files, while the application or another plug-in has loaded libtorch already.
/// </summary>
internal static partial class LoadedLibTorch
{
    /// <summary>The <see cref="AppContext"/> switch that turns the check off.</summary>
    internal const string OffSwitch = "MLExtensions.NoSecondLibTorchCheck";

    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint InodeMask = 0x100; // STATX_INO
    private static readonly string FileName = NativeFiles.NameOf("torch_cpu");

    /// <summary>Whether TorchSharp is in a load context that decides itself which native files are loaded.</summary>
    internal static string? OwnContext(Assembly torchSharp) =>
        AssemblyLoadContext.GetLoadContext(torchSharp) is { } context
        && context.GetType().GetMethod("LoadUnmanagedDll", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(string)])!.DeclaringType != typeof(AssemblyLoadContext)
        && context != AssemblyLoadContext.Default
            ? context.Name ?? context.GetType().Name
            : null;

    /// <exception cref="TorchNotAvailableException">Another copy of libtorch is loaded than the one that TorchSharp would load.</exception>
    internal static void CheckIsOnlyOne(Assembly torchSharp)
    {
        if (AppContext.TryGetSwitch(OffSwitch, out var off) && off)
            return;
        if (FindLoaded() is not { } loaded || FindOwn(torchSharp) is not { } own || IsSameFile(own, loaded))
            return;
        var context = OwnContext(torchSharp);
        var where = context == null ? "TorchSharp" : $"TorchSharp in the load context '{context}'";
        throw new TorchNotAvailableException(
            $"This process has already loaded libtorch from '{loaded}', and {where} would load a second copy, '{own}', which aborts the process. Share one copy: let the load context of a plug-in return null for TorchSharp, MLExtensions and Microsoft.ML, so that they come from the application, and do not deploy libtorch with the plug-in. If that file is never loaded, the AppContext switch '{OffSwitch}' turns this check off.");
    }

    private static string? FindLoaded()
    {
        try
        {
            if (!OperatingSystem.IsLinux())
                return Process.GetCurrentProcess().Modules.Cast<ProcessModule>().FirstOrDefault(module => module.ModuleName == FileName)?.FileName;
            var line = File.ReadLines("/proc/self/maps").FirstOrDefault(map => map.EndsWith("/" + FileName, StringComparison.Ordinal));
            return line?[line.IndexOf('/')..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return null; // the check is a courtesy
        }
    }

    /// <summary>The file that the runtime, or a load context that resolves native files itself, would load.</summary>
    private static string? FindOwn(Assembly torchSharp)
    {
        var folder = Path.GetDirectoryName(torchSharp.Location);
        if (OwnContext(torchSharp) != null && !string.IsNullOrEmpty(folder))
        {
            string[] places = [folder, Path.Combine(folder, "runtimes", NativePackages.Rid, "native")];
            if (places.Select(place => Path.Combine(place, FileName)).FirstOrDefault(File.Exists) is { } beside)
                return beside;
        }
        return NativeFiles.Find(FileName, torchSharp);
    }

    /// <summary>Builds link files instead of copying them.</summary>
    private static bool IsSameFile(string a, string b) =>
        NativeFiles.RealPath(a) == NativeFiles.RealPath(b) || (OperatingSystem.IsLinux() && Identity(a) is { } identity && identity == Identity(b));

    private static (ulong Inode, ulong Device)? Identity(string path)
    {
        Span<ulong> status = stackalloc ulong[32]; // struct statx
        try
        {
            return GetStatus(CurrentFolder, path, 0, InodeMask, status) == 0 ? (status[4], status[17]) : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null; // a C library older than glibc 2.28
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetStatus(int folder, string path, int flags, uint mask, Span<ulong> status);
}
