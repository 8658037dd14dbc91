using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Tests.Data;

/// <summary>Where two sets of labels meet, classes are found by the values of their keys, not by their numbers.</summary>
[TestClass]
public sealed class LabelNameTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly string[] Names = ["ape", "cat", "owl"];

    [TestMethod]
    public void Validation_ClassesAreFoundByName()
    {
        var rows = Rows(90);
        foreach (var buffering in new[] { Buffering.InMemory, Buffering.Streaming })
        {
            var expected = Fit(Keyed(rows), Keyed(Rows(30, 5)), buffering).History;
            Assert.IsGreaterThan(0.9, expected.Epochs[^1].Validation["accuracy"]);
            foreach (var order in new string[][] { ["owl", "cat", "ape"], ["ape", "bee", "cat", "owl"] })
                AssertSame(expected, Fit(Keyed(rows), Keyed(Rows(30, 5), order), buffering).History);
            // A folder of images without one of the classes.
            var some = Rows(30, 5).Where(row => row.Name != "cat").ToArray();
            AssertSame(Fit(Keyed(rows), Keyed(some), buffering).History, Fit(Keyed(rows), Keyed(some, "ape", "owl"), buffering).History);
        }
    }

    [TestMethod]
    public void Validation_UnknownClassIsNamed()
    {
        var rows = Rows(30, 5);
        rows[7].Name = "bee";
        foreach (var buffering in new[] { Buffering.InMemory, Buffering.Streaming })
        {
            var error = Assert.Throws<FormatException>(() => Fit(Keyed(Rows(90)), Keyed(rows, "bee", "cat", "owl", "ape"), buffering));
            foreach (var part in new[] { "'Label'", "row 7", "'bee'", "training data", "ape, cat, owl" })
                Assert.Contains(part, error.Message);
        }
    }

    /// <summary>With MapValueToKey fitted to the training data, other values are missing, and missing labels are counted and left out.</summary>
    [TestMethod]
    public void Validation_UnknownValueOfTheSameMapping_IsLeftOut()
    {
        var rows = Rows(30, 5);
        rows[7].Name = "bee";
        var history = Fit(Keyed(Rows(90)), Keyed(rows, Names), Buffering.InMemory).History;
        Assert.Contains("1 rows have no label", string.Join("\n", history.Warnings));
    }

    [TestMethod]
    public void Validation_WithoutNames_CannotBeMatched()
    {
        var plain = Ml.Data.LoadFromEnumerable(Rows(30), PlainKeys());
        Assert.Contains("'Label'", Assert.Throws<ArgumentException>(() => Fit(Keyed(Rows(90)), plain, Buffering.InMemory)).Message);
        Assert.Contains("ape, cat, owl", Assert.Throws<ArgumentException>(() => Fit(plain, Keyed(Rows(30)), Buffering.InMemory)).Message);
        Fit(plain, plain, Buffering.InMemory).Dispose();
    }

    [TestMethod]
    public void Names_OfAnyTypeAreText()
    {
        var rows = Rows(6);
        var numbers = Ml.Data.LoadFromEnumerable(rows);
        foreach (var type in new[] { DataKind.Int32, DataKind.Single, DataKind.Double, DataKind.Int64, DataKind.String })
        {
            var mapped = Ml.Transforms.Conversion.ConvertType("Other", "Number", type).Append(Ml.Transforms.Conversion.MapValueToKey("Label", "Other")).Fit(numbers).Transform(numbers);
            CollectionAssert.AreEqual(new[] { "7", "8", "9" }, KeyNames.Of(mapped.Schema["Label"])!.Order().ToArray(), type.ToString());
        }
        Assert.IsNull(KeyNames.Of(numbers.Schema["Number"]));
    }

    [TestMethod]
    public void Evaluate_FindsClassesByName_InMemoryAndLoaded()
    {
        using var folder = new TemporaryFolder();
        var train = Keyed(Rows(90));
        var model = Fit(train, Keyed(Rows(30, 5)), Buffering.InMemory);
        Ml.Model.Save(model, train.Schema, folder.File("model.zip"));
        var test = Rows(60, 9);
        test[3].Name = "cat"; // that the network is wrong about one row shows that rows are compared
        var expected = Ml.MulticlassClassification.Evaluate(model.Transform(Keyed(test)));
        Assert.IsGreaterThan(0.9, expected.MicroAccuracy);
        foreach (var transformer in new ITransformer[] { model, Ml.Model.Load(folder.File("model.zip"), out _) })
        {
            var other = Ml.MulticlassClassification.Evaluate(transformer.Transform(Keyed(test, "owl", "ape", "cat")));
            Assert.AreEqual(expected.MicroAccuracy, other.MicroAccuracy);
            Assert.AreEqual(expected.LogLoss, other.LogLoss, 1e-12);
            var some = test.Where(row => row.Name != "cat").ToArray();
            Assert.AreEqual(Ml.MulticlassClassification.Evaluate(model.Transform(Keyed(some))).MicroAccuracy, Ml.MulticlassClassification.Evaluate(transformer.Transform(Keyed(some, "ape", "owl"))).MicroAccuracy);
        }
    }

    [TestMethod]
    public void Evaluate_UnknownClassIsNamed_ScoringGoesOn()
    {
        var model = Fit(Keyed(Rows(90)), Keyed(Rows(30, 5)), Buffering.InMemory);
        var test = Rows(30, 9);
        test[4].Name = "bee";
        var scored = model.Transform(Keyed(test, "bee", "ape", "cat", "owl"));
        Assert.HasCount(30, scored.GetColumn<uint>("PredictedLabel").ToArray());
        var error = Assert.Throws<FormatException>(() => Ml.MulticlassClassification.Evaluate(scored));
        foreach (var part in new[] { "'Label'", "row 4", "'bee'", "the model", "ape, cat, owl" })
            Assert.Contains(part, error.Message);
    }

    [TestMethod]
    public void InitialModel_OutputsBelongToNames()
    {
        var first = Fit(Keyed(Rows(90)), Keyed(Rows(30, 5)), Buffering.InMemory);
        string[] order = ["owl", "ape", "cat"];
        var second = Ml.MulticlassClassification.Trainers.Mlp(Options(o => (o.Epochs, o.InitialModel) = (0, first))).Fit(Keyed(Rows(60, 3), order));
        var test = Keyed(Rows(20, 9), order);
        var before = first.Transform(test).GetColumn<float[]>("Score").ToArray();
        var after = second.Transform(test).GetColumn<float[]>("Score").ToArray();
        for (var row = 0; row < 20; row++)
        {
            for (var place = 0; place < 3; place++)
                Assert.AreEqual(before[row][Array.IndexOf(Names, order[place])], after[row][place], 1e-6);
        }
    }

    [TestMethod]
    public void InitialModel_OfOtherClasses_StartsItsOutputsAnew()
    {
        var first = Fit(Keyed(Rows(90)), Keyed(Rows(30, 5)), Buffering.InMemory);
        var rows = Rows(60, 3);
        foreach (var row in rows)
            row.Name = row.Name == "ape" ? "bee" : row.Name;
        var data = Keyed(rows, "bee", "cat", "owl");
        var trainer = Ml.MulticlassClassification.Trainers.Mlp(Options(o => (o.Epochs, o.InitialModel) = (0, first)));
        Assert.Contains("output.weight", Assert.Throws<ArgumentException>(() => trainer.Fit(data)).Message);
        var ml = new MLContext(1);
        var log = new List<string>();
        ml.Log += (_, line) => log.Add(line.Message);
        ml.MulticlassClassification.Trainers.Mlp(Options(o => (o.Epochs, o.InitialModel) = (1, first))).Fit(data).Dispose();
        Assert.Contains("ape, cat, owl", string.Join("\n", log));
    }

    /// <summary>The tokens of a sequence of keys are what the keys stand for.</summary>
    [TestMethod]
    public void KeySequences_AreReadByName()
    {
        var rows = Rows(60);
        foreach (var row in rows)
            row.Words = [row.Name, "the", row.Name];
        IDataView View(Row[] of, params string[] order) => Map(Keyed(of), "Words", order);
        var options = new RecurrentMulticlassTrainer.Options { FeatureColumnName = "Words", HiddenUnits = 8, Epochs = 6, BatchSize = 10, LearningRate = 0.02, Seed = TestSeed.Of(1), ThreadCount = 1 };
        string[] first = ["the", .. Names];
        var model = Ml.MulticlassClassification.Trainers.Recurrent(options).Fit(View(rows, first));
        var expected = model.Transform(View(rows, first)).GetColumn<float[]>("Score").SelectMany(score => score).ToArray();
        var same = View(rows, "owl", "bee", "the", "cat", "ape");
        CollectionAssert.AreEqual(expected, model.Transform(same).GetColumn<float[]>("Score").SelectMany(score => score).ToArray());
        options.InitialModel = model;
        options.Epochs = 0;
        var second = Ml.MulticlassClassification.Trainers.Recurrent(options).Fit(same);
        CollectionAssert.AreEqual(expected, second.Transform(same).GetColumn<float[]>("Score").SelectMany(score => score).ToArray());
    }

    private static void AssertSame(TrainingHistory expected, TrainingHistory actual) => CollectionAssert.AreEqual(
        expected.Epochs.Select(epoch => epoch with { Seconds = 0 }).ToArray(),
        actual.Epochs.Select(epoch => epoch with { Seconds = 0 }).ToArray());

    private static MlpMulticlassTrainer.Options Options(Action<MlpMulticlassTrainer.Options>? change = null)
    {
        var options = new MlpMulticlassTrainer.Options { HiddenLayers = [8], Epochs = 15, BatchSize = 10, LearningRate = 0.02, Seed = TestSeed.Of(1), ThreadCount = 1 };
        change?.Invoke(options);
        return options;
    }

    private static MulticlassNetworkTransformer Fit(IDataView train, IDataView validation, Buffering buffering) =>
        Ml.MulticlassClassification.Trainers.Mlp(Options(o => o.Buffering = buffering)).Fit(train, validation);

    private static Row[] Rows(int count, int seed = 1)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, count).Select(i =>
        {
            var features = Enumerable.Range(0, 3).Select(slot => random.NextSingle() - 0.5f + (slot == i % 3 ? 2 : 0)).ToArray();
            return new Row { Features = features, Name = Names[i % 3], Number = 7 + (i % 3), Label = (uint)(i % 3) + 1 };
        }).ToArray();
    }

    /// <summary>The rows with the names as keys, in the given order.</summary>
    private static IDataView Keyed(Row[] rows, params string[] order)
    {
        var data = Ml.Transforms.DropColumns("Label").Fit(Ml.Data.LoadFromEnumerable(rows)).Transform(Ml.Data.LoadFromEnumerable(rows));
        return Map(Ml.Transforms.CopyColumns("Label", "Name").Fit(data).Transform(data), "Label", order.Length == 0 ? Names : order);
    }

    private static IDataView Map(IDataView data, string column, string[] order)
    {
        var keys = Ml.Data.LoadFromEnumerable(order.Select(name => new Key { Name = name }));
        return Ml.Transforms.Conversion.MapValueToKey(column, keyData: keys).Fit(data).Transform(data);
    }

    private static SchemaDefinition PlainKeys()
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema["Label"].ColumnType = new KeyDataViewType(typeof(uint), 3);
        return schema;
    }

    private sealed class Key
    {
        public string Name { get; set; } = "";
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public string Name { get; set; } = "";

        public int Number { get; set; }

        public uint Label { get; set; }

        public string[] Words { get; set; } = [""];
    }
}
