using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Neighbors;

/// <summary>The step that adds neighbors to rows.</summary>
[TestClass]
public sealed class NearestNeighborsTests
{
    private const int Width = 3;
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Transform_AddsRowsDistancesAndLabels()
    {
        var known = View(new Row { Features = [0, 0, 0], Name = "origin" }, new Row { Features = [3, 4, 0], Name = "five" }, new Row { Features = [0, 0, 1], Name = "one" });
        var model = Ml.Transforms.NearestNeighbors("Features", "Name", 2, VectorDistance.Euclidean).Fit(known);
        var found = model.Transform(View(new Row { Features = [0, 0, .75f] }, new Row { Features = [3, 4, 0] }));
        CollectionAssert.AreEqual(new long[] { 2, 0, 1, 0 }, found.GetColumn<long[]>("NeighborRows").SelectMany(row => row).ToArray());
        CollectionAssert.AreEqual(new[] { .25f, .75f, 0, 5 }, found.GetColumn<float[]>("NeighborDistances").SelectMany(row => row).ToArray());
        CollectionAssert.AreEqual(new[] { "one", "origin", "five", "origin" }, found.GetColumn<string[]>("NeighborLabels").SelectMany(row => row).ToArray());
        Assert.AreEqual((3L, 3, 2, VectorDistance.Euclidean), (model.Count, model.Dimensions, model.NumberOfNeighbors, model.Distance));
    }

    /// <summary>Blocks of a cursor, cursor sets, a prediction engine, eight threads at once, a saved model: the same numbers.</summary>
    [TestMethod]
    public void EveryWayOfReading_SameNeighbors()
    {
        var rows = Rows(3000, 1);
        var model = Ml.Transforms.NearestNeighbors(new NearestNeighborsEstimator.Options { LabelColumnName = "Key", NumberOfNeighbors = 3, NumberOfThreads = 2 }).Fit(View(Rows(700, 2)));
        var expected = Read(model.Transform(View(rows)));
        CollectionAssert.AreEqual(expected, Parallel(model.Transform(View(rows))));
        using var file = new MemoryStream();
        Ml.Model.Save(model, View(rows).Schema, file);
        var loaded = Ml.Model.Load(file, out _);
        CollectionAssert.AreEqual(expected, Read(loaded.Transform(View(rows))));
        using (var engine = Ml.Model.CreatePredictionEngine<Row, Found>(loaded))
            CollectionAssert.AreEqual(expected[..50], rows[..50].Select(row => Text(engine.Predict(row))).ToArray());
        var results = new string[8][];
        System.Threading.Tasks.Parallel.For(0, results.Length, i => results[i] = Read(model.Transform(View(rows))));
        foreach (var result in results)
            CollectionAssert.AreEqual(expected, result);
    }

    [TestMethod]
    public void Labels_KeepTheirTypesAndNames()
    {
        var known = View(Rows(6, 3));
        foreach (var (name, type) in new[] { ("Name", typeof(ReadOnlyMemory<char>)), ("Key", typeof(uint)), ("Number", typeof(int)), ("Unsigned", typeof(uint)), ("Long", typeof(long)), ("Value", typeof(float)) })
        {
            var data = Ml.Transforms.Conversion.MapValueToKey("Key", "Name").Fit(known).Transform(known);
            var estimator = Ml.Transforms.NearestNeighbors("Features", name, 1);
            using var file = new MemoryStream();
            var model = estimator.Fit(data);
            Ml.Model.Save(model, data.Schema, file);
            foreach (var each in new[] { model, Ml.Model.Load(file, out _) })
            {
                var found = each.Transform(data);
                var labels = found.Schema["NeighborLabels"];
                Assert.AreEqual(type, ((VectorDataViewType)labels.Type).ItemType.RawType);
                Assert.IsTrue(estimator.GetOutputSchema(SchemaShape.Create(data.Schema)).TryFindColumn("NeighborLabels", out var shape));
                Assert.AreEqual(name == "Key", shape.IsKey);
                // Each row finds itself.
                var own = data.Preview().ColumnView.Single(column => column.Column.Name == name && !column.Column.IsHidden).Values.Select(value => value.ToString());
                CollectionAssert.AreEqual(own.ToArray(), found.Preview().ColumnView.Single(column => column.Column.Name == "NeighborLabels").Values.Select(value => ItemOf(value)).ToArray());
                if (name != "Key")
                    continue;
                var back = Ml.Transforms.Conversion.MapKeyToValue("NeighborLabels").Fit(found).Transform(found);
                CollectionAssert.AreEqual(known.GetColumn<string>("Name").ToArray(), back.GetColumn<string[]>("NeighborLabels").Select(row => row[0]).ToArray());
            }
        }

        static string ItemOf(object vector) => vector switch
        {
            VBuffer<ReadOnlyMemory<char>> texts => texts.GetItemOrDefault(0).ToString(),
            VBuffer<uint> keys => keys.GetItemOrDefault(0).ToString(),
            VBuffer<int> numbers => numbers.GetItemOrDefault(0).ToString(),
            VBuffer<long> numbers => numbers.GetItemOrDefault(0).ToString(),
            var values => ((VBuffer<float>)values).GetItemOrDefault(0).ToString(),
        };
    }

    [TestMethod]
    public void MissingLabels_AreCountedAndRefusedIfThereAreNoOthers()
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning ? [log.Message] : []);
        var rows = Rows(5, 6);
        foreach (var row in rows[1..])
            (row.Key, row.Value, row.Name) = (9, float.NaN, ""); // in a class keys count from 0, and 9 is none of 9
        foreach (var label in new[] { "Key", "Value", "Name" })
        {
            warnings.Clear();
            ml.Transforms.NearestNeighbors("Features", label, 2).Fit(View(rows));
            Assert.HasCount(1, warnings, label);
            StringAssert.Contains(warnings[0], $"4 of 5 rows have no label in column '{label}'");
            AssertMessage<ArgumentException>(() => ml.Transforms.NearestNeighbors("Features", label, 2).Fit(View(rows[1..])), $"'{label}' is missing in all rows");
        }
        warnings.Clear();
        ml.Transforms.NearestNeighbors("Features", "Number", 2).Fit(View(rows[..1].Concat(rows).ToArray())); // 0 is a number
        Assert.IsEmpty(warnings);
    }

    [TestMethod]
    public void BadData_IsRefusedByColumnAndRow()
    {
        var good = Rows(4, 4);
        foreach (var (bad, words) in new[] { (float.NaN, "slot 1: the value is NaN"), (float.PositiveInfinity, "slot 1: the value is ∞") })
        {
            var rows = Rows(4, 4);
            rows[2].Features[1] = bad;
            AssertMessage<FormatException>(() => Ml.Transforms.NearestNeighbors(numberOfNeighbors: 1).Fit(View(rows)), "'Features'", "row 2", words.Replace("∞", float.PositiveInfinity.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            var model = Ml.Transforms.NearestNeighbors(numberOfNeighbors: 1).Fit(View(good));
            AssertMessage<FormatException>(() => model.Transform(View(rows)).GetColumn<long[]>("NeighborRows").Count(), "'Features'", "row 2");
        }
        var zeros = Rows(4, 4);
        zeros[3].Features = new float[Width];
        AssertMessage<FormatException>(() => Ml.Transforms.NearestNeighbors(numberOfNeighbors: 1).Fit(View(zeros)), "'Features'", "row 3", "all values are 0");
        AssertMessage<FormatException>(() => Ml.Transforms.NearestNeighbors(numberOfNeighbors: 1).Fit(View(good)).Transform(View(zeros)).GetColumn<long[]>("NeighborRows").Count(), "'Features'", "row 3", "all values are 0");
        Ml.Transforms.NearestNeighbors(numberOfNeighbors: 1, distance: VectorDistance.DotProduct).Fit(View(zeros));
        AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors(numberOfNeighbors: 5).Fit(View(good)), "NumberOfNeighbors is 5", "4 rows");
        AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors("Missing").Fit(View(good)), "'Missing'");
        AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors("Name").Fit(View(good)), "'Name'", "Vector<Single>");
        AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors("Value").Fit(View(good)), "'Value'", "must be Vector<Single>");
        AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors("Value").GetOutputSchema(SchemaShape.Create(View(good).Schema)), "'Value'", "must be Vector<Single>");
        AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors("Features", "Wide", 1).Fit(View(good)), "'Wide'", "Text, a key");
        var narrow = Ml.Transforms.Concatenate("Features", "Value").Fit(View(good)).Transform(View(good));
        AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors(numberOfNeighbors: 1).Fit(View(good)).Transform(narrow), "'Features' has 1", "have 3");
    }

    [TestMethod]
    public void BadOptions_AreRefusedByName()
    {
        Refuse(options => options.NumberOfNeighbors = 0, "NumberOfNeighbors");
        Refuse(options => options.NumberOfThreads = 0, "NumberOfThreads");
        Refuse(options => options.FeatureColumnName = "", "FeatureColumnName");
        Refuse(options => options.LabelColumnName = "Features", "LabelColumnName");
        Refuse(options => options.Distance = (VectorDistance)9, "Distance");

        static void Refuse(Action<NearestNeighborsEstimator.Options> change, string name)
        {
            var options = new NearestNeighborsEstimator.Options();
            change(options);
            AssertMessage<ArgumentException>(() => Ml.Transforms.NearestNeighbors(options), name);
        }
    }

    [TestMethod]
    public void DamagedFile_IsRefusedByEntry()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.zip");
        foreach (var (entry, change) in new (string, Func<byte[], byte[]>)[]
        {
            ("vectors.bin", bytes => bytes[..^1]),
            ("vectors.bin", bytes => [.. bytes, 0]),
            ("vectors.bin", bytes => [(byte)(bytes[0] ^ 1), .. bytes[1..]]),
            ("neighbors.json", bytes => bytes[..^3]),
        })
        {
            Ml.Model.Save(Ml.Transforms.NearestNeighbors("Features", "Name", 2).Fit(View(Rows(5, 5))), View(Rows(1, 1)).Schema, path);
            using (var zip = ZipFile.Open(path, ZipArchiveMode.Update))
            {
                var old = zip.Entries.Single(candidate => candidate.Name == entry);
                using var content = new MemoryStream();
                using (var stream = old.Open())
                    stream.CopyTo(content);
                var name = old.FullName;
                old.Delete();
                using var written = zip.CreateEntry(name).Open();
                written.Write(change(content.ToArray()));
            }
            Exception? error = Assert.Throws<Exception>(() => new MLContext().Model.Load(path, out _));
            while (error is not null and not ModelFormatException)
                error = error.InnerException;
            StringAssert.Contains(error!.Message, entry);
        }
    }

    private static void AssertMessage<T>(Action action, params string[] parts)
        where T : Exception
    {
        Exception? error = Assert.Throws<Exception>(action);
        while (error is not null and not T)
            error = error.InnerException;
        Assert.IsNotNull(error);
        foreach (var part in parts)
            StringAssert.Contains(error.Message, part);
    }

    private static Row[] Rows(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, count).Select(i => new Row
        {
            Features = [random.NextSingle() - .5f, random.NextSingle() - .5f, random.NextSingle() - .5f],
            Name = "n" + i,
            Key = (uint)(i % 9) + 1,
            Number = i * 2,
            Unsigned = uint.MaxValue - (uint)i, // above any key
            Long = i * 3,
            Value = i / 2f,
        }).ToArray();
    }

    private static IDataView View(params Row[] rows) => Ml.Data.LoadFromEnumerable(rows);

    private static string[] Read(IDataView found) => Ml.Data.CreateEnumerable<Found>(found, reuseRowObject: false).Select(Text).ToArray();

    /// <summary>Reads by a cursor set, in the order of the rows' numbers.</summary>
    private static string[] Parallel(IDataView found)
    {
        var columns = found.Schema.Where(column => column.Name is "Number" or "NeighborRows" or "NeighborDistances" or "NeighborLabels").ToArray();
        var read = new System.Collections.Concurrent.ConcurrentBag<(int Number, string Text)>();
        System.Threading.Tasks.Parallel.ForEach(found.GetRowCursorSet(columns, 3), cursor =>
        {
            using (cursor)
            {
                var (number, rows, distances, labels) = (0, default(VBuffer<long>), default(VBuffer<float>), default(VBuffer<uint>));
                var getters = (cursor.GetGetter<int>(found.Schema["Number"]), cursor.GetGetter<VBuffer<long>>(found.Schema["NeighborRows"]), cursor.GetGetter<VBuffer<float>>(found.Schema["NeighborDistances"]), cursor.GetGetter<VBuffer<uint>>(found.Schema["NeighborLabels"]));
                while (cursor.MoveNext())
                {
                    getters.Item1(ref number);
                    getters.Item2(ref rows);
                    getters.Item3(ref distances);
                    getters.Item4(ref labels);
                    read.Add((number, Text(new Found { NeighborRows = rows.DenseValues().ToArray(), NeighborDistances = distances.DenseValues().ToArray(), NeighborLabels = labels.DenseValues().ToArray() })));
                }
            }
        });
        return read.OrderBy(item => item.Number).Select(item => item.Text).ToArray();
    }

    private static string Text(Found found) =>
        FormattableString.Invariant($"{string.Join(",", found.NeighborRows)} {string.Join(",", found.NeighborDistances.Select(BitConverter.SingleToInt32Bits))} {string.Join(",", found.NeighborLabels)}");

    private sealed class Row
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public string Name { get; set; } = "";

        [KeyType(9)]
        public uint Key { get; set; }

        public int Number { get; set; }

        public uint Unsigned { get; set; }

        public long Long { get; set; }

        public float Value { get; set; }

        [VectorType(2)]
        public float[] Wide { get; set; } = [0, 0];
    }

    private sealed class Found
    {
        [VectorType(3)]
        public long[] NeighborRows { get; set; } = [];

        [VectorType(3)]
        public float[] NeighborDistances { get; set; } = [];

        [VectorType(3), KeyType(9)]
        public uint[] NeighborLabels { get; set; } = [];
    }
}
