using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static MLExtensions.Tests.Persistence.SafeTensorsSample;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Persistence;

[TestClass]
public class SafeTensorsRoundTripTests
{
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void LoadIntoGivesTheSameBits(bool seekable)
    {
        using var scope = NewDisposeScope();
        var tensors = CreateTensors();
        var targets = LikeThem(tensors);
        using var file = Open(Write(tensors), seekable);

        SafeTensorsReader.Open(file, Entry, requireChecksum: true).LoadInto(targets);

        foreach (var (name, tensor) in tensors)
        {
            CollectionAssert.AreEqual(RawBytes(tensor), RawBytes(targets[name]), name);
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void ReadAllGivesTheSameTensorsAndMetadata(bool seekable)
    {
        using var scope = NewDisposeScope();
        var tensors = CreateTensors();
        // More elements than the reader believes in at first.
        tensors["large"] = arange(3_000_000, ScalarType.Int32);
        using var file = Open(Write(tensors, new Dictionary<string, string> { ["epoch"] = "7", ["名"] = "\"quoted\"\n" }), seekable);
        var reader = SafeTensorsReader.Open(file, Entry, requireChecksum: true);

        var loaded = reader.ReadAll();

        Assert.AreEqual("7", reader.Header.Metadata["epoch"]);
        Assert.AreEqual("\"quoted\"\n", reader.Header.Metadata["名"]);
        CollectionAssert.AreEquivalent(tensors.Keys, loaded.Keys);
        foreach (var (name, tensor) in tensors)
        {
            Assert.AreEqual(tensor.dtype, loaded[name].dtype, name);
            CollectionAssert.AreEqual(tensor.shape, loaded[name].shape, name);
            Assert.IsTrue(RawBytes(tensor).AsSpan().SequenceEqual(RawBytes(loaded[name])), name);
        }
        Assert.ThrowsExactly<InvalidOperationException>(reader.ReadAll);
    }

    [TestMethod]
    public void ReadAllLeavesOnlyItsResultsAlive()
    {
        using var outer = NewDisposeScope();
        var file = Write(CreateTensors());
        outer.DisposeEverything();

        var loaded = SafeTensorsReader.Open(Open(file), Entry).ReadAll();

        Assert.AreEqual(loaded.Count, outer.DisposablesCount);
    }

    [TestMethod]
    public void NonContiguousAndTrainableTensorsKeepTheirValues()
    {
        using var scope = NewDisposeScope();
        var weight = new TorchSharp.Modules.Parameter(arange(6, ScalarType.Float32).reshape(2, 3).t());
        var target = new TorchSharp.Modules.Parameter(zeros(2, 3).t());

        SafeTensorsReader.Open(Open(Write([new("w", weight)])), Entry).LoadInto(new Dictionary<string, Tensor> { ["w"] = target });

        CollectionAssert.AreEqual(new float[] { 0, 3, 1, 4, 2, 5 }, target.contiguous().data<float>().ToArray());
        Assert.IsTrue(target.requires_grad);
    }

    [TestMethod]
    public void OrderOfTheTensorsDoesNotChangeTheFile()
    {
        using var scope = NewDisposeScope();
        var tensors = CreateTensors();
        var metadata = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" };

        CollectionAssert.AreEqual(Write(tensors, metadata), Write(tensors.Reverse(), metadata.Reverse().ToDictionary()));
    }

    [TestMethod]
    public void FileFollowsTheFormatsRules()
    {
        using var scope = NewDisposeScope();
        var tensors = CreateTensors();
        var file = Write(tensors, new Dictionary<string, string> { ["format"] = "pt" });

        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        var data = file.AsSpan(8 + length);
        using var header = JsonDocument.Parse(file.AsMemory(8, length));
        Assert.AreEqual(0, length % 8);
        Assert.AreEqual((byte)'{', file[8]);
        var metadata = header.RootElement.GetProperty("__metadata__");
        Assert.AreEqual("pt", metadata.GetProperty("format").GetString());
        Assert.AreEqual(Convert.ToHexStringLower(SHA256.HashData(data)), metadata.GetProperty("sha256").GetString());
        long end = 0;
        foreach (var property in header.RootElement.EnumerateObject().Skip(1))
        {
            var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt64()).ToArray();
            var tensor = tensors[property.Name];
            Assert.AreEqual(end, offsets[0]);
            Assert.AreEqual(0, offsets[0] % tensor.element_size(), property.Name);
            Assert.IsTrue(data[(int)offsets[0]..(int)offsets[1]].SequenceEqual(RawBytes(tensor)), property.Name);
            end = offsets[1];
        }
        Assert.AreEqual(data.Length, end);
        Assert.AreEqual("BF16", header.RootElement.GetProperty("brain").GetProperty("dtype").GetString());
    }

    [TestMethod]
    public void ZipEntriesCanBeWrittenAndRead()
    {
        using var scope = NewDisposeScope();
        var tensors = CreateTensors();
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = zip.CreateEntry(Entry).Open();
            SafeTensorsWriter.Write(entry, tensors);
        }
        using var archive = new ZipArchive(file);
        using var content = archive.GetEntry(Entry)!.Open();

        var loaded = SafeTensorsReader.Open(content, Entry, requireChecksum: true).ReadAll();

        Assert.AreEqual(long.MinValue, loaded["steps"].item<long>());
    }

    [TestMethod]
    public void ForeignFilesNeedNoChecksumUnlessItIsRequired()
    {
        using var scope = NewDisposeScope();
        var file = Foreign("""{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   """, 5, 6);

        CollectionAssert.AreEqual(new byte[] { 5, 6 }, RawBytes(SafeTensorsReader.Open(Open(file), Entry).ReadAll()["x"]));
        var error = Assert.ThrowsExactly<ModelFormatException>(() => SafeTensorsReader.Open(Open(file), Entry, requireChecksum: true));
        StringAssert.Contains(error.Message, "sha256");
    }

    [TestMethod]
    public void WriterRefusesWhatTheFormatCannotHold()
    {
        using var scope = NewDisposeScope();
        KeyValuePair<string, Tensor> one = new("x", ones(1));

        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Write([one, one])).Message, "'x'");
        Assert.ThrowsExactly<ArgumentException>(() => Write([new("__metadata__", ones(1))]));
        Assert.ThrowsExactly<ArgumentException>(() => Write([one], new Dictionary<string, string> { ["sha256"] = "" }));
        var error = Assert.ThrowsExactly<ArgumentException>(() => Write([new("z", zeros(1, ScalarType.ComplexFloat32))]));
        StringAssert.Contains(error.Message, "'z'");
    }

    [TestMethod]
    public void PiecesCoverLargeTensorsOnce()
    {
        using var scope = NewDisposeScope();
        // 40 MB and a bit: more than two pieces.
        var large = arange(5_000_001, ScalarType.Int64);
        long elements = 0;
        var pieces = 0;

        TensorMemory.ForEachPiece(large, piece =>
        {
            Assert.AreEqual(elements, BinaryPrimitives.ReadInt64LittleEndian(piece));
            elements += piece.Length / sizeof(long);
            pieces++;
        });

        Assert.AreEqual(5_000_001, elements);
        Assert.AreEqual(3, pieces);
    }
}
