using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace MLExtensions.Native;

/// <summary>
/// Some virtual machines with AMD processors (Firecracker) hide the sizes of the caches: CPUID leaf 0x8000001D is all zeros, and oneDNN
/// 3.7.1 then assumes a first-level cache of one byte. It copies weights in an order that never occurs on a real processor and is wrong:
/// zeros for the padding overwrite weights. Convolutions and LSTM scores are wrong by as much as their size, and other code divides by
/// zero. Therefore oneDNN gets cache sizes: its function for them, which is in the symbol table of libtorch_cpu.so, is overwritten in
/// memory. If that fails, oneDNN is restricted to SSE4.1, which is correct but slow.
/// </summary>
internal static class HiddenCaches
{
    /// <summary>The <see cref="AppContext"/> switch that turns this off.</summary>
    internal const string OffSwitch = "MLExtensions.NoCacheSizes";

    private const string Function = "_ZN4dnnl4impl3cpu8platform23get_per_core_cache_sizeEi";

    // cmp edi, 2; mov eax, 32 kB; jl done; mov eax, 1 MB; je done; mov eax, 2 MB; done: ret
    private static readonly byte[] Code =
        [0x83, 0xFF, 0x02, 0xB8, 0x00, 0x80, 0x00, 0x00, 0x7C, 0x0C, 0xB8, 0x00, 0x00, 0x10, 0x00, 0x74, 0x05, 0xB8, 0x00, 0x00, 0x20, 0x00, 0xC3];

    /// <summary>Whether this computer hides its cache sizes.</summary>
    internal static bool AreHidden => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && X86Base.IsSupported
        && X86Base.CpuId(4, 0).Eax == 0
        && ((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x8000001D || X86Base.CpuId(unchecked((int)0x8000001D), 0).Ebx == 0);

    /// <summary>What was done: <c>sizes</c>, <c>SSE4.1</c>, or null if nothing was needed.</summary>
    internal static string? Way { get; private set; }

    /// <summary>
    /// Gives oneDNN cache sizes if the computer hides them. Called after libtorch is loaded and before anything is computed.
    /// </summary>
    internal static void Reveal()
    {
        if (!AreHidden || (AppContext.TryGetSwitch(OffSwitch, out var off) && off))
            return;
        try
        {
            Overwrite();
            Way = "sizes";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or InvalidOperationException)
        {
            // Native code does not see the environment variables of the runtime. Values that the user has set are kept.
            if (NativeEnvironment.Set("ONEDNN_MAX_CPU_ISA", "SSE41", overwrite: 0) == 0)
                Way = "SSE4.1";
        }
    }

    /// <summary>
    /// Tells libtorch not to ask for NNPACK, which needs the cache sizes and so refuses to work: each convolution of a single small image
    /// would ask again and write a line to the console about it.
    /// </summary>
    /// <param name="torch">The handle of libtorch_cpu.so.</param>
    internal static unsafe void StopAskingForNnpack(nint torch)
    {
        if (AreHidden && NativeLibrary.TryGetExport(torch, "_ZN2at13globalContextEv", out var context) && NativeLibrary.TryGetExport(torch, "_ZN2at7Context20setUserEnabledNNPACKEb", out var set))
            ((delegate* unmanaged<nint, byte, void>)set)(((delegate* unmanaged<nint>)context)(), 0);
    }

    private static void Overwrite()
    {
        var line = File.ReadLines("/proc/self/maps").First(map => map.EndsWith("/libtorch_cpu.so", StringComparison.Ordinal));
        var start = long.Parse(line[..line.IndexOf('-')], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var address = start + AddressOf(line[line.IndexOf('/')..]);
        using var memory = File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(memory, Code, address); // bypasses the write protection of code, which a pointer could not
    }

    /// <summary>Looks up the function in the symbol table of a 64-bit ELF file whose first segment begins at address 0.</summary>
    private static long AddressOf(string library)
    {
        using var reader = new BinaryReader(File.OpenRead(library));
        var sections = At(0x28, reader.ReadInt64);
        var count = At(0x3C, reader.ReadUInt16);
        for (var i = 0; i < count; i++)
        {
            var header = sections + (i * 64);
            if (At(header + 4, reader.ReadUInt32) != 2) // SHT_SYMTAB
                continue;
            var symbols = Section(header);
            var names = Section(sections + (At(header + 40, reader.ReadUInt32) * 64L));
            var name = names.AsSpan().IndexOf(Encoding.ASCII.GetBytes("\0" + Function + "\0")) + 1;
            for (var at = 0; at < symbols.Length; at += 24)
            {
                if (BitConverter.ToUInt32(symbols, at) == name)
                    return BitConverter.ToInt64(symbols, at + 8);
            }
        }
        throw new InvalidDataException($"'{library}' has no symbol '{Function}'.");

        T At<T>(long offset, Func<T> read)
        {
            reader.BaseStream.Position = offset;
            return read();
        }

        byte[] Section(long header)
        {
            var (offset, size) = (At(header + 24, reader.ReadInt64), At(header + 32, reader.ReadInt64));
            reader.BaseStream.Position = offset;
            return reader.ReadBytes(checked((int)size));
        }
    }
}
