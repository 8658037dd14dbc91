using System.Globalization;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace MLExtensions.ConvolutionSearch;

/// <summary>
/// Some virtual machines with AMD processors (Firecracker) hide the sizes of the caches: CPUID's leaf 0x8000001D is all zeros, of which oneDNN 3.7.1
/// makes a first-level cache of one byte. It then copies weights in a way that no real processor would take, and that is wrong: zeros meant for the
/// padding are written over weights. (In the same way a division by zero ends the process.) The search looks for what other machines do, so here
/// oneDNN is told sizes: its function that gives them, which libtorch_cpu.so names in its symbol table, is overwritten in this process.
/// </summary>
internal static class CacheSizes
{
    private const string Function = "_ZN4dnnl4impl3cpu8platform23get_per_core_cache_sizeEi";

    // cmp edi, 2; mov eax, 32 kB; jl done; mov eax, 1 MB; je done; mov eax, 2 MB; done: ret
    private static readonly byte[] Code =
        [0x83, 0xFF, 0x02, 0xB8, 0x00, 0x80, 0x00, 0x00, 0x7C, 0x0C, 0xB8, 0x00, 0x00, 0x10, 0x00, 0x74, 0x05, 0xB8, 0x00, 0x00, 0x20, 0x00, 0xC3];

    public static bool AreHidden => X86Base.IsSupported
        && X86Base.CpuId(4, 0).Eax == 0
        && ((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x8000001D || X86Base.CpuId(unchecked((int)0x8000001D), 0).Ebx == 0);

    /// <summary>Gives oneDNN sizes, when libtorch is loaded.</summary>
    public static void Invent()
    {
        var line = File.ReadLines("/proc/self/maps").First(map => map.EndsWith("/libtorch_cpu.so", StringComparison.Ordinal));
        var start = long.Parse(line[..line.IndexOf('-')], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var address = start + AddressOf(line[line.IndexOf('/')..]);
        using var memory = File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(memory, Code, address);
    }

    /// <summary>Looks the function up in the symbol table of a 64-bit ELF file whose first segment begins at address 0.</summary>
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
        throw new InvalidDataException($"'{library}' does not name '{Function}'.");

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
