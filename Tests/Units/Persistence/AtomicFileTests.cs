using System.Text;
using MLExtensions.Persistence;

namespace MLExtensions.Tests.Persistence;

[TestClass]
public class AtomicFileTests
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "atomic-" + Guid.NewGuid().ToString("N"));

    [TestCleanup]
    public void Clean()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [TestMethod]
    public void CreatesFolderAndReplacesFile()
    {
        var path = Path.Combine(_folder, "a", "b.txt");

        AtomicFile.Write(path, stream => stream.Write("first, and longer"u8));
        AtomicFile.Write(path, stream => stream.Write("second"u8));

        Assert.AreEqual("second", File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [TestMethod]
    public void FailureKeepsTheOldContentAndLeavesNothingBehind()
    {
        var path = Path.Combine(_folder, "model.zip");
        AtomicFile.Write(path, stream => stream.Write("old"u8));

        Assert.ThrowsExactly<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            Assert.AreEqual("old", File.ReadAllText(path));
            throw new InvalidOperationException("disk full");
        }));

        Assert.AreEqual("old", File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void LeftoversOfKilledWritesGo_FilesThatAreWrittenStay()
    {
        var path = Path.Combine(_folder, "a.txt");
        Directory.CreateDirectory(_folder);
        var leftover = Path.Combine(_folder, $".{Guid.NewGuid():N}.tmp");
        File.WriteAllText(leftover, "half");
        File.SetLastWriteTimeUtc(leftover, DateTime.UtcNow - (2 * AtomicFile.LeastAge));

        AtomicFile.Write(path, outer =>
        {
            outer.Write("outer"u8);
            AtomicFile.Write(Path.Combine(_folder, "b.txt"), inner => inner.Write("inner"u8));
        });

        Assert.IsFalse(File.Exists(leftover));
        Assert.AreEqual("outer", File.ReadAllText(path));
        Assert.HasCount(2, Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void FolderInTheWayLeavesNothingBehind()
    {
        var path = Path.Combine(_folder, "taken");
        Directory.CreateDirectory(path);

        Assert.Throws<Exception>(() => AtomicFile.Write(path, stream => stream.WriteByte(1)));

        Assert.IsEmpty(Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void TwoWritersAtOnceLeaveOneWholeFile()
    {
        var path = Path.Combine(_folder, "shared.txt");
        Parallel.For(0, 20, i => AtomicFile.Write(path, stream => stream.Write(Encoding.ASCII.GetBytes(new string((char)('a' + i), 5000)))));

        var text = File.ReadAllText(path);

        Assert.AreEqual(5000, text.Length);
        Assert.AreEqual(new string(text[0], 5000), text);
        Assert.HasCount(1, Directory.GetFiles(_folder));
    }
}
