using System.Reflection;

namespace MLExtensions.Native;

/// <summary>Where an application's native files are.</summary>
internal static class NativeFiles
{
    /// <summary>TorchSharp's own native library, as its P/Invokes name it.</summary>
    internal const string Shim = "LibTorchSharp";

    /// <summary>What the file of a library is called on this platform.</summary>
    internal static string NameOf(string library)
    {
        if (OperatingSystem.IsWindows())
            return library + ".dll";
        return OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";
    }

    /// <summary>The path of a native file of the application, or null.</summary>
    internal static string? Find(string fileName, Assembly assembly)
        => Folders(assembly).Select(folder => Path.Combine(folder, fileName)).FirstOrDefault(File.Exists);

    private static IEnumerable<string> Folders(Assembly assembly)
    {
        string searched = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (string folder in searched.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
        yield return AppContext.BaseDirectory;
        if (Path.GetDirectoryName(assembly.Location) is { Length: > 0 } beside)
            yield return beside;
    }
}
