using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MLExtensions.Native;

/// <summary>Loads a shared library from bytes (Linux): from memory, or from a file in a private folder if that is forbidden.</summary>
internal static partial class LibraryImage
{
    private const uint CloseOnExec = 1; // MFD_CLOEXEC
    private const uint Executable = 16; // MFD_EXEC: kernels from 6.3 on may forbid execution without it

    /// <summary>For tests: false behaves like a computer without memory files.</summary>
    internal static bool MayUseMemory { get; set; } = true;

    /// <summary>Loads <paramref name="image"/>.</summary>
    /// <param name="image">The whole file.</param>
    /// <param name="fileName">Its name in listings and debuggers.</param>
    /// <param name="way">How it was loaded, or why it was not.</param>
    internal static bool TryLoad(byte[] image, string fileName, out IntPtr library, out string way)
    {
        if (TryLoadFromMemory(image, fileName, out library, out var memoryFailure))
        {
            way = "memory";
            return true;
        }
        if (TryLoadFromFile(image, fileName, out library, out var fileFailure))
        {
            way = "file";
            return true;
        }
        way = $"from memory: {memoryFailure}; from a temporary file: {fileFailure}";
        return false;
    }

    private static bool TryLoadFromMemory(byte[] image, string fileName, out IntPtr library, out string failure)
    {
        library = IntPtr.Zero;
        failure = "forbidden";
        if (!MayUseMemory)
            return false;
        try
        {
            using SafeFileHandle? memory = CreateMemoryFile(fileName, out failure);
            if (memory is null)
                return false;
            RandomAccess.Write(memory, image, 0);
            library = NativeLibrary.Load(FormattableString.Invariant($"/proc/self/fd/{memory.DangerousGetHandle()}"));
            return true;
        }
        catch (Exception e) when (IsExpected(e))
        {
            failure = e.Message.Trim();
            return false;
        }
    }

    private static SafeFileHandle? CreateMemoryFile(string name, out string failure)
    {
        var descriptor = CreateMemoryFile(name, CloseOnExec | Executable);
        if (descriptor < 0)
            descriptor = CreateMemoryFile(name, CloseOnExec);
        failure = descriptor < 0 ? Marshal.GetLastPInvokeErrorMessage() : "";
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static bool TryLoadFromFile(byte[] image, string fileName, out IntPtr library, out string failure)
    {
        library = IntPtr.Zero;
        failure = "";
        DirectoryInfo? folder = null;
        try
        {
            folder = Directory.CreateTempSubdirectory("mlextensions-"); // only this user can enter it
            var path = Path.Combine(folder.FullName, fileName);
            File.WriteAllBytes(path, image);
            library = NativeLibrary.Load(path);
            return true;
        }
        catch (Exception e) when (IsExpected(e))
        {
            failure = e.Message.Trim();
            return false;
        }
        finally
        {
            TryDelete(folder); // the mapping outlives the file
        }
    }

    private static void TryDelete(DirectoryInfo? folder)
    {
        try
        {
            folder?.Delete(recursive: true);
        }
        catch (Exception e) when (IsExpected(e))
        {
            // A left-over temporary file does no harm.
        }
    }

    private static bool IsExpected(Exception e)
        => e is IOException or UnauthorizedAccessException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemoryFile(string name, uint flags);
}
