using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Models;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>Saved language models: the same in a fresh process, and refused when damaged.</summary>
[TestClass]
public sealed class LanguageModelFileTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly GenerationOptions Options = new() { MaximumTokens = 60, Seed = 9, TopP = 0.9, StopStrings = ["ee"] };
    private static readonly string[] Texts = ["abc", "", "eeeddcba"];

    [TestMethod]
    [DataRow(RecurrentCell.Lstm, false)]
    [DataRow(RecurrentCell.Gru, true)]
    public void FreshProcess_SameScoresAndTexts(RecurrentCell cell, bool words)
    {
        using var folder = new TemporaryFolder();
        var rows = words ? LanguageSample.Noise(40).Select(text => string.Join(' ', text.Chunk(2).Select(pair => new string(pair)))) : LanguageSample.Noise(40);
        using var model = LanguageSample.Fit(Ml, rows, o => (o.Cell, o.TieEmbeddings, o.Tokenization) = (cell, words, words ? Tokenization.Words() : Tokenization.Characters()));
        var chain = new TransformerChain<ITransformer>(model, Ml.LanguageModels.GenerateText(model, options: Options));
        Ml.Model.Save(chain, LanguageSample.View(Ml, Texts).Schema, folder.File("model.zip"));
        File.WriteAllLines(folder.File("expected.txt"), Describe(Ml, chain, model));
        ChildProcess.Run(CompareSaved, folder.File("model.zip"), folder.File("expected.txt")).AssertSuccess();
    }

    [TestMethod]
    [DataRow("architecture.json")]
    [DataRow("weights.safetensors")]
    [DataRow("history.json")]
    [DataRow("generation.json")]
    public void DamagedEntry_IsNamed(string entry)
    {
        using var zip = Zip();
        zip.Tamper(entry, _ => null);
        Assert.AreEqual(entry, zip.Refusal().EntryName);
        zip.Tamper(entry, bytes => bytes[..(bytes.Length / 2)]);
        Assert.AreEqual(entry, zip.Refusal().EntryName);
        zip.Tamper(entry, bytes =>
        {
            bytes[^20] ^= 1;
            return bytes;
        });
        Assert.AreEqual(entry, zip.Refusal().EntryName);
    }

    [TestMethod]
    [DataRow("\"embeddingSize\": 16", "\"embeddingSize\": 0", "embeddingSize")]
    [DataRow("\"hiddenUnits\": 16", "\"hiddenUnits\": -1", "hiddenUnits")]
    [DataRow("\"outputCount\": 6", "\"outputCount\": 5", "outputCount")]
    [DataRow("\"dropout\": 0.125", "\"dropout\": 7", "dropout")]
    [DataRow("\"characters\"", "\"letters\"", "letters")]
    [DataRow("\"a\",", "\"b\",", "vocabulary")]
    public void LyingArchitecture_IsRefused(string from, string to, string what)
    {
        using var zip = Zip();
        zip.ForgeText("architecture.json", from, to);
        var refusal = zip.Refusal(to);
        Assert.AreEqual("architecture.json", refusal.EntryName);
        Assert.Contains(what, refusal.Message);
    }

    [TestMethod]
    public void NetworkOfAnotherKind_IsRefused()
    {
        using var zip = Zip();
        zip.Forge("architecture.json", bytes =>
        {
            var description = System.Text.Json.Nodes.JsonNode.Parse(bytes)!;
            var outputs = description["architecture"]!["outputCount"]!.GetValue<int>();
            description["head"] = System.Text.Json.Nodes.JsonNode.Parse($$"""{ "$type": "multiclass", "classCount": {{outputs}} }""");
            return System.Text.Encoding.UTF8.GetBytes(description.ToJsonString());
        });
        Assert.Contains("is not a language model", zip.Refusal().Message);
    }

    private static ModelZip<TextGenerationTransformer> Zip() => new(
        ml => ml.LanguageModels.GenerateText(LanguageSample.Fit(ml, LanguageSample.Noise(20), o => (o.Epochs, o.Dropout) = (1, 0.125)), options: Options),
        ml => LanguageSample.View(ml, "a"));

    private static void CompareSaved(string[] args)
    {
        TestAssembly.InitializeTorch();
        var ml = new MLContext(2);
        var chain = (TransformerChain<ITransformer>)ml.Model.Load(args[0], out _);
        CollectionAssert.AreEqual(File.ReadAllLines(args[1]), Describe(ml, chain, (LanguageModelTransformer)chain.First()));
    }

    /// <summary>Scores bit by bit, and texts.</summary>
    private static string[] Describe(MLContext ml, ITransformer chain, LanguageModelTransformer model)
    {
        var data = chain.Transform(LanguageSample.View(ml, Texts));
        return
        [
            .. data.GetColumn<float>("LogProbability").Select(value => value.ToString("R")),
            .. data.GetColumn<string>("GeneratedText").Select(text => text.Replace("\n", "\\n")),
            model.GenerateText(Texts[0], Options).Replace("\n", "\\n"),
        ];
    }
}
