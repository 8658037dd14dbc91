using System.Diagnostics;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions.Tests.HiddenMarkov;

/// <summary>Hidden Markov models as transformers: columns, files, samples.</summary>
[TestClass]
public sealed class HiddenMarkovTransformerTests
{
    private static readonly MLContext Ml = MarkovSample.Ml;
    private static readonly Lazy<HiddenMarkovTransformer> Weather = new(() => MarkovSample.Known(MarkovSample.Weather, "wsc"));

    [TestMethod]
    public void Columns_HoldWhatIsKnownOfStates()
    {
        var output = Weather.Value.Transform(MarkovSample.Texts("wsc", "c", "wsc"));
        CollectionAssert.AreEqual(new uint[] { 2, 1, 1, 1, 2, 1, 1 }, output.GetColumn<uint>("PredictedState").ToArray());
        var smoothed = output.GetColumn<float[]>("StateProbabilities").ToArray();
        CollectionAssert.AreEqual(new[] { 0.231702963f, 0.624062835f, 0.863977151f }, smoothed[..3].Select(row => row[0]).ToArray());
        CollectionAssert.AreEqual(smoothed[0], smoothed[4], "each sequence is on its own");
        var filtered = output.GetColumn<float[]>("FilteredProbabilities").ToArray();
        Assert.AreEqual(0.06 / 0.3, filtered[0][0], 1e-7);
        Assert.AreEqual(smoothed[2][0], filtered[2][0], "at the end all is known");
        var rows = output.GetColumn<double>("LogLikelihood").ToArray();
        Assert.AreEqual(Math.Log(0.3), rows[0], 1e-12);
        Assert.AreEqual(Math.Log(0.033612), rows[..3].Sum(), 1e-12);
        var whole = output.GetColumn<double>("SequenceLogLikelihood").ToArray();
        Assert.AreEqual(Math.Log(0.033612), whole[1], 1e-12);
        Assert.AreEqual(Math.Log((0.6 * 0.5) + (0.4 * 0.1)), whole[3], 1e-12);
        Assert.AreEqual(whole[0] + whole[3] + whole[4], Weather.Value.LogLikelihood(MarkovSample.Texts("wsc", "c", "wsc")), 1e-12);
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        output.Schema["StateProbabilities"].GetSlotNames(ref names);
        Assert.AreEqual("state 2", names.GetItemOrDefault(1).ToString());
        output.Schema["PredictedState"].GetKeyValues(ref names);
        Assert.AreEqual("state 1", names.GetItemOrDefault(0).ToString());
        Assert.AreEqual(output.Schema.Count, Weather.Value.GetOutputSchema(MarkovSample.Texts("w").Schema).Count);
    }

    [TestMethod]
    public void OnlyColumnsThatAreNamed_AreAdded()
    {
        var model = MarkovSample.Known(MarkovSample.Weather, "wsc", options => (options.StateProbabilitiesColumnName, options.FilteredProbabilitiesColumnName, options.LogLikelihoodColumnName, options.SequenceLogLikelihoodColumnName, options.PredictedStateColumnName) = (null, null, null, null, "Weather"));
        CollectionAssert.AreEqual(new[] { "Sequence", "Observation", "State", "Weather" }, model.Transform(MarkovSample.Texts("w")).Schema.Select(column => column.Name).ToArray());
        var estimator = Ml.HiddenMarkovModels.Trainers.Discrete(2);
        var shape = estimator.GetOutputSchema(SchemaShape.Create(MarkovSample.Texts("w").Schema));
        foreach (var column in estimator.Fit(MarkovSample.Texts("wsw", "sws")).Transform(MarkovSample.Texts("w")).Schema)
        {
            Assert.IsTrue(shape.TryFindColumn(column.Name, out var shaped), column.Name);
            Assert.AreEqual(column.Type is KeyDataViewType, shaped.IsKey);
            Assert.AreEqual((column.Type as VectorDataViewType)?.ItemType.RawType ?? column.Type.RawType, shaped.ItemType.RawType);
        }
    }

    [TestMethod]
    public void KeysAndTexts_AreMatchedByName_AndUnknownOnesAreMissing()
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        var loaded = Reload(Weather.Value, ml);
        var texts = MarkovSample.Texts("cxsw", "w");
        var keys = Ml.Transforms.Conversion.MapValueToKey("Observation").Fit(texts).Transform(texts);
        foreach (var data in new[] { texts, keys })
        {
            warnings.Clear();
            var output = loaded.Transform(data);
            CollectionAssert.AreEqual(Weather.Value.Transform(MarkovSample.Texts("c sw", "w")).GetColumn<double>("LogLikelihood").ToArray(), output.GetColumn<double>("LogLikelihood").ToArray());
            Assert.Contains("1 of 5 observations in column 'Observation' are symbols that the model does not know", warnings.Single());
        }
        var numbered = Ml.Data.LoadFromEnumerable(new[] { new KeyRow { Observation = 1 } });
        Assert.Contains("have no values", Assert.ThrowsExactly<ArgumentException>(() => loaded.Transform(numbered)).Message);
    }

    [TestMethod]
    public void KeysWithoutNames_AreNumbers()
    {
        var rows = Enumerable.Range(0, 60).Select(i => new KeyRow { Observation = i == 30 ? 99 : (uint)(i / 6 % 2) }).ToArray();
        var model = Ml.HiddenMarkovModels.Trainers.Discrete(2, sequenceColumnName: null).Fit(Ml.Data.LoadFromEnumerable(rows));
        Assert.IsNull(model.SymbolNames);
        Assert.AreEqual(3, ((DiscreteEmissions)model.Parameters.Emissions).NumberOfSymbols);
        Assert.AreEqual(1, model.History.DataCounts["missing observations"]);
        Assert.AreEqual(3UL, ((KeyDataViewType)model.Sample(3).Schema["Observation"].Type).Count);
        Assert.Contains("are keys without names", Assert.ThrowsExactly<ArgumentException>(() => model.LogLikelihood(Ml.Data.LoadFromEnumerable(new[] { new MarkovSample.TextRow() }))).Message);
    }

    [TestMethod]
    public void ImpossibleObservation_IsToldAndLeftOut()
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        var model = Reload(MarkovSample.Known(new HiddenMarkovParameters([1], new[,] { { 1.0 } }, new DiscreteEmissions(new[,] { { 0.5, 0.5, 0 } })), "abc"), ml);
        var output = model.Transform(MarkovSample.Texts("abca"));
        CollectionAssert.AreEqual(new[] { Math.Log(0.5), Math.Log(0.5), double.NegativeInfinity, Math.Log(0.5) }, output.GetColumn<double>("LogLikelihood").ToArray());
        Assert.AreEqual(double.NegativeInfinity, output.GetColumn<double>("SequenceLogLikelihood").First());
        CollectionAssert.AreEqual(new uint[] { 1, 1, 1, 1 }, output.GetColumn<uint>("PredictedState").ToArray());
        Assert.Contains("1 of 4 observations in column 'Observation' are impossible", warnings[0]);
        var metrics = ml.HiddenMarkovModels.Evaluate(model, MarkovSample.Texts("abca"));
        Assert.AreEqual(1, metrics.NumberOfImpossibleObservations);
    }

    [TestMethod]
    public void Model_IsSavedAndLoaded_WithoutLibTorch()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.zip");
        ChildProcess.Run(TrainWithoutTorch, path).AssertSuccess();
        var loaded = (HiddenMarkovTransformer)Ml.Model.Load(path, out _);
        Assert.AreEqual(3, loaded.NumberOfStates);
        // A process that only scores has no other package.
        Assert.AreEqual("MLExtensions.Transforms", loaded.GetType().Assembly.GetName().Name);
        Assert.AreEqual(StopReason.Converged, loaded.History.StopReason);
        Assert.IsTrue(loaded.Starts.Single(start => start.IsChosen).HasConverged);
        foreach (var model in new[] { Weather.Value, loaded, TrainingTests.Fit(TrainingTests.Casino(100), _ => { }) })
        {
            var bytes = HiddenMarkovFile.ToBytes(model.Content);
            CollectionAssert.AreEqual(bytes, HiddenMarkovFile.ToBytes(Reload(model, Ml).Content));
            Assert.AreEqual(model.Content.History, Reload(model, Ml).Content.History);
        }
    }

    private static void TrainWithoutTorch(string[] args)
    {
        var ml = new MLContext(1);
        var model = ml.HiddenMarkovModels.Trainers.Gaussian(3, covariance: CovarianceKind.Full).Fit(MarkovSample.Vectors());
        ml.Model.Save(model, MarkovSample.Vectors().Schema, args[0]);
        var loaded = ml.Model.Load(args[0], out _);
        CollectionAssert.AreEqual(model.Transform(MarkovSample.Vectors()).GetColumn<double>("LogLikelihood").ToArray(), loaded.Transform(MarkovSample.Vectors()).GetColumn<double>("LogLikelihood").ToArray());
        Assert.IsFalse(Process.GetCurrentProcess().Modules.Cast<ProcessModule>().Any(module => module.ModuleName.Contains("torch_cpu", StringComparison.OrdinalIgnoreCase)), "libtorch was loaded");
    }

    /// <summary>Whatever is in a file, it is a model or an exception that names the entry.</summary>
    [TestMethod]
    public void AnyBytes_AreAModelOrRefused()
    {
        var random = new Random(TestSeed.Of(1));
        foreach (var model in new[] { Weather.Value, Ml.HiddenMarkovModels.Trainers.GaussianMixture(2).Fit(MarkovSample.Vectors()) })
        {
            var bytes = HiddenMarkovFile.ToBytes(model.Content);
            for (var round = 0; round < 300; round++)
            {
                var damaged = random.Next(3) == 0 ? bytes[..random.Next(bytes.Length)] : [.. bytes];
                for (var i = 0; i < 3 && damaged.Length > 0; i++)
                    damaged[random.Next(damaged.Length)] = (byte)"0123456789-.,[]{}\":ae"[random.Next(21)];
                try
                {
                    HiddenMarkovFile.Parse(damaged);
                }
                catch (ModelFormatException e)
                {
                    Assert.Contains("hidden-markov.json", e.Message);
                }
            }
        }
    }

    [TestMethod]
    public void DamagedFile_IsRefused()
    {
        using var stream = new MemoryStream();
        Ml.Model.Save(Weather.Value, null, stream);
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            var entry = archive.Entries.Single(entry => entry.Name == "hidden-markov.json");
            using var content = entry.Open();
            content.Position = content.Length / 2;
            content.WriteByte((byte)'7');
        }
        stream.Position = 0;
        Assert.Contains("hidden-markov.json: is damaged", Assert.Throws<Exception>(() => Ml.Model.Load(stream, out _)).ToString());
    }

    [TestMethod]
    public void Samples_AreThoseOfTheModel()
    {
        var model = MarkovSample.Known(MarkovSample.Casino, "123456");
        var sample = model.Sample(200, seed: 5, numberOfSequences: 100);
        var (rolls, states) = (sample.GetColumn<string>("Observation").ToArray(), sample.GetColumn<uint>("State").ToArray());
        CollectionAssert.AreEqual(rolls, model.Sample(200, 5, 100).GetColumn<string>("Observation").ToArray());
        CollectionAssert.AreNotEqual(rolls, model.Sample(200, 6, 100).GetColumn<string>("Observation").ToArray());
        Assert.HasCount(100, sample.GetColumn<string>("Sequence").Distinct().ToArray());
        Assert.IsTrue(states.Where((_, i) => i % 200 == 0).All(state => state == 1), "all begin with the fair die");
        var loaded = rolls.Where((_, i) => states[i] == 2).ToArray();
        Assert.AreEqual(0.5, loaded.Count(roll => roll == "6") / (double)loaded.Length, 0.03);
        Assert.AreEqual(1 / 3.0, loaded.Length / 20000.0, 0.03);
        var gaussian = Ml.HiddenMarkovModels.Trainers.Gaussian(3, covariance: CovarianceKind.Full).Fit(MarkovSample.Vectors());
        var drawn = gaussian.Sample(20_000, seed: 1);
        var (vectors, hidden) = (drawn.GetColumn<float[]>("Observation").ToArray(), drawn.GetColumn<uint>("State").ToArray());
        var emissions = (GaussianEmissions)gaussian.Parameters.Emissions;
        for (var state = 0; state < 3; state++)
        {
            var own = vectors.Where((_, i) => hidden[i] == state + 1).ToArray();
            var (mean, covariance) = (emissions.Mean(state), emissions.Covariance(state));
            var scale = Math.Sqrt(covariance[0, 0] * covariance[1, 1]);
            Assert.AreEqual(mean[1], own.Average(vector => vector[1]), 0.1);
            Assert.AreEqual(covariance[0, 1] / scale, own.Average(vector => (vector[0] - mean[0]) * (vector[1] - mean[1])) / scale, 0.1);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Evaluation_ComparesWithKnownStates()
    {
        var model = MarkovSample.Known(MarkovSample.Casino, "123456");
        var sample = model.Sample(2000, seed: TestSeed.Of(4));
        var metrics = Ml.HiddenMarkovModels.Evaluate(model, sample, "State");
        Assert.AreEqual(model.LogLikelihood(sample), metrics.LogLikelihood, 1e-9);
        var (states, path) = (sample.GetColumn<uint>("State").ToArray(), model.Transform(sample).GetColumn<uint>("PredictedState").ToArray());
        Assert.AreEqual(states.Zip(path).Count(pair => pair.First == pair.Second) / 2000.0, metrics.PathAccuracy!.Value, 1e-12);
        Floor.Above(0.72, metrics.StateAccuracy!.Value);
        Assert.AreEqual(Math.Exp(-metrics.LogLikelihood / 2000), metrics.Perplexity, 1e-9);
        Assert.IsNull(Ml.HiddenMarkovModels.Evaluate(model, sample).PathAccuracy);
        var rows = MarkovSample.Rows("12");
        rows[0].State = "x";
        var learned = TrainingTests.Fit(TrainingTests.Keyed(rows), options => (options.LabelColumnName, options.NumbersOfStates) = ("State", []));
        rows[0].State = "y";
        Assert.Contains("Column 'State', row 0 (the first row is 0): the value is 'y'", Assert.ThrowsExactly<FormatException>(() => Ml.HiddenMarkovModels.Evaluate(learned, TrainingTests.Keyed(rows), "State")).Message);
    }

    [TestMethod]
    public void Rows_CanBeReadInAnyCombination()
    {
        var output = Weather.Value.Transform(MarkovSample.Texts("wsc", "c", "wsc"));
        using (var cursor = output.GetRowCursor(output.Schema["Sequence"]))
        {
            Assert.IsFalse(cursor.IsColumnActive(output.Schema["PredictedState"]));
            Assert.IsTrue(cursor.MoveNext());
        }
        CollectionAssert.AreEqual(new[] { "0", "0", "0", "1", "2", "2", "2" }, output.GetColumn<string>("Sequence").ToArray());
        CollectionAssert.AreEqual(new[] { "c", "w" }, Ml.Data.TakeRows(Ml.Data.SkipRows(output, 3), 2).GetColumn<string>("Observation").ToArray());
        CollectionAssert.AreEqual(new[] { 1u, 2u }, Ml.Data.TakeRows(Ml.Data.SkipRows(output, 3), 2).GetColumn<uint>("PredictedState").ToArray());
        var once = Weather.Value.Transform(Ml.Data.LoadFromEnumerable(Once(MarkovSample.Rows("wsc"))));
        Assert.Contains("gave another number of rows", Assert.ThrowsExactly<InvalidOperationException>(() => once.GetColumn<uint>("PredictedState").Count()).Message);
    }

    [TestMethod]
    public void PredictionEngineAndOnnx_AreRefusedWithReasons()
    {
        var engine = Assert.Throws<Exception>(() => Ml.Model.CreatePredictionEngine<MarkovSample.TextRow, Prediction>(Weather.Value));
        Assert.Contains("depend on the rows before and after it", engine.ToString());
        // What ML.NET's converter asks; Tests/Onnx converts.
        var view = (Microsoft.ML.Model.OnnxConverter.ICanSaveOnnx)Weather.Value.Transform(MarkovSample.Texts("w"));
        Assert.Contains("HiddenMarkovTransformer cannot be exported to ONNX", Assert.ThrowsExactly<NotSupportedException>(() => view.CanSaveOnnx(null!)).Message);
    }

    private static IEnumerable<T> Once<T>(T[] rows)
    {
        var queue = new Queue<T>(rows);
        return Draw();

        IEnumerable<T> Draw()
        {
            while (queue.TryDequeue(out var row))
                yield return row;
        }
    }

    private static HiddenMarkovTransformer Reload(HiddenMarkovTransformer model, MLContext ml)
    {
        using var stream = new MemoryStream();
        Ml.Model.Save(model, null, stream);
        stream.Position = 0;
        return (HiddenMarkovTransformer)ml.Model.Load(stream, out _);
    }

    // Keys of classes are numbered from 0; those that are too large are missing.
    private sealed class KeyRow
    {
        public string Sequence { get; set; } = "0";

        [KeyType(3)]
        public uint Observation { get; set; }
    }

    private sealed class Prediction
    {
        public uint PredictedState { get; set; }
    }
}
