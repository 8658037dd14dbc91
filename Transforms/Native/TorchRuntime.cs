using System.Reflection;
using System.Runtime.InteropServices;
using MLExtensions.Native;
using MLExtensions.Scoring.OnnxRuntime;
using TorchSharp;

namespace MLExtensions;

/// <summary>
/// Loads libtorch, the native library behind TorchSharp. MLExtensions does this automatically. A program that uses TorchSharp before
/// MLExtensions can call <see cref="Initialize"/> to get a clear message if libtorch is missing.
/// </summary>
public static class TorchRuntime
{
    private static readonly Lock Gate = new();
    private static volatile bool _initialized;

    /// <summary>Whether an NVIDIA GPU and a libtorch with CUDA are available.</summary>
    /// <exception cref="TorchNotAvailableException">libtorch cannot be loaded.</exception>
    public static bool IsCudaAvailable
    {
        get
        {
            Initialize();
            return torch.cuda.is_available();
        }
    }

    /// <summary>Whether it was loaded.</summary>
    internal static bool IsInitialized => _initialized;

    /// <summary>Loads libtorch unless it is already loaded. Thread-safe, and cheap if it is loaded.</summary>
    /// <remarks>
    /// The application references the libtorch package for its platform, such as <c>libtorch-cpu-linux-x64</c>, or the environment variable
    /// <c>LIBTORCH_DIR</c> names the folder of a libtorch. On Linux with a libstdc++ older than that of GCC 13.2, a patched copy of
    /// TorchSharp's library is loaded from memory; the <see cref="AppContext"/> switch <c>MLExtensions.NoNativePatch</c> turns this off. In
    /// Linux virtual machines that hide the cache sizes of AMD processors, oneDNN would compute wrong numbers, so it is given cache sizes;
    /// the switch <c>MLExtensions.NoCacheSizes</c> turns this off. Threads of libtorch that wait sleep instead of spinning, unless one of the
    /// environment variables <c>OMP_WAIT_POLICY</c>, <c>GOMP_SPINCOUNT</c>, <c>KMP_BLOCKTIME</c> or <c>KMP_LIBRARY</c> is set; the switch
    /// <c>MLExtensions.NoPassiveWait</c> turns this off.
    /// </remarks>
    /// <exception cref="TorchNotAvailableException">libtorch cannot be loaded; the message says what is missing.</exception>
    public static void Initialize()
    {
        if (_initialized)
            return;
        lock (Gate)
        {
            if (_initialized)
                return;
            LoadNativeLibraries();
            InitializeTorchSharp();
            _initialized = true;
        }
    }

    /// <remarks>Done before TorchSharp does it, because TorchSharp prints to the console and copies files if it fails.</remarks>
    private static void LoadNativeLibraries()
    {
        var torchSharp = typeof(torch).Assembly; // does not run torch's static constructor
        OpenMPWaiting.BePassive();
        LoadedLibTorch.CheckIsOnlyOne(torchSharp);
        LibTorchDirectory.Preload(torchSharp);
        var torchCpu = Load("torch_cpu", torchSharp);
        HiddenCaches.Reveal();
        HiddenCaches.StopAskingForNnpack(torchCpu);
        Load(NativeFiles.Shim, torchSharp);
    }

    private static nint Load(string library, Assembly torchSharp)
    {
        try
        {
            return NativeLibrary.TryLoad(library, torchSharp, null, out var handle) ? handle : NativeLibrary.Load(library, torchSharp, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            var file = NativeFiles.Find(NativeFiles.NameOf(library), torchSharp);
            var explained = NativeDiagnosis.Explain(library, e.Message, file, LoadedLibTorch.OwnContext(torchSharp));
            throw new TorchNotAvailableException(file == null ? $"{explained} {OnnxRuntimeLibrary.InsteadOfLibtorch}" : explained, e);
        }
    }

    private static void InitializeTorchSharp()
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
        }
        catch (Exception e) when (e is NotSupportedException or TypeInitializationException or DllNotFoundException)
        {
            throw new TorchNotAvailableException($"TorchSharp cannot find libtorch. {NativePackages.Advice} {OnnxRuntimeLibrary.InsteadOfLibtorch}", e);
        }
    }
}

/// <summary>
/// libtorch, the native library behind TorchSharp, cannot be loaded. The message says what is missing and how to get it.
/// </summary>
public sealed class TorchNotAvailableException : InvalidOperationException
{
    /// <summary>Creates the exception with a general message.</summary>
    public TorchNotAvailableException()
        : this("libtorch is not available.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is missing and how to get it.</param>
    public TorchNotAvailableException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is missing and how to get it.</param>
    /// <param name="innerException">The exception of the runtime or of TorchSharp.</param>
    public TorchNotAvailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
