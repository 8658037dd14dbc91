using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Loading;

[TestClass]
public sealed class IdxLoaderTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void ValuesTypesAndCount(bool gzip)
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadFromIdx(Write(folder, "images", DataFiles.IdxImages(3), gzip), Write(folder, "labels", DataFiles.IdxLabels(2, 0, 4), gzip));
        Assert.AreEqual(3L, data.GetRowCount());
        Assert.AreEqual(!gzip, data.CanShuffle);
        var type = (VectorDataViewType)data.Schema["Features"].Type;
        CollectionAssert.AreEqual(new[] { 1, 2, 3 }, type.Dimensions.ToArray());
        Assert.AreEqual(new KeyDataViewType(typeof(uint), 5), data.Schema["Label"].Type);
        for (var pass = 0; pass < 2; pass++)
        {
            var features = data.GetColumn<float[]>("Features").ToArray();
            CollectionAssert.AreEqual(new float[] { 20, 21, 22, 23, 24, 25 }, features[2]);
            CollectionAssert.AreEqual(new float[] { 0, 1, 2, 3, 4, 5 }, features[0]);
            CollectionAssert.AreEqual(new uint[] { 3, 1, 5 }, data.GetColumn<uint>("Label").ToArray());
        }
    }

    [TestMethod]
    public void Label_MapsBackToTheNumbers()
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadFromIdx(Write(folder, "images", DataFiles.IdxImages(3)), Write(folder, "labels", DataFiles.IdxLabels(7, 0, 9)), classCount: 10);
        var mapped = Ml.Transforms.Conversion.MapKeyToValue("Number", "Label").Fit(data).Transform(data);
        CollectionAssert.AreEqual(new uint[] { 7, 0, 9 }, mapped.GetColumn<uint>("Number").ToArray());
        Assert.AreEqual(10UL, ((KeyDataViewType)data.Schema["Label"].Type).Count);
    }

    [TestMethod]
    public void Shuffled_RowsKeepTheirIdsAndColumns()
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadFromIdx(Write(folder, "images", DataFiles.IdxImages(20)), Write(folder, "labels", DataFiles.IdxLabels(Enumerable.Range(0, 20).Select(i => (byte)i).ToArray())));
        var order = ReadShuffled(data, 5);
        CollectionAssert.AreEqual(order, ReadShuffled(data, 5));
        CollectionAssert.AreNotEqual(order, ReadShuffled(data, 6));
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 20).Select(i => (ulong)i).ToArray(), order);
    }

    [TestMethod]
    public void ImagesWithoutLabels()
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadFromIdx(Write(folder, "images", DataFiles.IdxImages(2)));
        Assert.HasCount(1, data.Schema);
        Assert.HasCount(2, data.GetColumn<float[]>("Features").ToArray());
    }

    [TestMethod]
    public void OnlyActiveColumnsAreRead()
    {
        using var folder = new TemporaryFolder();
        var images = Write(folder, "images", DataFiles.IdxImages(2));
        var data = Ml.Data.LoadFromIdx(images, Write(folder, "labels", DataFiles.IdxLabels(1, 0)));
        File.Delete(images);
        CollectionAssert.AreEqual(new uint[] { 2, 1 }, data.GetColumn<uint>("Label").ToArray());
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void CutOff_OrTooLong_IsRefusedByName(bool gzip)
    {
        using var folder = new TemporaryFolder();
        var good = DataFiles.IdxImages(3);
        Refused("cut", good[..^1], "truncated");
        Refused("long", [.. good, 0], gzip ? "continues after its 3 records" : "too long");
        Refused("header", good[..10], "truncated");
        Refused("empty", [], "truncated");

        void Refused(string name, byte[] content, string expected)
        {
            var path = Write(folder, name, content, gzip);
            var message = Assert.ThrowsExactly<FormatException>(() => Ml.Data.LoadFromIdx(path).GetColumn<float[]>("Features").Count()).Message;
            Assert.Contains(path, message);
            Assert.Contains(expected, message);
        }
    }

    [TestMethod]
    public void DamagedGzip_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        var zipped = DataFiles.Gzip(DataFiles.Idx(8, [100, 20, 20], Random.Shared.GetItems([(byte)1, (byte)7, (byte)200, (byte)90], 40000)));
        var cut = folder.Write("cut", zipped[..(zipped.Length / 2)]);
        Assert.Contains("truncated", Assert.ThrowsExactly<FormatException>(() => Ml.Data.LoadFromIdx(cut).GetColumn<float[]>("Features").Count()).Message);
        zipped.AsSpan(zipped.Length / 2, 50).Clear();
        var damaged = folder.Write("damaged", zipped);
        Assert.Contains(damaged, Assert.ThrowsExactly<FormatException>(() => Ml.Data.LoadFromIdx(damaged).GetColumn<float[]>("Features").Count()).Message);
    }

    [TestMethod]
    public void LyingHeaders_AreRefused()
    {
        using var folder = new TemporaryFolder();
        Refused(DataFiles.Idx(9, [1, 1, 1], [1]), "0x00000803");
        Refused(DataFiles.IdxLabels(1, 2), "0x00000803");
        Refused(DataFiles.Idx(8, [-1, 2, 3], []), "number of images");
        Refused(DataFiles.Idx(8, [1, 0, 3], []), "height");
        Refused(DataFiles.Idx(8, [int.MaxValue, int.MaxValue, int.MaxValue], []), "truncated");
        Refused(DataFiles.Gzip(DataFiles.Idx(8, [int.MaxValue, 28, 28], [])), "can hold");

        void Refused(byte[] content, string expected) =>
            Assert.Contains(expected, Assert.ThrowsExactly<FormatException>(() => Ml.Data.LoadFromIdx(folder.Write("images", content))).Message);
    }

    [TestMethod]
    public void FilesThatDoNotBelongTogether_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var images = Write(folder, "images", DataFiles.IdxImages(3));
        var labels = Write(folder, "labels", DataFiles.IdxLabels(0, 1));
        var message = Assert.ThrowsExactly<FormatException>(() => Ml.Data.LoadFromIdx(images, labels)).Message;
        Assert.Contains("2 labels", message);
        Assert.Contains("3 images", message);

        var three = Write(folder, "three", DataFiles.IdxLabels(0, 5, 1));
        var data = Ml.Data.LoadFromIdx(images, three, classCount: 2);
        Assert.Contains("record 1: label 5", Assert.ThrowsExactly<FormatException>(() => data.GetColumn<uint>("Label").Count()).Message);
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadFromIdx(images, three, classCount: 0));
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadFromIdx(images, classCount: 2));
        Assert.Contains("nowhere", Assert.ThrowsExactly<FileNotFoundException>(() => Ml.Data.LoadFromIdx(folder.File("nowhere"))).Message);
    }

    private static ulong[] ReadShuffled(IDataView data, int seed)
    {
        using var cursor = data.GetRowCursor(data.Schema, new Random(seed));
        var getFeatures = cursor.GetGetter<VBuffer<float>>(data.Schema["Features"]);
        var getLabel = cursor.GetGetter<uint>(data.Schema["Label"]);
        var getId = cursor.GetIdGetter();
        var (features, label, id) = (default(VBuffer<float>), 0u, default(DataViewRowId));
        var ids = new List<ulong>();
        while (cursor.MoveNext())
        {
            getFeatures(ref features);
            getLabel(ref label);
            getId(ref id);
            Assert.AreEqual((float)(byte)(10 * id.Low), features.GetItemOrDefault(0));
            Assert.AreEqual(id.Low, label - 1);
            ids.Add(id.Low);
        }
        return [.. ids];
    }

    private static string Write(TemporaryFolder folder, string name, byte[] content, bool gzip = false) =>
        folder.Write(name, gzip ? DataFiles.Gzip(content) : content);
}
