using System.Buffers.Binary;
using System.Text;
using MLExtensions.Native;

namespace MLExtensions.Tests.Native;

[TestClass]
public sealed class ElfVersionNeedsTests
{
    private const int NeedsAt = 64;
    private const int FirstAuxiliaryAt = NeedsAt + 16;
    private const int SecondAuxiliaryAt = FirstAuxiliaryAt + 16;
    private const int StringsAt = SecondAuxiliaryAt + 16;
    private const int SectionsAt = 160;
    private const int ImageSize = SectionsAt + 3 * 64;

    [TestMethod]
    [DataRow("OLD_1.0", FirstAuxiliaryAt)]
    [DataRow("NEW_2.0", SecondAuxiliaryAt)]
    public void Weaken_SetsTheFlagOfThatVersionAlone(string version, int auxiliary)
    {
        var expected = Image();
        expected[auxiliary + 4] = 2;
        var image = Image();

        Assert.IsTrue(ElfVersionNeeds.Weaken(image, version));
        CollectionAssert.AreEqual(expected, image);
    }

    [TestMethod]
    [DataRow("NEW_2.1")]
    [DataRow("NEW_2")] // a mere beginning
    [DataRow("EW_2.0")]
    public void Weaken_OtherVersion_ChangesNothing(string version)
    {
        var image = Image();
        Assert.IsFalse(ElfVersionNeeds.Weaken(image, version));
        CollectionAssert.AreEqual(Image(), image);
    }

    [TestMethod]
    public void Weaken_CutAtAnyLength_DoesNotThrow()
    {
        for (var length = 0; length < ImageSize; length++)
        {
            var complete = ElfVersionNeeds.Weaken(Image().AsSpan(0, length), "NEW_2.0");
            Assert.IsFalse(complete && length < SectionsAt + 2 * 64, $"found in the first {length} bytes");
        }
    }

    [TestMethod]
    public void Weaken_AnyByteWrong_DoesNotThrowOrHang()
    {
        foreach (var wrong in new byte[] { 0x00, 0x01, 0x7F, 0x80, 0xFF })
        {
            for (var at = 0; at < ImageSize; at++)
            {
                var image = Image();
                image[at] = wrong;
                ElfVersionNeeds.Weaken(image, "NEW_2.0");
            }
        }
    }

    [TestMethod]
    public void Weaken_RandomFields_DoesNotThrowOrHang()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 20_000; trial++)
        {
            var image = Image();
            for (var i = random.Next(1, 5); i > 0; i--)
                random.NextBytes(image.AsSpan(random.Next(6, ImageSize - 8), random.Next(1, 9)));
            ElfVersionNeeds.Weaken(image, "NEW_2.0");
        }
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Weaken_TorchSharpsLibrary_ChangesOneByte()
    {
        var path = NativeFiles.Find("libLibTorchSharp.so", typeof(TorchSharp.torch).Assembly)!;
        var original = File.ReadAllBytes(path);
        byte[] image = [.. original];

        Assert.IsTrue(ElfVersionNeeds.Weaken(image, OldLibStdCxx.Version));
        Assert.AreEqual(1, original.Zip(image).Count(pair => pair.First != pair.Second));
        Assert.IsFalse(ElfVersionNeeds.Weaken([.. original], "GLIBCXX_9.9.9"));
    }

    /// <summary>A null section, the version needs of one library (OLD_1.0 and NEW_2.0) and their strings.</summary>
    private static byte[] Image()
    {
        var image = new byte[ImageSize];
        new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1 }.CopyTo(image, 0);
        Write(image, 0x28, SectionsAt);
        Write(image, 0x3A, 64 | 3 << 16); // size and number of the section headers
        Write(image, NeedsAt, 1 | 2 << 16); // version of the format, two auxiliaries
        Write(image, NeedsAt + 8, 16); // the first follows
        Write(image, FirstAuxiliaryAt + 8, 0);
        Write(image, FirstAuxiliaryAt + 12, 16);
        Write(image, SecondAuxiliaryAt + 8, 8);
        Encoding.ASCII.GetBytes("OLD_1.0\0NEW_2.0\0").CopyTo(image, StringsAt);

        const int needsSection = SectionsAt + 64;
        Write(image, needsSection + 4, 0x6FFFFFFE);
        Write(image, needsSection + 24, NeedsAt);
        Write(image, needsSection + 40, 2);
        Write(image, needsSection + 44, 1);
        Write(image, SectionsAt + 2 * 64 + 24, StringsAt);
        return image;
    }

    private static void Write(byte[] image, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(at), value);
}
