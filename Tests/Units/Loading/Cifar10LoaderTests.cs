using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Loading;

[TestClass]
public sealed class Cifar10LoaderTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void SeveralFiles_GzippedOrNot()
    {
        using var folder = new TemporaryFolder();
        var plain = folder.Write("1.bin", [.. DataFiles.Cifar(3, 1, 2, 3), .. DataFiles.Cifar(9, 4, 5, 6)]);
        var other = folder.Write("2.bin", DataFiles.Cifar(0, 7, 8, 255));
        var zipped = folder.Write("3.bin", DataFiles.Gzip([.. DataFiles.Cifar(1, 10, 11, 12), .. DataFiles.Cifar(2, 13, 14, 15)]));

        var data = Ml.Data.LoadFromCifar10(plain, other);
        Assert.AreEqual(3L, data.GetRowCount());
        Assert.IsTrue(data.CanShuffle);
        CollectionAssert.AreEqual(new[] { 3, 32, 32 }, ((VectorDataViewType)data.Schema["Features"].Type).Dimensions.ToArray());
        CollectionAssert.AreEqual(new[] { "1 2 3 cat", "4 5 6 truck", "7 8 255 airplane" }, Read(data));

        var mixed = Ml.Data.LoadFromCifar10(zipped, plain, zipped);
        Assert.IsNull(mixed.GetRowCount());
        Assert.IsFalse(mixed.CanShuffle);
        CollectionAssert.AreEqual(
            new[] { "10 11 12 automobile", "13 14 15 bird", "1 2 3 cat", "4 5 6 truck", "10 11 12 automobile", "13 14 15 bird" }, Read(mixed));
        Assert.HasCount(6, mixed.GetColumn<uint>("Label").ToArray());
    }

    [TestMethod]
    public void Shuffled_AcrossFiles()
    {
        using var folder = new TemporaryFolder();
        var first = folder.Write("1.bin", [.. DataFiles.Cifar(3, 1, 2, 3), .. DataFiles.Cifar(9, 4, 5, 6)]);
        var second = folder.Write("2.bin", DataFiles.Cifar(0, 7, 8, 255));
        var data = Ml.Data.LoadFromCifar10(first, second);
        var orders = Enumerable.Range(0, 20).Select(seed => string.Join(", ", Read(data, new Random(seed)))).ToArray();
        Assert.HasCount(6, orders.Distinct().ToArray());
        foreach (var order in orders)
            CollectionAssert.AreEquivalent(new[] { "1 2 3 cat", "4 5 6 truck", "7 8 255 airplane" }, order.Split(", "));
    }

    [TestMethod]
    public void OwnClassNames()
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Data.LoadFromCifar10([folder.Write("1.bin", DataFiles.Cifar(1, 1, 2, 3))], ["no", "yes"]);
        CollectionAssert.AreEqual(new[] { "1 2 3 yes" }, Read(data));
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadFromCifar10(["1.bin"], []));
        Assert.Throws<ArgumentException>(() => Ml.Data.LoadFromCifar10());
    }

    [TestMethod]
    public void Damage_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        var record = DataFiles.Cifar(1, 1, 2, 3);
        Refused("3,073", () => Ml.Data.LoadFromCifar10(folder.Write("cut", record[..^1])));
        Refused("3,073", () => Ml.Data.LoadFromCifar10(folder.Write("empty", [])));
        Refused("record 1", () => Ml.Data.LoadFromCifar10(folder.Write("zipped", DataFiles.Gzip([.. record, .. record[..5]]))));
        Refused("record 1: label 10", () => Ml.Data.LoadFromCifar10(folder.Write("label", [.. record, .. DataFiles.Cifar(10, 0, 0, 0)])));
        Assert.ThrowsExactly<FileNotFoundException>(() => Ml.Data.LoadFromCifar10(folder.File("nowhere")));

        void Refused(string expected, Func<IDataView> load)
        {
            var message = Assert.ThrowsExactly<FormatException>(() => Read(load())).Message;
            Assert.Contains(expected, message);
            Assert.Contains(folder.Path, message);
        }
    }

    private static string[] Read(IDataView data, Random? random = null)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        data.Schema["Label"].GetKeyValues(ref names);
        using var cursor = data.GetRowCursor(data.Schema, random);
        var getFeatures = cursor.GetGetter<VBuffer<float>>(data.Schema["Features"]);
        var getLabel = cursor.GetGetter<uint>(data.Schema["Label"]);
        var (features, label) = (default(VBuffer<float>), 0u);
        var rows = new List<string>();
        while (cursor.MoveNext())
        {
            getFeatures(ref features);
            getLabel(ref label);
            var planes = features.DenseValues().Chunk(1024).Select(plane => plane.Distinct().Single());
            rows.Add($"{string.Join(' ', planes)} {names.GetItemOrDefault((int)label - 1)}");
        }
        return [.. rows];
    }
}
