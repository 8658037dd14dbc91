namespace MLExtensions.Text;

/// <summary>The printable characters that stand for bytes in a byte-level vocabulary: Latin-1's own, and U+0100 and on for the others.</summary>
internal static class ByteSymbols
{
    private static readonly char[] Symbols = CreateSymbols();
    private static readonly Dictionary<char, byte> Bytes = Enumerable.Range(0, 256).ToDictionary(value => Symbols[value], value => (byte)value);

    /// <summary>The symbols of the bytes 0 to 255.</summary>
    public static ReadOnlySpan<char> All => Symbols;

    public static bool TryGetByte(char symbol, out byte value) => Bytes.TryGetValue(symbol, out value);

    private static char[] CreateSymbols()
    {
        var symbols = new char[256];
        var next = '\u0100';
        for (var value = 0; value < symbols.Length; value++)
        {
            var isPrintable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xFF and not 0xAD);
            symbols[value] = isPrintable ? (char)value : next++;
        }
        return symbols;
    }
}
