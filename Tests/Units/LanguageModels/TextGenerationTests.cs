using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>The column of generated text.</summary>
[TestClass]
public sealed class TextGenerationTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Rows_DependOnTheirPromptsAlone()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var writer = Ml.LanguageModels.GenerateText(model, "Written", options: new GenerationOptions { MaximumTokens = 40, Seed = 3 });
        var texts = Write(writer, "abc", "de", "abc", "");
        Assert.AreEqual(texts[0], texts[2]);
        Assert.AreNotEqual(texts[0], texts[1]);
        CollectionAssert.AreEqual(texts.Reverse().ToArray(), Write(writer, "", "abc", "de", "abc"));
        Assert.IsTrue(texts.All(text => text.Length == 40));
        var other = Ml.LanguageModels.GenerateText(model, "Written", options: writer.Options with { Seed = 4 });
        Assert.AreNotEqual(texts[0], Write(other, "abc")[0]);
        using var engine = Ml.Model.CreatePredictionEngine<LanguageSample, Written>(writer, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(texts[1], engine.Predict(new LanguageSample { Text = "de" }).Text);
    }

    [TestMethod]
    public void WithoutASeed_TheSameTextInEachPass()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var data = Ml.LanguageModels.GenerateText(model, "Written").Transform(LanguageSample.View(Ml, "abc"));
        Assert.AreEqual(data.GetColumn<string>("Written").Single(), data.GetColumn<string>("Written").Single());
        Assert.IsNotNull(new MLContext().LanguageModels.GenerateText(model).Options.Seed);
        Assert.AreEqual(1, Ml.LanguageModels.GenerateText(model).Options.Seed, "the context's");
    }

    [TestMethod]
    public void BadInput_IsNamed()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Cycles(10), o => o.Epochs = 1);
        Assert.Contains("TopK", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.GenerateText(model, options: new GenerationOptions { TopK = 0 })).Message);
        var writer = Ml.LanguageModels.GenerateText(model, "Written", inputColumnName: "Number");
        Assert.Contains("'Number'", Assert.Throws<ArgumentException>(() => writer.Transform(LanguageSample.View(Ml, "a"))).Message);
        var error = Assert.Throws<Exception>(() => Write(Ml.LanguageModels.GenerateText(model, "Written"), "a", "x"));
        Assert.Contains("row 1", Contract.Outcome.Messages(error));
    }

    private static string[] Write(TextGenerationTransformer writer, params string[] prompts) =>
        writer.Transform(LanguageSample.View(Ml, prompts)).GetColumn<string>("Written").ToArray();

    private sealed class Written
    {
        [ColumnName("Written")]
        public string Text { get; set; } = "";
    }
}
