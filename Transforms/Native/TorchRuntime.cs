using System.Reflection;
using System.Runtime.InteropServices;
using MLExtensions.Native;
using TorchSharp;

namespace MLExtensions;

/// <summary>
/// Loads libtorch, the native library behind TorchSharp. Everything in MLExtensions does so by itself; a program that calls
/// TorchSharp before anything of MLExtensions can call <see cref="Initialize"/> to have a clear message when libtorch is missing.
/// </summary>
public static class TorchRuntime
{
    private static readonly Lock Gate = new();
    private static volatile bool _initialized;

    /// <summary>Whether an NVIDIA GPU and a libtorch built for it are there.</summary>
    /// <exception cref="TorchNotAvailableException">libtorch cannot be loaded at all.</exception>
    public static bool IsCudaAvailable
    {
        get
        {
            Initialize();
            return torch.cuda.is_available();
        }
    }

    /// <summary>Loads libtorch unless it is loaded already. Cheap when it is, and safe to call from any thread.</summary>
    /// <remarks>
    /// The application references the package that brings libtorch for its machine, such as <c>libtorch-cpu-linux-x64</c>, or
    /// the environment variable <c>LIBTORCH_DIR</c> names the folder of one. On Linux with a libstdc++ older than GCC 13.2's
    /// a copy of TorchSharp's library that does without the newer one is loaded, from memory; the <see cref="AppContext"/>
    /// switch <c>MLExtensions.NoNativePatch</c> turns that off. In Linux virtual machines that hide the sizes of AMD processors' caches
    /// oneDNN, which computes wrong numbers there, is told sizes; the switch <c>MLExtensions.NoCacheSizes</c> turns that off.
    /// </remarks>
    /// <exception cref="TorchNotAvailableException">It cannot be loaded; the message says what is missing.</exception>
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

    /// <remarks>Done before TorchSharp does it: its own attempt prints to the console and copies files when it fails.</remarks>
    private static void LoadNativeLibraries()
    {
        Assembly torchSharp = typeof(torch).Assembly; // does not run torch's static constructor
        LibTorchDirectory.Preload(torchSharp);
        Load("torch_cpu", torchSharp);
        HiddenCaches.Reveal();
        Load(NativeFiles.Shim, torchSharp);
    }

    private static void Load(string library, Assembly torchSharp)
    {
        if (NativeLibrary.TryLoad(library, torchSharp, null, out _))
            return;
        try
        {
            NativeLibrary.Load(library, torchSharp, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            string? file = NativeFiles.Find(NativeFiles.NameOf(library), torchSharp);
            throw new TorchNotAvailableException(NativeDiagnosis.Explain(library, e.Message, file), e);
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
            throw new TorchNotAvailableException($"TorchSharp does not find libtorch. {NativePackages.Advice}", e);
        }
    }
}
