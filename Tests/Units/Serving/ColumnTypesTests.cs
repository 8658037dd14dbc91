using System.Text;
using System.Text.Json;
using MLExtensions.Examples.Serving.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Serving;

/// <summary>Values of every type go through a model of ML.NET's own steps and come back.</summary>
[TestClass]
public sealed class ColumnTypesTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public async Task NumbersTextsAndVectors_ComeBack()
    {
        string[] names = [.. typeof(Everything).GetProperties().Select(property => property.Name)];
        var data = Ml.Data.LoadFromEnumerable([new Everything()]);
        await using var predictor = Serve(Ml.Transforms.CopyColumns([.. names.Select(name => new InputOutputColumnPair("Out" + name, name))]).Fit(data), data.Schema);
        CollectionAssert.AreEquivalent(names.Select(name => "Out" + name).ToArray(), predictor.Outputs.Select(output => output.Name).ToArray());
        ColumnData[] columns =
        [
            ColumnData.Of("Single", 1.5f, -2f), ColumnData.Of("Double", 1e300, 0.1), ColumnData.Of("Int32", int.MinValue, 7), ColumnData.Of("Int64", long.MaxValue, -1),
            ColumnData.Of("UInt64", ulong.MaxValue, 0ul), ColumnData.Of<byte>("Byte", 255, 0), ColumnData.Of("Boolean", true, false), ColumnData.Of("Text", "Grüße", ""),
            ColumnData.Of("Pair", 1f, 2f, 3f, 4f), ColumnData.Of<int>("Numbers", new[] { 5, 6, 7 }, [1, 2]), ColumnData.Of<string>("Words", new[] { "a", "b" }, [0, 2]),
        ];
        var answer = await predictor.PredictColumnsAsync(columns, 2);
        foreach (var column in columns)
        {
            var back = answer.Single(each => each.Name == "Out" + column.Name);
            Assert.AreEqual(column.ItemType, back.ItemType);
            CollectionAssert.AreEqual(Values(column), Values(back), column.Name);
            CollectionAssert.AreEqual(column.Lengths?.ToArray(), back.Lengths?.ToArray(), column.Name);
        }
    }

    [TestMethod]
    public async Task Keys_AreWhatTheyStandFor()
    {
        var rows = Ml.Data.LoadFromEnumerable(new[] { "red", "green", "blue" }.Select(color => new { Color = color }));
        var keys = Ml.Transforms.Conversion.MapValueToKey("Key", "Color").Fit(rows).Transform(rows);
        await using var predictor = Serve(Ml.Transforms.CopyColumns("Out", "Key").Fit(keys), keys.Schema);
        Assert.IsTrue(predictor.Inputs.Single().IsKey);
        var answer = (ColumnData<string>)(await predictor.PredictColumnsAsync([ColumnData.Of("Key", "blue", "red")], 2)).Single();
        CollectionAssert.AreEqual(new[] { "blue", "red" }, answer.Values.ToArray());
        Assert.Contains("does not know the value 'pink'; it knows 'red', 'green', 'blue'", (await Assert.ThrowsAsync<ArgumentException>(() => predictor.PredictColumnsAsync([ColumnData.Of("Key", "pink")], 1))).Message);
    }

    [TestMethod]
    public async Task Images_AreFiles()
    {
        using var folder = new TemporaryFolder();
        using var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Bgra32, (byte[])[10, 20, 30, 255, 40, 50, 60, 255]);
        image.Save(folder.File("0.png"));
        var data = Ml.Data.LoadFromEnumerable([new Picture { Image = image }]);
        await using var predictor = Serve(Ml.Transforms.ResizeImages("Small", 2, 1, "Image").Append(Ml.Transforms.ExtractPixels("Pixels", "Small")).Fit(data), data.Schema, "Pixels", "Small");
        var answer = await predictor.PredictColumnsAsync([ColumnData.Of<byte[]>("Image", File.ReadAllBytes(folder.File("0.png")))], 1);
        CollectionAssert.AreEqual(new float[] { 30, 60, 20, 50, 10, 40 }, ((ColumnData<float>)answer[0]).Values.ToArray());
        File.WriteAllBytes(folder.File("1.png"), ((ColumnData<byte[]>)answer[1]).Values.Span[0]);
        using var back = ImageFile.Load(folder.File("1.png"));
        CollectionAssert.AreEqual(image.Pixels.ToArray(), back.Pixels.ToArray());
        Assert.Contains("image 0 cannot be read", (await Assert.ThrowsAsync<ArgumentException>(() => predictor.PredictColumnsAsync([ColumnData.Of<byte[]>("Image", [1, 2, 3])], 1))).Message);
    }

    [TestMethod]
    public void EveryType_IsWrittenAsJson()
    {
        AssertWritten("[-1.5,null]", -1.5f, float.NaN);
        AssertWritten("[0.1,null]", 0.1, double.NegativeInfinity);
        AssertWritten<sbyte>("[-128,127]", -128, 127);
        AssertWritten<short>("[-32768,1]", short.MinValue, 1);
        AssertWritten("[-2147483648,1]", int.MinValue, 1);
        AssertWritten("[-9223372036854775808,1]", long.MinValue, 1);
        AssertWritten<byte>("[255,0]", 255, 0);
        AssertWritten<ushort>("[65535,0]", ushort.MaxValue, 0);
        AssertWritten("[4294967295,0]", uint.MaxValue, 0u);
        AssertWritten("[18446744073709551615,0]", ulong.MaxValue, 0ul);
        AssertWritten("[true,false]", true, false);
        AssertWritten("""["a",""]""", "a", "");
        AssertWritten("""[{"b64":"AQI="},{"b64":""}]""", new byte[] { 1, 2 }, []);

        static void AssertWritten<T>(string expected, params T[] values)
        {
            using var memory = new MemoryStream();
            using var writer = new Utf8JsonWriter(memory);
            writer.WriteStartArray();
            ColumnWriter.WriteItems(writer, ColumnData.Of("Column", values), 0, values.Length);
            writer.WriteEndArray();
            writer.Flush();
            Assert.AreEqual(expected, Encoding.UTF8.GetString(memory.ToArray()));
        }
    }

    [TestMethod]
    public void OtherTypes_AreRefusedByName()
    {
        var data = Ml.Data.LoadFromEnumerable([new { When = DateTime.UnixEpoch }]);
        Assert.Contains("'When'", Assert.Throws<NotSupportedException>(() => Serve(Ml.Transforms.CopyColumns("Out", "When").Fit(data), data.Schema)).Message);
    }

    private static Array Values(ColumnData column) => ((dynamic)column).Values.ToArray();

    private static BatchedPredictor Serve(ITransformer model, DataViewSchema schema, params string[] outputs)
    {
        using var folder = new TemporaryFolder();
        Ml.Model.Save(model, schema, folder.File("model.zip"));
        return BatchedPredictor.Load(folder.File("model.zip"), new() { OutputColumns = outputs.Length > 0 ? outputs : null });
    }

    private sealed class Everything
    {
        public float Single { get; set; }

        public double Double { get; set; }

        public int Int32 { get; set; }

        public long Int64 { get; set; }

        public ulong UInt64 { get; set; }

        public byte Byte { get; set; }

        public bool Boolean { get; set; }

        public string Text { get; set; } = "";

        [VectorType(2)]
        public float[] Pair { get; set; } = [0, 0];

        public int[] Numbers { get; set; } = [];

        public string[] Words { get; set; } = [];
    }

    private sealed class Picture
    {
        [Microsoft.ML.Transforms.Image.ImageType(1, 2)]
        public MLImage? Image { get; set; }

        public string Name { get; set; } = ""; // ML.NET saves no schema of images alone
    }
}
