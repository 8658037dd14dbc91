using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Loading;

[TestClass]
public sealed class TextLineLoaderTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void EveryLineIsARow_AsItIs(bool gzip)
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadFromTextLines(Write(folder, "text", "  one,\t\"two\"  \n\n#東京 😀\r\n\r\n \nlast", gzip));
        for (var pass = 0; pass < 2; pass++)
            CollectionAssert.AreEqual(new[] { "  one,\t\"two\"  ", "", "#東京 😀", "", " ", "last" }, Lines(data));
        Assert.IsNull(data.GetRowCount());
        Assert.IsFalse(data.CanShuffle);
        Assert.AreEqual(TextDataViewType.Instance, data.Schema["Text"].Type);
    }

    [TestMethod]
    public void Ends()
    {
        using var folder = new TemporaryFolder();
        Check("", []);
        Check("\n", [""]);
        Check("a\n", ["a"]);
        Check("a\n\n", ["a", ""]);
        Check("\na", ["", "a"]);
        Check("a\rb\n", ["a\rb"]);
        Check("\uFEFFa\n\uFEFFb", ["a", "\uFEFFb"]);

        void Check(string content, string[] expected) =>
            CollectionAssert.AreEqual(expected, Lines(Ml.Data.LoadFromTextLines(Write(folder, "text", content))));
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void LinesOfAnyLength_AreWhole(bool gzip)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(1);
        var expected = Enumerable.Range(0, 60).Select(i => new string((char)('é' + i), random.Next(i % 20 == 0 ? 200_000 : 9_000))).ToArray();
        var data = Ml.Data.LoadFromTextLines(Write(folder, "text", string.Join('\n', expected), gzip));
        CollectionAssert.AreEqual(expected, Lines(data));
    }

    [TestMethod]
    public void SeveralFiles_AreOneAfterTheOther()
    {
        using var folder = new TemporaryFolder();
        var paths = new[] { Write(folder, "a", "1\n2"), Write(folder, "b", ""), Write(folder, "c", "3\n", gzip: true) };
        var data = Ml.Data.LoadFromTextLines(paths, "Line");
        using var cursor = data.GetRowCursor(data.Schema);
        var getText = cursor.GetGetter<ReadOnlyMemory<char>>(data.Schema["Line"]);
        var getId = cursor.GetIdGetter();
        var (text, id, rows) = (default(ReadOnlyMemory<char>), default(DataViewRowId), new List<string>());
        while (cursor.MoveNext())
        {
            getText(ref text);
            getId(ref id);
            rows.Add($"{id.Low}:{cursor.Position}:{text}");
        }
        CollectionAssert.AreEqual(new[] { "0:0:1", "1:1:2", "2:2:3" }, rows);
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadFromTextLines(Array.Empty<string>(), "Text"));
    }

    [TestMethod]
    public void WhatIsNotUtf8_IsRefusedByLine()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("latin", [.. "good\n"u8, .. Encoding.Latin1.GetBytes("a\u00e9b\n")]);
        var data = Ml.Data.LoadFromTextLines(path);
        var message = Assert.ThrowsExactly<FormatException>(() => Lines(data)).Message;
        Assert.Contains(path, message);
        Assert.Contains("line 2 is not valid UTF-8", message);
        Assert.Contains("0xE9", message);
        var sixteen = folder.Write("utf16", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("a\n")).ToArray());
        Assert.Contains("line 1", Assert.ThrowsExactly<FormatException>(() => Lines(Ml.Data.LoadFromTextLines(sixteen))).Message);
    }

    [TestMethod]
    public void MissingOrDamagedFiles_AreRefusedByName()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("nowhere", Assert.ThrowsExactly<FileNotFoundException>(() => Ml.Data.LoadFromTextLines(folder.File("nowhere"))).Message);
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadFromTextLines(Write(folder, "text", "a"), " "));
    }

    [TestMethod]
    public void CutOffOrDamagedGzip_IsRefused_WhereverItIs()
    {
        using var folder = new TemporaryFolder();
        var zipped = DataFiles.Gzip(new Random(1).GetItems("abcdefg \n"u8.ToArray(), 200_000));
        foreach (var length in new[] { 3, 100, 1000, zipped.Length / 2, zipped.Length - 9, zipped.Length - 8, zipped.Length - 4, zipped.Length - 1 })
            Refused(zipped[..length]);
        var damaged = zipped.ToArray();
        damaged.AsSpan(zipped.Length / 2, 50).Clear();
        Refused(damaged);

        void Refused(byte[] content)
        {
            var path = folder.Write("damaged", content);
            var message = Assert.ThrowsExactly<FormatException>(() => Lines(Ml.Data.LoadFromTextLines(path)), $"{content.Length} bytes").Message;
            Assert.Contains(path, message);
            Assert.Contains("damaged or truncated at line", message);
        }
    }

    [TestMethod]
    public void GzipOfSeveralMembers_IsReadToTheEnd()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("members", [.. DataFiles.Gzip("a\nb"u8.ToArray()), .. DataFiles.Gzip([]), .. DataFiles.Gzip("c\n"u8.ToArray())]);
        CollectionAssert.AreEqual(new[] { "a", "bc" }, Lines(Ml.Data.LoadFromTextLines(path)));
        Assert.IsEmpty(Lines(Ml.Data.LoadFromTextLines(Write(folder, "empty", "", gzip: true))));
    }

    [TestMethod]
    public void LongFiles_Stream()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("long");
        using (var writer = new StreamWriter(path))
        {
            var line = new string('x', 999);
            for (var i = 0; i < 20_000; i++)
                writer.Write(line + "\n");
        }
        var data = Ml.Data.LoadFromTextLines(path);
        var held = GC.GetTotalMemory(forceFullCollection: true);
        using var cursor = data.GetRowCursor(data.Schema);
        var getText = cursor.GetGetter<ReadOnlyMemory<char>>(data.Schema["Text"]);
        var text = default(ReadOnlyMemory<char>);
        var characters = 0L;
        while (cursor.MoveNext())
        {
            getText(ref text);
            characters += text.Length;
        }
        Assert.AreEqual(20_000L * 999, characters);
        Assert.IsLessThan(4 << 20, GC.GetTotalMemory(forceFullCollection: true) - held);
    }

    private static string[] Lines(IDataView data) => [.. data.GetColumn<string>(data.Schema[0].Name)];

    private static string Write(TemporaryFolder folder, string name, string content, bool gzip = false)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        return folder.Write(name, gzip ? DataFiles.Gzip(bytes) : bytes);
    }
}
