using System.Buffers.Binary;
using System.Text.Json;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Models;

/// <summary>A saved model's entries; a damaged or lying one is refused by name before memory is taken for what it claims.</summary>
[TestClass]
public sealed class ModelDamageTests
{
    private const string Architecture = "architecture.json";
    private const string Weights = "weights.safetensors";
    private const string History = "history.json";
    private static readonly string[] Entries = [Architecture, Weights, History];

    [TestMethod]
    public void Entries_AreThereAndReadable()
    {
        using var zip = new ModelZip();
        foreach (var entry in Entries)
            Assert.HasCount(1, zip.EntryNames.Where(name => name.EndsWith("/" + entry, StringComparison.Ordinal)).ToArray(), entry);
        using var architecture = JsonDocument.Parse(zip.Read(Architecture));
        Assert.AreEqual(2, architecture.RootElement.GetProperty("formatVersion").GetInt32());
        Assert.AreEqual("mlp", architecture.RootElement.GetProperty("architecture").GetProperty("$type").GetString());
        Assert.AreEqual("multiclass", architecture.RootElement.GetProperty("head").GetProperty("$type").GetString());
        using var history = JsonDocument.Parse(zip.Read(History));
        Assert.AreEqual(2, history.RootElement.GetProperty("epochs").GetArrayLength());
        var weights = zip.Read(Weights);
        using var header = JsonDocument.Parse(weights.AsMemory(8, (int)BinaryPrimitives.ReadInt64LittleEndian(weights)));
        CollectionAssert.AreEqual(new[] { 4, 6 }, header.RootElement.GetProperty("hidden.0.linear.weight").GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray());
    }

    [TestMethod]
    [DataRow(Architecture)]
    [DataRow(Weights)]
    [DataRow(History)]
    public void MissingOrTruncatedEntry_IsNamed(string entry)
    {
        using var zip = new ModelZip();
        zip.Tamper(entry, _ => null);
        Assert.AreEqual(entry, zip.Refusal("missing").EntryName);
        foreach (var part in new[] { 0, 0.01, 0.5, 0.99 })
        {
            zip.Tamper(entry, bytes => bytes[..(int)(bytes.Length * part)]);
            Assert.AreEqual(entry, zip.Refusal($"{part}").EntryName);
        }
    }

    /// <summary>Their checksums are right: nothing but the number tells.</summary>
    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    public void WeightsThatAreNotFinite_AreRefused(float value)
    {
        var ml = new Microsoft.ML.MLContext(1);
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "MlpMulticlass", "ResNetRegression", "Rbm", "LanguageModel" })
        {
            var subject = Subjects.Training(name);
            using var model = subject.Fit(subject.Rows(20), o => o.Epochs = 1);
            var (tensor, weights) = model.Networks[0].Network.state_dict().Last(entry => TorchSharp.torch.is_floating_point(entry.Value.dtype));
            using (var scope = TorchSharp.torch.NewDisposeScope())
                weights.view(-1)[0] = value;
            ml.Model.Save(model.Transformer, subject.View(ml, 1).Schema, folder.File("model.zip"));
            var error = Assert.Throws<Exception>(() => ml.Model.Load(folder.File("model.zip"), out _));
            Assert.Contains($"{Weights}: tensor '{tensor}'", Outcome.Messages(error));
        }
    }

    [TestMethod]
    public void WeightsWithAFlippedBit_AreRefused()
    {
        using var zip = new ModelZip();
        for (var i = 0; i < 80; i++)
        {
            zip.Tamper(Weights, bytes =>
            {
                bytes[(int)((long)i * (bytes.Length - 1) / 79)] ^= (byte)(1 << (i % 8));
                return bytes;
            });
            Assert.AreEqual(Weights, zip.Refusal($"{i}").EntryName);
        }
    }

    [TestMethod]
    [DataRow(Architecture, "\"dropout\": 0.25", "\"dropout\": 0.35")]
    [DataRow(History, "\"epoch\": 2", "\"epoch\": 3")]
    public void AnEntryOfAnotherModel_IsRefused(string entry, string from, string to)
    {
        using var zip = new ModelZip();
        zip.Tamper(entry, bytes =>
        {
            var text = System.Text.Encoding.UTF8.GetString(bytes);
            Assert.Contains(from, text);
            return System.Text.Encoding.UTF8.GetBytes(text.Replace(from, to));
        });
        Assert.AreEqual(entry, zip.Refusal().EntryName);
    }

    [TestMethod]
    [DataRow("\"mlp\"", "\"gan\"")]
    [DataRow("\"formatVersion\": 2", "\"formatVersion\": 3")]
    [DataRow("\"units\": 4", "\"units\": 0")]
    [DataRow("\"units\": 4", "\"units\": -4")]
    [DataRow("\"units\": 4", "\"units\": 4.5")]
    [DataRow("\"inputCount\": 6", "\"inputCount\": 0")]
    [DataRow("\"outputCount\": 3", "\"outputCount\": 4")]
    [DataRow("\"classCount\": 3", "\"classCount\": 0")]
    [DataRow("\"ReLU\"", "\"Relay\"")]
    [DataRow("\"dropout\": 0.25", "\"dropout\": 1.25")]
    [DataRow("\"dropout\": 0.25", "\"dropout\": NaN")]
    [DataRow("\"inputCount\": 6", "\"inputCount\": 6, \"inputCount\": 6")]
    public void LyingArchitecture_IsRefused(string from, string to)
    {
        using var zip = new ModelZip();
        zip.ForgeText(Architecture, from, to);
        Assert.AreEqual(Architecture, zip.Refusal(to).EntryName);
    }

    [TestMethod]
    [DataRow("\"units\": 4", "\"units\": 5")]
    [DataRow("\"units\": 4", "\"units\": 3")]
    [DataRow("\"inputCount\": 6", "\"inputCount\": 7")]
    [DataRow("\"batchNormalization\": true", "\"batchNormalization\": false")]
    public void ArchitectureOfOtherWeights_IsRefused(string from, string to)
    {
        using var zip = new ModelZip();
        zip.ForgeText(Architecture, from, to);
        Assert.AreEqual(Weights, zip.Refusal(to).EntryName);
    }

    [TestMethod]
    [DataRow("\"units\": 4", "\"units\": 2147483647")]
    [DataRow("\"inputCount\": 6", "\"inputCount\": 2147483647")]
    public void HugeClaims_TakeNoMemory(string from, string to)
    {
        using var zip = new ModelZip();
        zip.ForgeText(Architecture, from, to);
        zip.Refusal();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        process.Refresh();
        var before = process.PeakWorkingSet64;
        zip.Refusal();
        process.Refresh();
        Assert.IsLessThan(100L << 20, process.PeakWorkingSet64 - before);
    }

    [TestMethod]
    public void ManyHugeLayers_TakeNoMemory()
    {
        using var zip = new ModelZip();
        zip.Forge(Architecture, _ => Json("[" + string.Join(",", Enumerable.Repeat("""{"units":2147483647,"activation":"ReLU"}""", 9)) + "]"));
        Assert.IsNotNull(zip.Refusal("beyond 64 bits").EntryName);
        zip.Forge(Architecture, _ => Json("[" + string.Join(",", Enumerable.Repeat("""{"units":1,"activation":"ReLU"}""", 100_000)) + "]"));
        Assert.AreEqual(Weights, zip.Refusal("many small layers").EntryName);

        static byte[] Json(string layers) => System.Text.Encoding.UTF8.GetBytes(
            $$$"""{"formatVersion":1,"architecture":{"$type":"mlp","hiddenLayers":{{{layers}}},"inputDropout":0,"inputCount":6,"outputCount":3},"head":{"$type":"multiclass","classCount":3}}""");
    }

    /// <summary>
    /// Whatever bit of our entries' packed bytes flips: a refusal that names the entry, or the very same model (deflate has bits that
    /// mean nothing). ML.NET's own entries are left out: its readers believe the lengths that they find.
    /// </summary>
    [TestMethod]
    [DataRow(Architecture)]
    [DataRow(Weights)]
    [DataRow(History)]
    public void FlippedBitInTheFile_NeverGivesAnotherModel(string entry)
    {
        using var zip = new ModelZip();
        var (start, length) = zip.PlaceOf(entry);
        for (var i = 0; i < 100; i++)
        {
            var bytes = zip.Original;
            var at = start + (int)((long)i * (length - 1) / 99);
            bytes[at] ^= (byte)(1 << (i % 8));
            zip.WriteFile(bytes);
            MulticlassNetworkTransformer? model = null;
            try
            {
                model = zip.Load();
            }
            catch (Exception e) when (e is not UnitTestAssertException)
            {
                Assert.AreEqual(entry, zip.Refusal($"bit {i % 8} of byte {at}").EntryName);
            }
            using (model)
            {
                if (model == null)
                    continue;
                Outcome.AssertSameBits(Outcome.Weights(zip.Model), Outcome.Weights(model));
                Assert.AreEqual(zip.Model.Model.Architecture, model.Model.Architecture);
                Assert.AreEqual(zip.Model.History, model.History);
            }
        }
    }
}
