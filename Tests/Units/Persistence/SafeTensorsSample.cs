using System.Buffers.Binary;
using System.Text;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Persistence;

/// <summary>Files and streams that the safetensors tests share.</summary>
internal static class SafeTensorsSample
{
    public const string Entry = "weights.safetensors";

    public static Dictionary<string, Tensor> CreateTensors() => new()
    {
        ["fc.weight"] = tensor(new float[] { 1.5f, -2.25f, float.NaN, float.PositiveInfinity, 0f, -0f }).reshape(2, 3),
        ["fc.bias"] = tensor(new double[] { Math.PI, double.Epsilon }),
        ["half"] = tensor(new float[] { 0.5f, 65504f }).to(ScalarType.Float16),
        ["brain"] = tensor(new float[] { 3.140625f, -1e30f, 7f }).to(ScalarType.BFloat16),
        ["steps"] = tensor(long.MinValue),
        ["ints"] = tensor(new[] { int.MinValue, 7 }),
        ["shorts"] = tensor(new short[] { -3, 4, 5 }),
        ["signed"] = tensor(new sbyte[] { -128, 127 }),
        ["pixels"] = tensor(new byte[] { 0, 255, 128 }),
        ["mask"] = tensor(new[] { true, false, true }),
        ["empty"] = zeros(0, 4),
    };

    public static Dictionary<string, Tensor> LikeThem(IReadOnlyDictionary<string, Tensor> tensors) =>
        tensors.ToDictionary(t => t.Key, t => zeros_like(t.Value));

    public static byte[] Write(IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var stream = new MemoryStream();
        SafeTensorsWriter.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    /// <summary>A file as another program would write it: a header, no checksums.</summary>
    public static byte[] Foreign(string header, params byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, json.Length);
        return [.. prefix, .. json, .. data];
    }

    public static byte[] RawBytes(Tensor tensor)
    {
        var result = new List<byte>();
        TensorMemory.ForEachPiece(tensor, piece => result.AddRange(piece));
        return [.. result];
    }

    public static Stream Open(byte[] file, bool seekable = true) => seekable ? new MemoryStream(file) : new OneWayStream(file);

    /// <summary>Gives a few bytes at a time and knows neither its length nor its position, like an entry of a .zip.</summary>
    private sealed class OneWayStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 7));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 7)]);
    }
}
