using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Onnx;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Tensors;

/// <summary>What networks compute becomes columns of every type, block by block and row by row.</summary>
[TestClass]
public sealed class OutputColumnTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly Row[] Rows = Enumerable.Range(0, 700).Select(i => new Row { Features = [i % 7, i % 5, i % 3, 60 * (i % 4)] }).ToArray();

    [TestMethod]
    public void Schema_HasTheTypes()
    {
        using var transformer = new Sums(Ml);
        var schema = transformer.GetOutputSchema(Ml.Data.LoadFromEnumerable(Rows).Schema);
        Assert.AreEqual(NumberDataViewType.Single, schema["Sum"].Type);
        CollectionAssert.AreEqual(new[] { 2, 1, 2 }, ((VectorDataViewType)schema["Table"].Type).Dimensions);
        Assert.AreEqual(NumberDataViewType.Single, ((VectorDataViewType)schema["Table"].Type).ItemType);
        CollectionAssert.AreEqual(new[] { 4 }, ((VectorDataViewType)schema["Vector"].Type).Dimensions);
        Assert.AreEqual(4UL, ((KeyDataViewType)schema["Largest"].Type).Count);
        Assert.AreEqual(TextDataViewType.Instance, schema["Text"].Type);
        var image = (ImageDataViewType)schema["Picture"].Type;
        Assert.AreEqual((2, 1), (image.Height, image.Width));
        Assert.AreEqual(schema.ToString(), transformer.Transform(Ml.Data.LoadFromEnumerable(Rows)).Schema.ToString());
    }

    [TestMethod]
    public void Shape_IsThatOfTheSchema()
    {
        using var transformer = new Sums(Ml);
        var schema = SchemaShape.Create(transformer.GetOutputSchema(Ml.Data.LoadFromEnumerable(Rows).Schema));
        foreach (var output in transformer.Outputs)
        {
            Assert.IsTrue(schema.TryFindColumn(output.Name, out var column));
            Assert.AreEqual((column.Kind, column.ItemType.RawType, column.IsKey), (output.Shape.Kind, output.Shape.ItemType.RawType, output.Shape.IsKey), output.Name);
        }
    }

    [TestMethod]
    public void Transform_ComputesBlocks()
    {
        using var transformer = new Sums(Ml);
        // One by one: the next row's image takes the place of this one's.
        var count = 0;
        foreach (var result in Ml.Data.CreateEnumerable<Result>(transformer.Transform(Ml.Data.LoadFromEnumerable(Rows)), reuseRowObject: false))
            AssertResult(Rows[count++], result);
        Assert.HasCount(count, Rows);
        Assert.IsLessThan(Rows.Length / 4, transformer.Passes, "blocks are computed in one pass each");
    }

    [TestMethod]
    public void PredictionEngine_ComputesRows()
    {
        using var transformer = new Sums(Ml);
        using var engine = Ml.Model.CreatePredictionEngine<Row, Result>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        foreach (var row in Rows[..40])
            AssertResult(row, engine.Predict(row));
        Assert.AreEqual(40, transformer.Passes, "all columns of a row come from one pass");
    }

    [TestMethod]
    public void OneColumn_OnlyThatIsComputed()
    {
        foreach (var name in new[] { "Sum", "Table", "Vector", "Largest", "Text", "Picture" })
        {
            using var transformer = new Sums(Ml);
            var view = transformer.Transform(Ml.Data.LoadFromEnumerable(Rows[..1]));
            using var cursor = view.GetRowCursor(view.Schema[name]);
            Assert.IsTrue(cursor.MoveNext());
            Touch(cursor, view.Schema[name]);
            CollectionAssert.AreEqual(new[] { name }, transformer.Computed.Select(index => transformer.Outputs[index].Name).ToArray());
        }
    }

    /// <summary>The first of equal values; a missing key would be 0.</summary>
    [TestMethod]
    public void Largest_OfEqualValues_IsTheFirst()
    {
        using var transformer = new Sums(Ml);
        var view = transformer.Transform(Ml.Data.LoadFromEnumerable([new Row { Features = [2, 2, 2, 2] }, new Row { Features = [-4, -3, -3, -5] }]));
        CollectionAssert.AreEqual(new uint[] { 1, 2 }, view.GetColumn<uint>("Largest").ToArray());
    }

    [TestMethod]
    public void Image_OfColors_AndOfValuesOutOfRange()
    {
        using var transformer = new Sums(Ml, OutputColumn.Image("Picture", channels: 3, height: 1, width: 1), features => features.narrow(1, 0, 3));
        var view = transformer.Transform(Ml.Data.LoadFromEnumerable([new Row { Features = [10, 120.4f, 300, 0] }, new Row { Features = [-5, 0.5f, 254.6f, 0] }]));
        using var cursor = view.GetRowCursor(view.Schema["Picture"]);
        var getter = cursor.GetGetter<MLImage>(view.Schema["Picture"]);
        MLImage picture = default!;
        foreach (var (red, green, blue) in new[] { (10, 120, 255), (0, 0, 255) })
        {
            Assert.IsTrue(cursor.MoveNext());
            getter(ref picture);
            CollectionAssert.AreEqual(new[] { (byte)blue, (byte)green, (byte)red, (byte)255 }, picture.Pixels.ToArray());
        }
        picture.Dispose();
    }

    private static void AssertResult(Row row, Result result)
    {
        var features = row.Features;
        Assert.AreEqual(features.Sum(), result.Sum);
        CollectionAssert.AreEqual(features, result.Table);
        CollectionAssert.AreEqual(features.Select(value => 2 * value).ToArray(), result.Vector);
        Assert.AreEqual((uint)Array.IndexOf(features, features.Max()) + 1, result.Largest);
        Assert.AreEqual($"{features[0]}-{features[1]}", result.Text);
        using var picture = result.Picture;
        Assert.AreEqual((2, 1), (picture.Height, picture.Width));
        CollectionAssert.AreEqual(new[] { features[2], features[2], features[2], 255, features[3], features[3], features[3], 255 }, picture.Pixels.ToArray().Select(value => (float)value).ToArray());
    }

    private static void Touch(DataViewRow row, DataViewSchema.Column column)
    {
        switch (column.Name)
        {
            case "Sum": Read<float>(row, column); break;
            case "Largest": Read<uint>(row, column); break;
            case "Text": Read<ReadOnlyMemory<char>>(row, column); break;
            case "Picture": Read<MLImage>(row, column).Dispose(); break;
            default: Read<VBuffer<float>>(row, column); break;
        }
    }

    private static T Read<T>(DataViewRow row, DataViewSchema.Column column)
    {
        T value = default!;
        row.GetGetter<T>(column)(ref value);
        return value;
    }

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Result
    {
        public float Sum { get; set; }

        [VectorType(2, 1, 2)]
        public float[] Table { get; set; } = [];

        [VectorType(4)]
        public float[] Vector { get; set; } = [];

        [KeyType(4)]
        public uint Largest { get; set; }

        public string Text { get; set; } = "";

        [ImageType(2, 1)]
        public MLImage Picture { get; set; } = null!;
    }

    /// <summary>A network of no weights: columns of four features.</summary>
    private sealed class Sums : FeatureColumnsTransformer
    {
        private readonly Func<Tensor, Tensor>[] _compute;

        public Sums(MLContext ml)
            : base(((IHostEnvironment)ml).Register(nameof(Sums)), "Features")
        {
            Outputs =
            [
                OutputColumn.Number("Sum"),
                OutputColumn.Vector("Table", new VectorDataViewType(NumberDataViewType.Single, 2, 1, 2)),
                OutputColumn.Vector("Vector", 4),
                OutputColumn.LargestOf("Largest", 4),
                OutputColumn.Text("Text", 2, values => $"{values.Span[0]}-{values.Span[1]}"),
                OutputColumn.Image("Picture", channels: 1, height: 2, width: 1),
            ];
            _compute = [x => x.sum(1, keepdim: true), x => x, x => 2 * x, x => x, x => x.narrow(1, 0, 2), x => x.narrow(1, 2, 2)];
        }

        public Sums(MLContext ml, OutputColumn output, Func<Tensor, Tensor> compute)
            : base(((IHostEnvironment)ml).Register(nameof(Sums)), "Features") => (Outputs, _compute) = ([output], [compute]);

        public int Passes { get; private set; }

        public int[] Computed { get; private set; } = [];

        internal override FeatureFormat Format { get; } = new DenseFormat(4);


        internal override IReadOnlyList<OutputColumn> Outputs { get; }

        internal override double MultiplyAdds => 10;

        public override void Dispose()
        {
        }

        internal override Tensor[] Compute(Tensor features, int[] active)
        {
            Passes++;
            Computed = active;
            return Array.ConvertAll(active, index => _compute[index](features));
        }

        internal override IReadOnlyList<string> Write(OnnxContext context, string rows) => throw new NotSupportedException();

        private protected override VersionInfo CreateVersionInfo() => throw new NotSupportedException();

        private protected override void SaveContent(ModelSaveContext ctx) => throw new NotSupportedException();
    }
}
