using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.TorchSharp;
using Microsoft.ML.TorchSharp.NasBert;
using TorchSharp;

namespace MLExtensions.Tests.Neighbors;

/// <summary>
/// Microsoft.ML.TorchSharp 0.23.1, which was built for TorchSharp 0.102.7, in one process with this library: what docs/microsoft-ml-torchsharp.md
/// says of the two. A test that fails after an update says what has changed there.
/// </summary>
[TestClass]
public sealed class MicrosoftTorchSharpTests
{
    private const string PretrainedFile = "NasBert2000000.tsm";

    private static readonly Assembly Theirs = typeof(TorchSharpCatalog).Assembly;

    [TestMethod]
    public void OneTorchSharp_NotOlderThanTheirs()
    {
        var loaded = AppDomain.CurrentDomain.GetAssemblies().Where(assembly => assembly.GetName().Name == "TorchSharp").ToArray();
        Assert.HasCount(1, loaded);
        var wanted = Theirs.GetReferencedAssemblies().Single(reference => reference.Name == "TorchSharp").Version!;
        Assert.IsTrue(loaded[0].GetName().Version >= wanted, $"{loaded[0].GetName().Version} is older than {wanted}");
    }

    /// <summary>Of the members of TorchSharp that its code names, one is gone: the object detection calls it.</summary>
    [TestMethod]
    public void TheirCode_MissesOneMemberOfTorchSharp()
    {
        using var file = new PEReader(File.OpenRead(Theirs.Location));
        var metadata = file.GetMetadataReader();
        var (missing, count) = (new List<string>(), 0);
        foreach (var handle in metadata.MemberReferences)
        {
            try
            {
                var member = Theirs.ManifestModule.ResolveMember(MetadataTokens.GetToken(handle), [typeof(float), typeof(float), typeof(float)], [typeof(float), typeof(float)]);
                count += member?.Module.Assembly.GetName().Name == "TorchSharp" ? 1 : 0;
            }
            catch (Exception e) when (e is MissingMemberException or TypeLoadException)
            {
                missing.Add(metadata.GetString(metadata.GetMemberReference(handle).Name));
            }
        }
        Assert.IsGreaterThan(100, count);
        CollectionAssert.AreEqual(new[] { "interpolate" }, missing);
    }

    /// <summary>
    /// It disposes what TorchSharp's initializers return. That was another object once; now it is the parameter itself. The pretrained weights, which it
    /// would download, are random here, and lie where it looks first.
    /// </summary>
    [TestMethod]
    public void TheirTextNetwork_DoesNotComputeOnThisTorchSharp()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1) { TempFilePath = folder.Path };
        WriteWeights(folder.Path);
        var theirs = ml.MulticlassClassification.Trainers.TextClassification(sentence1ColumnName: nameof(Row.Text), batchSize: 4, maxEpochs: 1);
        Assert.Contains("empty handle", Assert.ThrowsExactly<InvalidOperationException>(() => theirs.Fit(Keyed(ml))).Message);
    }

    [TestMethod]
    public void TheirTrainersCanBeCreated_AndOursTrainBesideThem()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1) { TempFilePath = folder.Path };
        WriteWeights(folder.Path);
        var data = Keyed(ml);
        var alone = Train(ml, data);
        var theirs = ml.MulticlassClassification.Trainers.TextClassification(sentence1ColumnName: nameof(Row.Text), batchSize: 4, maxEpochs: 1);
        Assert.IsTrue(theirs.GetOutputSchema(SchemaShape.Create(data.Schema)).TryFindColumn("PredictedLabel", out _));
        // Sets the seed of torch's global generator, and fails in the middle of a training.
        Assert.ThrowsExactly<InvalidOperationException>(() => theirs.Fit(data));
        CollectionAssert.AreEqual(alone, Train(ml, data));
    }

    private static IDataView Keyed(MLContext ml)
    {
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Row { Text = i % 2 == 0 ? "good day" : "bad night", Topic = i % 2 == 0 ? "good" : "bad" }));
        return ml.Transforms.Conversion.MapValueToKey("Label", nameof(Row.Topic)).Fit(data).Transform(data);
    }

    private static float[] Train(MLContext ml, IDataView data)
    {
        using var model = ml.MulticlassClassification.Trainers.Recurrent(featureColumnName: nameof(Row.Text), hiddenUnits: 4, epochs: 2).Fit(data);
        return model.Transform(data).GetColumn<float[]>("Score").SelectMany(row => row).ToArray();
    }

    /// <summary>An encoder as it is before any training. Theirs is internal, so it is made by reflection.</summary>
    private static void WriteWeights(string temporaryFolder)
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var type = Theirs.GetType("Microsoft.ML.TorchSharp.NasBert.Models.ModelForPrediction", throwOnError: true)!;
        var (padding, symbols) = Vocabulary();
        using var model = (torch.nn.Module)Activator.CreateInstance(type, All, null, [new TextClassificationTrainer.TextClassificationOptions(), padding, symbols, 2], null)!;
        var encoder = (torch.nn.Module)type.GetMethod("GetEncoder", All)!.Invoke(model, null)!;
        Directory.CreateDirectory(Path.Combine(temporaryFolder, "mlnet"));
        encoder.save(Path.Combine(temporaryFolder, "mlnet", PretrainedFile));
    }

    private static (int Padding, int Symbols) Vocabulary()
    {
        const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var extensions = Theirs.GetTypes().Single(type => type.Name == "TokenizerExtensions");
        var tokenizer = extensions.GetMethod("GetInstance", All)!.Invoke(null, [null])!;
        var model = extensions.GetMethod("RobertaModel", All)!.Invoke(null, [tokenizer])!;
        return ((int)model.GetType().GetProperty("PadIndex")!.GetValue(model)!, (int)model.GetType().GetProperty("SymbolsCount")!.GetValue(model)!);
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public string Topic { get; set; } = "";
    }
}
