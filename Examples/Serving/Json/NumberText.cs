using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace MLExtensions.Examples.Serving.Json;

/// <summary>Reads JSON numbers where they lie.</summary>
internal static class NumberText
{
    // Powers of ten that a double holds exactly.
    private static readonly double[] Powers = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    /// <summary>Reads the number at the beginning of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="value">The nearest value of the type.</param>
    /// <returns>The number of bytes; 0 if there is no number, or one that the type does not hold.</returns>
    public static int Read<T>(ReadOnlySpan<byte> text, out T value)
    {
        value = default!;
        if (typeof(T) == typeof(float))
        {
            var length = Read(text, out float number);
            value = Unsafe.As<float, T>(ref number);
            return length;
        }
        if (typeof(T) == typeof(double))
        {
            var length = Read(text, out double number);
            value = Unsafe.As<double, T>(ref number);
            return length;
        }
        return ReadWhole(text, out value);
    }

    private static int Read(ReadOnlySpan<byte> text, out float value)
    {
        if (text.Length > 1 && text[0] == '0' && text[1] is (byte)',' or (byte)']')
        {
            value = 0;
            return 1;
        }
        var length = Scan(text, out var digits, out var decimals, out var isPlain);
        if (isPlain && decimals <= 22)
        {
            var exact = digits / Powers[decimals];
            value = (float)exact;
            // A double that lies in the middle of two floats may itself be rounded: then it does not say which one is nearer.
            if ((BitConverter.DoubleToUInt64Bits(exact) & 0x1FFFFFFF) != 0x10000000)
            {
                if (text[0] == '-')
                    value = -value;
                return length;
            }
        }
        return length > 0 && Utf8Parser.TryParse(text[..length], out value, out var used) && used == length && float.IsFinite(value) ? length : Fail(out value);
    }

    private static int Read(ReadOnlySpan<byte> text, out double value)
    {
        var length = Scan(text, out var digits, out var decimals, out var isPlain);
        if (isPlain && decimals <= 22)
        {
            value = digits / Powers[decimals];
            if (text[0] == '-')
                value = -value;
            return length;
        }
        return length > 0 && Utf8Parser.TryParse(text[..length], out value, out var used) && used == length && double.IsFinite(value) ? length : Fail(out value);
    }

    private static int ReadWhole<T>(ReadOnlySpan<byte> text, out T value)
    {
        var length = Scan(text, out _, out _, out _);
        value = default!;
        // 3.0 is a whole number, too.
        if (length == 0 || !Utf8Parser.TryParse(text[..length], out decimal number, out var used) || used != length || decimal.Truncate(number) != number)
            return 0;
        try
        {
            value = (T)Convert.ChangeType(number, typeof(T), System.Globalization.CultureInfo.InvariantCulture);
            return length;
        }
        catch (OverflowException)
        {
            return 0;
        }
    }

    /// <summary>Finds the end of a number as JSON writes it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="digits">The digits before and behind the point.</param>
    /// <param name="decimals">How many are behind it.</param>
    /// <param name="isPlain">Whether the digits are exact as a double, and there is no exponent.</param>
    /// <returns>The number of bytes; 0 if there is no number.</returns>
    private static int Scan(ReadOnlySpan<byte> text, out ulong digits, out int decimals, out bool isPlain)
    {
        (digits, decimals, isPlain) = (0, 0, false);
        var at = 0;
        if (text.Length > 0 && text[0] == '-')
            at = 1;
        var first = at;
        while (at < text.Length && (uint)(text[at] - '0') <= 9)
            digits = (digits * 10) + (uint)(text[at++] - '0');
        var count = at - first;
        if (count == 0 || (count > 1 && text[first] == '0'))
            return 0;
        if (at < text.Length && text[at] == '.')
        {
            first = ++at;
            while (at < text.Length && (uint)(text[at] - '0') <= 9)
                digits = (digits * 10) + (uint)(text[at++] - '0');
            decimals = at - first;
            if (decimals == 0)
                return 0;
            count += decimals;
        }
        isPlain = count <= 19 && digits <= 1ul << 53;
        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            isPlain = false;
            at++;
            if (at < text.Length && text[at] is (byte)'+' or (byte)'-')
                at++;
            first = at;
            while (at < text.Length && (uint)(text[at] - '0') <= 9)
                at++;
            if (at == first)
                return 0;
        }
        return at;
    }

    private static int Fail<T>(out T value)
        where T : struct
    {
        value = default;
        return 0;
    }
}
