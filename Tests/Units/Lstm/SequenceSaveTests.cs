using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Models;
using static MLExtensions.Tests.Lstm.SequenceModel;

namespace MLExtensions.Tests.Lstm;

/// <summary>Saved models hold all that a column of text or keys needs; damaged ones are refused; training goes on from them.</summary>
[TestClass]
public sealed class SequenceSaveTests
{
    private const string ArchitectureEntry = "architecture.json";

    [TestMethod]
    [DataRow(Values)]
    [DataRow(Texts)]
    [DataRow(Keys)]
    public void FreshProcess_SamePredictions(string features)
    {
        using var folder = new TemporaryFolder();
        var data = SequenceRow.View(Ml, SequenceRow.Random(60));
        using var model = ToKeys.Append(Binary(features, Everything)).Fit(data);
        Ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        ChildProcess.Run(ScoreInChild, folder.Path).AssertSuccess();
        var scores = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(folder.File("scores.bin"))).ToArray();
        Outcome.AssertSameComputation(Scores(model, SequenceRow.Random(50, seed: 9)), scores);
    }

    [TestMethod]
    [DataRow(Values)]
    [DataRow(Texts)]
    [DataRow(Keys)]
    public void Loaded_IsTheSameArchitecture(string features)
    {
        using var folder = new TemporaryFolder();
        var data = SequenceRow.View(Ml, SequenceRow.Random(60));
        using var model = ToKeys.Append(Binary(features, Everything)).Fit(data);
        Ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        using var loaded = (TransformerChain<ITransformer>)Ml.Model.Load(folder.File("model.zip"), out _);
        var architecture = Architecture((NetworkTransformer)loaded.LastTransformer);
        Assert.AreEqual(Architecture(model.LastTransformer), architecture);
        Assert.AreEqual((9, LongSequences.KeepBeginning, EmptySequences.Zeros), (architecture.Input.MaximumLength, architecture.Input.LongSequences, architecture.Input.EmptySequences));
        Assert.AreEqual((RecurrentCell.Gru, 2, SequencePooling.Max), (architecture.Recurrent.Cell, architecture.Recurrent.Layers, architecture.Pooling));
    }

    [TestMethod]
    [DataRow("\"maximumLength\": 9", "\"maximumLength\": 0", "maximumLength")]
    [DataRow("\"maximumLength\": 9", "\"maximumLength\": 2147483647", "maximumLength")]
    [DataRow("\"maximumLength\": 9", "\"maximumLength\": 8", "inputCount")]
    [DataRow("\"embeddingSize\": 6", "\"embeddingSize\": 0", "embeddingSize")]
    [DataRow("\"hiddenUnits\": 8", "\"hiddenUnits\": 0", "hiddenUnits")]
    [DataRow("\"layers\": 2", "\"layers\": 0", "layers")]
    [DataRow("\"cell\": \"Gru\"", "\"cell\": 7", "cell")]
    [DataRow("\"cell\": \"Gru\"", "\"cell\": \"Cell\"", "cell")]
    [DataRow("\"pooling\": \"Max\"", "\"pooling\": 7", "pooling")]
    [DataRow("\"longSequences\": \"KeepBeginning\"", "\"longSequences\": 7", "longSequences")]
    [DataRow("\"emptySequences\": \"Zeros\"", "\"emptySequences\": 7", "emptySequences")]
    [DataRow("\"inputDropout\": 0.1", "\"inputDropout\": 1", "inputDropout")]
    [DataRow("\"tokenizer\": {", "\"tokenizer\": null, \"other\": {", "tokenizer")]
    [DataRow("\"$type\": \"words\"", "\"$type\": \"letters\"", "tokenizer")]
    [DataRow("\"\\u003Ceos\\u003E\"", "\"w1\"", "vocabulary")]
    [DataRow("\"$type\": \"text\"", "\"$type\": \"sounds\"", "input")]
    public void DamagedArchitecture_IsRefusedByName(string from, string to, string member)
    {
        using var zip = new ModelZip(FitText);
        zip.ForgeText(ArchitectureEntry, from, to);
        var refusal = zip.Refusal(to);
        Assert.AreEqual(ArchitectureEntry, refusal.EntryName);
        Assert.Contains(member, Outcome.Messages(refusal));
    }

    [TestMethod]
    [DataRow("\"embeddingSize\": 6", "\"embeddingSize\": 7")]
    [DataRow("\"hiddenUnits\": 8", "\"hiddenUnits\": 9")]
    [DataRow("\"layers\": 2", "\"layers\": 3")]
    [DataRow("\"cell\": \"Gru\"", "\"cell\": \"Lstm\"")]
    [DataRow("\"bidirectional\": false", "\"bidirectional\": true")]
    [DataRow("\"hiddenUnits\": 8", "\"hiddenUnits\": 1048576")]
    public void ArchitectureOfOtherWeights_IsRefused(string from, string to)
    {
        using var zip = new ModelZip(FitText);
        zip.ForgeText(ArchitectureEntry, from, to);
        Assert.AreEqual("weights.safetensors", zip.Refusal(to).EntryName);
    }

    /// <summary>Its tokens are what its embedding knows, so its tokenizer comes along, whatever the other text has.</summary>
    [TestMethod]
    public void InitialModel_BringsItsTokenizerAndLength()
    {
        var rows = SequenceRow.Random(60, 9);
        using var first = Fit(rows, features: Texts);
        var others = rows.Select(row => new SequenceRow { Text = row.Text + " something else w1 w1 w1", Flag = row.Flag }).ToArray();
        using var second = Fit(others, options => (options.InitialModel, options.LearningRate, options.Epochs) = (first, 1e-12, 1), Texts);
        Assert.AreEqual(Architecture(first).Input, Architecture(second).Input);
        Outcome.AssertClose(Scores(first, rows), Scores(second, rows), 1e-5);
        using var longer = Fit(others, options => (options.InitialModel, options.MaximumLength, options.Epochs) = (first, 30, 1), Texts);
        Assert.AreEqual(30, Architecture(longer).Input.MaximumLength);
        Assert.AreEqual(((TextSequence)Architecture(first).Input).Tokenizer, ((TextSequence)Architecture(longer).Input).Tokenizer);
    }

    [TestMethod]
    public void InitialModel_OfAnotherKind_IsRefused()
    {
        var rows = SequenceRow.Random(60, 9);
        using var ofText = Fit(rows, features: Texts);
        var error = Assert.Throws<ArgumentException>(() => Fit(rows, options => options.InitialModel = ofText));
        Assert.Contains("another architecture", error.Message);
        error = Assert.Throws<ArgumentException>(() => Fit(rows, options => (options.InitialModel, options.Cell) = (ofText, RecurrentCell.Gru), Texts));
        Assert.Contains("another architecture", error.Message);
    }

    private static void Everything(LstmOptions options)
    {
        (options.Cell, options.Layers, options.Pooling, options.InputDropout) = (RecurrentCell.Gru, 2, SequencePooling.Max, 0.1);
        (options.MaximumLength, options.LongSequences, options.EmptySequences) = (9, LongSequences.KeepBeginning, EmptySequences.Zeros);
    }

    private static MulticlassNetworkTransformer FitText(MLContext ml) => Multiclass(Texts, Everything).Fit(SequenceRow.View(Ml, SequenceRow.Random(60)));

    private static void ScoreInChild(string[] args)
    {
        var ml = new MLContext();
        var model = ml.Model.Load(Path.Combine(args[0], "model.zip"), out _);
        var scores = Outcome.Scores(model.Transform(SequenceRow.View(ml, SequenceRow.Random(50, seed: 9))));
        File.WriteAllBytes(Path.Combine(args[0], "scores.bin"), MemoryMarshal.AsBytes<float>(scores).ToArray());
    }
}
