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

    [TestMethod]
    public void UnknownTokens_AreCounted()
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, line) => warnings.AddRange(line.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning ? [line.Message] : []);
        using var model = LanguageSample.Fit(ml, LanguageSample.Noise(40), o => (o.Epochs, o.Tokenization) = (1, Tokenization.Characters()));
        warnings.Clear();
        var options = new GenerationOptions { MaximumTokens = 2, Seed = 1 };
        model.GenerateText("abc", options);
        Assert.IsEmpty(warnings);
        model.GenerateText("a\u00E4b\u00F6\u00FC", options);
        Assert.Contains("3 of 5 tokens of the prompt are not in the vocabulary", warnings.Single());
        warnings.Clear();
        Write(ml.LanguageModels.GenerateText(model, "Written", options: options), "ab", "\u00E4b");
        Assert.Contains("1 of 4 tokens of the prompts in column 'Text' are not in the vocabulary", warnings.Single());
        warnings.Clear();
        for (var pass = 0; pass < 2; pass++)
            _ = model.Transform(LanguageSample.View(ml, "ab", "\u00E4\u00E4", "c")).GetColumn<float>("LogProbability").ToArray();
        Assert.Contains("2 of 5 tokens of the texts in column 'Text' are not in the vocabulary", warnings.Single());
    }

    private static string[] Write(TextGenerationTransformer writer, params string[] prompts) =>
        writer.Transform(LanguageSample.View(Ml, prompts)).GetColumn<string>("Written").ToArray();

    private sealed class Written
    {
        [ColumnName("Written")]
        public string Text { get; set; } = "";
    }
}
