using System.Buffers.Binary;
using System.Text;

namespace MLExtensions.Tests.TensorBoard;

/// <summary>Reads event files independently of the writer: bit by bit checksums, every field by number.</summary>
internal static class EventFile
{
    public sealed record Field(int Number, ulong Bits, byte[] Bytes)
    {
        public string Text => Encoding.UTF8.GetString(Bytes);

        public double Double => BitConverter.UInt64BitsToDouble(Bits);

        public float Float => BitConverter.UInt32BitsToSingle((uint)Bits);

        public double[] Doubles => [.. Bytes.Chunk(8).Select(b => BitConverter.ToDouble(b))];

        public List<Field> Message => Parse(Bytes);
    }

    public sealed record Value(long Step, double WallTime, string Tag, List<Field> Fields)
    {
        public Field this[int number] => Fields.Single(f => f.Number == number);
    }

    public static Field Get(this List<Field> message, int number) => message.Single(f => f.Number == number);

    /// <summary>All values in order; the first record, which must tell the file's version, is left out.</summary>
    public static List<Value> Read(string path)
    {
        var records = Records(File.ReadAllBytes(path)).Select(Parse).ToList();
        Assert.AreEqual("brain.Event:2", records[0].Get(3).Text);
        return [.. records.Skip(1).SelectMany(ValuesOf)];
    }

    private static IEnumerable<Value> ValuesOf(List<Field> record) =>
        from value in record.Get(5).Message
        let fields = value.Message
        select new Value((long)record.Get(2).Bits, record.Get(1).Double, fields.Get(1).Text, fields);

    private static IEnumerable<byte[]> Records(byte[] file)
    {
        for (var at = 0; at < file.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            Assert.AreEqual(MaskedCrc(file.AsSpan(at, 8)), BitConverter.ToUInt32(file, at + 8), "checksum of a length");
            var data = file.AsSpan(at + 12, length).ToArray();
            Assert.AreEqual(MaskedCrc(data), BitConverter.ToUInt32(file, at + 12 + length), "checksum of a record");
            at += 16 + length;
            yield return data;
        }
    }

    private static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
            }
        }
        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8u);
    }

    private static List<Field> Parse(byte[] message)
    {
        var fields = new List<Field>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var number = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    fields.Add(new Field(number, Varint(message, ref at), []));
                    break;
                case 1:
                    fields.Add(new Field(number, BitConverter.ToUInt64(message, at), []));
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add(new Field(number, 0, message.AsSpan(at, length).ToArray()));
                    at += length;
                    break;
                case 5:
                    fields.Add(new Field(number, BitConverter.ToUInt32(message, at), []));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {key & 7}");
            }
        }
        return fields;
    }

    private static ulong Varint(byte[] bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
