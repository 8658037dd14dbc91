using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace MLExtensions.Scoring.OnnxRuntime;

/// <summary>Finds ONNX Runtime's native library, which is in a package of its own.</summary>
internal static partial class OnnxRuntimeLibrary
{
    private const string Name = "onnxruntime";
    private const string TelemetryVariable = "ORT_DISABLE_TELEMETRY";

    // Null: it is there.
    private static readonly Lazy<string?> Missing = new(Load);

    /// <summary>Whether it can be used.</summary>
    public static bool IsPresent => Missing.Value == null;

    /// <exception cref="InvalidOperationException">It cannot be used; the message says why.</exception>
    public static bool Require() => Missing.Value is { } why
        ? throw new InvalidOperationException($"{nameof(ScoringOptions)} ask for ONNX Runtime ({nameof(ScoringOptions.Engine)} or {nameof(ScoringOptions.Device)}), but it cannot be loaded: {why} The application needs the package Microsoft.ML.OnnxRuntime, or Microsoft.ML.OnnxRuntime.Gpu.Linux or .Windows for a GPU.")
        : true;

    /// <summary>What to do about it if libtorch is not there, for a message.</summary>
    public static string InsteadOfLibtorch => Missing.Value is { } why
        ? $"Or, if the application only scores: most models need nothing but ONNX Runtime, the package Microsoft.ML.OnnxRuntime, which cannot be loaded: {why}"
        : "ONNX Runtime is there, but this needs libtorch.";

    private static string? Load()
    {
        BeSilent();
        try
        {
            if (!NativeLibrary.TryLoad(Name, typeof(InferenceSession).Assembly, null, out _))
                return "its native library is not there.";
            _ = OrtEnv.Instance();
            return null;
        }
        catch (Exception e) when (e is TypeInitializationException or EntryPointNotFoundException or DllNotFoundException or BadImageFormatException or OnnxRuntimeException)
        {
            return (e.InnerException ?? e).Message;
        }
    }

    /// <summary>
    /// The official builds (1.31, on Linux too) report events to their maker unless this is set before the library is loaded. A library does not do that to
    /// its users; what they have set themselves stays.
    /// </summary>
    private static void BeSilent()
    {
        if (OperatingSystem.IsWindows())
        {
            if (Environment.GetEnvironmentVariable(TelemetryVariable) == null)
                Environment.SetEnvironmentVariable(TelemetryVariable, "1");
            return;
        }
        // .NET's own function changes a copy of the variables.
        _ = SetEnvironment(TelemetryVariable, "1", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
