using MLExtensions.Persistence;
using static MLExtensions.Tests.Persistence.SafeTensorsSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Persistence;

[TestClass]
public class SafeTensorsDamageTests
{
    [TestMethod]
    public void EveryFlippedBitIsRefused()
    {
        using var scope = NewDisposeScope();
        var file = SmallFile();
        for (var position = 0; position < file.Length; position++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                file[position] ^= (byte)(1 << bit);
                AssertRefused(file, $"bit {bit} of byte {position}");
                file[position] ^= (byte)(1 << bit);
            }
        }
    }

    [TestMethod]
    public void EveryTruncationIsRefused()
    {
        using var scope = NewDisposeScope();
        var file = SmallFile();
        for (var length = 0; length < file.Length; length++)
        {
            AssertRefused(file[..length], $"the first {length} bytes");
        }
    }

    [TestMethod]
    public void TrailingBytesAreRefused()
    {
        using var scope = NewDisposeScope();
        AssertRefused([.. SmallFile(), 0], "one byte more");
    }

    [TestMethod]
    public void TargetsKeepTheirValuesWhenTheLastByteIsWrong()
    {
        using var scope = NewDisposeScope();
        var file = SmallFile();
        file[^1] ^= 1;
        var targets = new Dictionary<string, Tensor> { ["a"] = full(3, 42f), ["b"] = tensor(new long[] { 42 }) };

        Assert.ThrowsExactly<ModelFormatException>(() => SafeTensorsReader.Open(Open(file), Entry).LoadInto(targets));

        CollectionAssert.AreEqual(new[] { 42f, 42f, 42f }, targets["a"].data<float>().ToArray());
        Assert.AreEqual(42, targets["b"].item<long>());
    }

    [TestMethod]
    public void MissingAndUnexpectedTensorsAreListed()
    {
        using var scope = NewDisposeScope();
        var error = LoadFails(new() { ["a"] = zeros(3), ["c"] = zeros(1), ["d"] = zeros(1) });

        StringAssert.Contains(error.Message, "missing: 'c', 'd'; unexpected: 'b'");
    }

    [TestMethod]
    public void WrongShapeOrTypeNamesTensorExpectedAndFound()
    {
        using var scope = NewDisposeScope();
        var shape = LoadFails(new() { ["a"] = zeros(1, 3), ["b"] = zeros(1, ScalarType.Int64) });
        var type = LoadFails(new() { ["a"] = zeros(3), ["b"] = zeros(1, ScalarType.Float64) });

        StringAssert.StartsWith(shape.Message, Entry + ": ");
        Assert.AreEqual(Entry, shape.EntryName);
        StringAssert.Contains(shape.Message, "tensor 'a' should be F32[1,3], but the file has F32[3]");
        StringAssert.Contains(type.Message, "tensor 'b' should be F64[1], but the file has I64[1]");
    }

    [TestMethod]
    [DataRow("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", "overlap")]
    [DataRow("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", "gap")]
    [DataRow("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", "gap")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}""", "spans")]
    [DataRow("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[3,0]}}""", "spans")]
    [DataRow("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", "3 bytes of data, but its header describes 2")]
    [DataRow("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"a":{"dtype":"U8","shape":[0],"data_offsets":[3,3]}}""", "twice")]
    [DataRow("""{"a":{"dtype":"U8","shape":[3],"shape":[3],"data_offsets":[0,3]}}""", "duplicate")]
    [DataRow("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3],"pickle":1}}""", "pickle")]
    [DataRow("""{"a":{"dtype":"U8","shape":[3]}}""", "lacks")]
    [DataRow("""{"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]}}""", "F8_E4M3")]
    [DataRow("""{"a":{"dtype":"U8","shape":[-3],"data_offsets":[0,3]}}""", "whole numbers")]
    [DataRow("""{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,3]}}""", "whole numbers")]
    [DataRow("""{"a":{"dtype":"U8","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", "impossible")]
    [DataRow("""{"a":{"dtype":"F64","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,3]}}""", "impossible")]
    [DataRow("""{"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}""", "Boolean values")]
    [DataRow("""{"a":{"dtype":7,"shape":[3],"data_offsets":[0,3]}}""", "not valid")]
    [DataRow("""{"a":[3]}""", "not an object")]
    [DataRow("""{"__metadata__":{"x":1}}""", "metadata 'x'")]
    [DataRow("""{"__metadata__":{"x":"1","x":"2"}}""", "metadata 'x'")]
    [DataRow("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}} {}""", "not valid")]
    [DataRow(""" {"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "begin with")]
    [DataRow("""{"a":{"dtype":"U8","shape":[[[[[3]]]]],"data_offsets":[0,3]}}""", "whole numbers")]
    [DataRow("""{"a":{"dtype":"U8",""", "not valid")]
    [DataRow("[]", "begin with")]
    public void HeadersThatDoNotAddUpAreRefused(string header, string complaint)
    {
        using var scope = NewDisposeScope();
        var file = Foreign(header, 0, 1, 2);

        var error = Assert.ThrowsExactly<ModelFormatException>(() => SafeTensorsReader.Open(Open(file), Entry).ReadAll());

        StringAssert.StartsWith(error.Message, Entry + ": ");
        StringAssert.Contains(error.Message, complaint);
    }

    [TestMethod]
    public void BytesThatDecompressToNothingAreAFormatError()
    {
        using var damaged = new System.IO.Compression.DeflateStream(new MemoryStream([0xFF, 1, 2, 3, 4, 5, 6, 7, 8, 9]), System.IO.Compression.CompressionMode.Decompress);

        Assert.ThrowsExactly<ModelFormatException>(() => SafeTensorsReader.Open(damaged, Entry));
    }

    private static byte[] SmallFile() =>
        Write([new("a", tensor(new[] { 1f, 2f, 3f })), new("b", tensor(new[] { 7L }))], new Dictionary<string, string> { ["epoch"] = "12" });

    private static ModelFormatException LoadFails(Dictionary<string, Tensor> targets) =>
        Assert.ThrowsExactly<ModelFormatException>(() => SafeTensorsReader.Open(Open(SmallFile()), Entry).LoadInto(targets));

    private static void AssertRefused(byte[] file, string what)
    {
        foreach (var seekable in (bool[])[true, false])
        {
            var error = Assert.ThrowsExactly<ModelFormatException>(
                () => SafeTensorsReader.Open(Open(file, seekable), Entry, requireChecksum: true).ReadAll(), what);
            Assert.AreEqual(Entry, error.EntryName);
        }
    }
}
