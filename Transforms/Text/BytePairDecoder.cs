using System.Text;

namespace MLExtensions.Text;

/// <summary>Makes text of bytes; a character whose last bytes are still to come is held back.</summary>
internal sealed class BytePairDecoder(BytePairModel model) : TextDecoder
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    public override string Append(int id)
    {
        var token = model.TokenOf(id);
        return id == model.EndOfRowId ? Finish() + "\n" : Decode(Bytes(token), flush: false);
    }

    public override string Finish() => Decode([], flush: true);

    private static byte[] Bytes(string token)
    {
        var bytes = new List<byte>(token.Length);
        foreach (var symbol in token)
        {
            if (!ByteSymbols.TryGetByte(symbol, out var value))
                return Encoding.UTF8.GetBytes(token); // a token of another kind, written as it is
            bytes.Add(value);
        }
        return [.. bytes];
    }

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[_utf8.GetCharCount(bytes, flush)];
        _utf8.GetChars(bytes, characters, flush);
        return new string(characters);
    }
}
