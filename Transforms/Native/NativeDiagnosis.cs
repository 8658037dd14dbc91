using System.Text.RegularExpressions;

namespace MLExtensions.Native;

/// <summary>Explains why the loader of the operating system could not load a library.</summary>
internal static partial class NativeDiagnosis
{
    /// <summary>Explains what is missing and how to get it.</summary>
    /// <param name="library">The library that could not be loaded: a name such as <c>torch_cpu</c>, or a path.</param>
    /// <param name="loaderText">The message of the exception that <see cref="System.Runtime.InteropServices.NativeLibrary"/> threw.</param>
    /// <param name="file">The path of the library in the application; null if it is not there.</param>
    /// <param name="context">The load context, if it loads native files itself.</param>
    internal static string Explain(string library, string loaderText, string? file = null, string? context = null)
    {
        if (MissingVersion().Match(loaderText) is { Success: true } version)
            return ExplainVersion(version.Groups["version"].Value, context);
        if (loaderText.Contains("musl", StringComparison.Ordinal) || loaderText.Contains("Error loading shared library", StringComparison.Ordinal))
            return "libtorch needs the GNU C library, but this system (for example Alpine Linux) has another one: use a Debian, Ubuntu or RHEL image.";
        if (Unmappable().Match(loaderText) is { Success: true } unmappable)
            return $"'{unmappable.Groups["file"].Value}' cannot be mapped as code: its folder is mounted 'noexec', or there is too little memory.";
        if (Damaged().Match(loaderText) is { Success: true } damaged)
            return $"'{damaged.Groups["file"].Value}' is damaged or built for another processor ({damaged.Groups["why"].Value}). Remove it and restore the packages again. {NativePackages.Advice}";
        if (UnresolvedSymbol().Match(loaderText) is { Success: true } symbol)
            return $"The libtorch found is not the version {NativePackages.LibTorchVersion} that TorchSharp {NativePackages.TorchSharpVersion} is built for: it lacks '{symbol.Groups["symbol"].Value}'.";
        if (WindowsCode().Match(loaderText) is { Success: true } code && ExplainWindows(library, code.Groups["code"].Value.ToUpperInvariant(), file) is { } explained)
            return explained;
        if (MissingSystemLibrary(library, loaderText) is { } missing)
            return $"libtorch needs the system library '{missing}', which is not installed{PackageOf(missing)}.";
        if (file is not null && !MissingFiles(loaderText).Any(IsPackaged))
            return $"'{file}' exists, but cannot be loaded. The loader reports: {loaderText.ReplaceLineEndings(" ").Trim()}";
        return $"libtorch is not among the application's files: '{library}' was not found. {NativePackages.Advice}";
    }

    private static string ExplainVersion(string version, string? context)
    {
        if (version.StartsWith("GLIBC_", StringComparison.Ordinal))
            return $"libtorch needs {version} of the GNU C library, but this system has an older one: use a newer distribution.";
        if (context != null && version == OldLibStdCxx.Version)
            return $"TorchSharp's native library needs {version} of libstdc++, but this system has an older one. MLExtensions loads a copy without that requirement, but the load context '{context}' loads native files itself and does not ask for it: let its LoadUnmanagedDll return IntPtr.Zero for '{NativeFiles.Shim}', or share TorchSharp with the application. Or use a system with GCC 13.2's libstdc++ or newer, such as Ubuntu 24.04 or Debian 13.";
        var unpatched = OldLibStdCxx.Failure is { } failure ? $" The workaround of MLExtensions failed: {failure}." : "";
        return $"TorchSharp's native library needs {version} of libstdc++, but this system has an older one.{unpatched} Use a system with GCC 13.2's libstdc++ or newer, such as Ubuntu 24.04 or Debian 13.";
    }

    /// <summary>The text of Windows is in the language of the user, but the code is always the same.</summary>
    private static string? ExplainWindows(string library, string code, string? file) => code switch
    {
        "8007007E" => file == null
            ? $"libtorch is not among the application's files: '{library}' was not found (0x8007007E). {NativePackages.Advice}"
            : $"'{file}' exists, but a library that it needs was not found (0x8007007E, a module is missing). Usually it is the Visual C++ redistributable: install vc_redist.x64.exe.",
        "8007007F" => $"'{file ?? library}' was found, but it needs a procedure that another library lacks (0x8007007F, a procedure is missing): files of different versions are mixed. TorchSharp {NativePackages.TorchSharpVersion} needs libtorch {NativePackages.LibTorchVersion}. Delete the folders bin and obj, restore the packages again, and look for another c10.dll, torch_cpu.dll or LibTorchSharp.dll in the folders of PATH.",
        "800700C1" or "8007000B" => $"'{file ?? library}' is damaged or built for another processor (0x{code}). The application must run as a 64-bit process.",
        "8007045A" => $"'{file ?? library}' was found, but could not start (0x8007045A, an initialization routine failed). Often another library of the same name is loaded already, or the processor lacks an instruction that libtorch needs.",
        "800705AF" => $"There is too little memory to load '{file ?? library}' (0x800705AF, the paging file is too small): enlarge the paging file, or start fewer processes.",
        "80070005" => $"'{file ?? library}' may not be read (0x80070005, access is denied): check the permissions of the file, and what a virus scanner does with it.",
        _ => null,
    };

    private static string? MissingSystemLibrary(string library, string loaderText)
        => MissingFiles(loaderText).FirstOrDefault(file => !file.Contains('/') && file.Contains(".so", StringComparison.Ordinal) && !IsPackaged(file) && !IsTried(file, library));

    private static IEnumerable<string> MissingFiles(string loaderText)
        => MissingFile().Matches(loaderText).Select(match => match.Groups["file"].Value);

    // The runtime tries several spellings of a name, and the loader reports each.
    private static bool IsTried(string file, string library)
        => file == library || file == $"lib{library}" || file == $"{library}.so" || file == $"lib{library}.so";

    private static bool IsPackaged(string file)
        => file.StartsWith("libtorch", StringComparison.Ordinal) || file.StartsWith("libc10", StringComparison.Ordinal) || file.StartsWith("libgomp-", StringComparison.Ordinal);

    private static string PackageOf(string file)
    {
        if (file.StartsWith("libgomp", StringComparison.Ordinal))
            return " (`apt-get install libgomp1` or `dnf install libgomp`)";
        return file.StartsWith("libstdc++", StringComparison.Ordinal) ? " (`apt-get install libstdc++6` or `dnf install libstdc++`)" : "";
    }

    [GeneratedRegex(@"version `(?<version>[A-Z]+_[0-9.]+)' not found")]
    private static partial Regex MissingVersion();

    [GeneratedRegex(@"(?<file>[^\s:]+): cannot open shared object file")]
    private static partial Regex MissingFile();

    [GeneratedRegex(@"(?<file>[^\s:]+): failed to map segment from shared object")]
    private static partial Regex Unmappable();

    [GeneratedRegex(@"(?<file>[^\s:]+): (?<why>invalid ELF header|file too short|wrong ELF class: \w+|only ET_DYN and ET_EXEC can be loaded)")]
    private static partial Regex Damaged();

    [GeneratedRegex("0x(?<code>800[0-9A-Fa-f]{5})")]
    private static partial Regex WindowsCode();

    [GeneratedRegex(@"undefined symbol: (?<symbol>\w+)")]
    private static partial Regex UnresolvedSymbol();
}
