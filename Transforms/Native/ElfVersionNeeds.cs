using System.Buffers.Binary;
using System.Text;

namespace MLExtensions.Native;

/// <summary>
/// Edits the version needs (<c>.gnu.version_r</c>) of a 64-bit little-endian ELF image: a need with the weak flag does not stop the dynamic
/// loader if the library on this computer lacks that version.
/// </summary>
internal static class ElfVersionNeeds
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const int NeedSize = 16; // Elf64_Verneed
    private const int AuxiliarySize = 16; // Elf64_Vernaux
    private const uint VersionNeedSection = 0x6FFFFFFE; // SHT_GNU_verneed
    private const byte WeakFlag = 2; // VER_FLG_WEAK

    private static ReadOnlySpan<byte> Magic => [0x7F, (byte)'E', (byte)'L', (byte)'F', 2 /* 64 bits */, 1 /* little endian */];

    /// <summary>Makes every need for <paramref name="version"/> weak.</summary>
    /// <returns>Whether there was one. False also if the image is damaged or not an ELF file.</returns>
    internal static bool Weaken(Span<byte> image, string version)
    {
        if (image.Length < HeaderSize || !image.StartsWith(Magic))
            return false;

        var sections = BinaryPrimitives.ReadUInt64LittleEndian(image[0x28..]);
        ulong sectionSize = BinaryPrimitives.ReadUInt16LittleEndian(image[0x3A..]);
        ulong count = BinaryPrimitives.ReadUInt16LittleEndian(image[0x3C..]);
        if (sectionSize < SectionHeaderSize)
            return false;

        var wanted = Encoding.ASCII.GetBytes(version + '\0');
        var found = false;
        for (ulong i = 0; i < count; i++)
        {
            if (!TryRead(image, sections, i * sectionSize, SectionHeaderSize, out ReadOnlySpan<byte> section))
                return found;
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) != VersionNeedSection)
                continue;

            ulong link = BinaryPrimitives.ReadUInt32LittleEndian(section[40..]);
            if (!TryRead(image, sections, link * sectionSize, SectionHeaderSize, out ReadOnlySpan<byte> strings))
                continue;
            found |= WeakenSection(image, OffsetOf(section), InfoOf(section), OffsetOf(strings), wanted);
        }
        return found;
    }

    private static ulong OffsetOf(ReadOnlySpan<byte> section) => BinaryPrimitives.ReadUInt64LittleEndian(section[24..]);

    private static uint InfoOf(ReadOnlySpan<byte> section) => BinaryPrimitives.ReadUInt32LittleEndian(section[44..]);

    private static bool WeakenSection(Span<byte> image, ulong at, uint needs, ulong strings, ReadOnlySpan<byte> wanted)
    {
        var found = false;
        for (uint i = 0; i < needs; i++)
        {
            if (!TryRead(image, at, 0, NeedSize, out ReadOnlySpan<byte> need))
                break;
            int count = BinaryPrimitives.ReadUInt16LittleEndian(need[2..]);
            ulong first = BinaryPrimitives.ReadUInt32LittleEndian(need[8..]);
            ulong next = BinaryPrimitives.ReadUInt32LittleEndian(need[12..]);
            found |= WeakenAuxiliaries(image, at + first, count, strings, wanted);
            if (next == 0)
                break; // the end of the chain, whatever the section header says
            at += next;
        }
        return found;
    }

    private static bool WeakenAuxiliaries(Span<byte> image, ulong at, int count, ulong strings, ReadOnlySpan<byte> wanted)
    {
        var found = false;
        for (var i = 0; i < count; i++)
        {
            if (!TryRead(image, at, 0, AuxiliarySize, out ReadOnlySpan<byte> auxiliary))
                break;
            ulong name = BinaryPrimitives.ReadUInt32LittleEndian(auxiliary[8..]);
            ulong next = BinaryPrimitives.ReadUInt32LittleEndian(auxiliary[12..]);
            if (TryRead(image, strings, name, wanted.Length, out ReadOnlySpan<byte> text) && text.SequenceEqual(wanted))
            {
                image[(int)at + 4] |= WeakFlag; // vna_flags
                found = true;
            }
            if (next == 0)
                break;
            at += next;
        }
        return found;
    }

    /// <summary>Returns the <paramref name="length"/> bytes at <c>start + offset</c> if the image has them.</summary>
    private static bool TryRead(ReadOnlySpan<byte> image, ulong start, ulong offset, int length, out ReadOnlySpan<byte> bytes)
    {
        var size = (ulong)image.Length;
        var inside = start <= size && offset <= size - start && (ulong)length <= size - start - offset;
        bytes = inside ? image.Slice((int)(start + offset), length) : default;
        return inside;
    }
}
