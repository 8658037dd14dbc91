using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>The perplexity of a text, of rows on their own and of rows that are one text.</summary>
[TestClass]
public sealed class EvaluationTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Evaluate_SumsOverTheRows()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var scored = model.Transform(LanguageSample.View(Ml, LanguageSample.Noise(70)));
        var rows = LanguageSample.Scores(Ml, scored);
        var metrics = Ml.LanguageModels.Evaluate(scored);
        Assert.AreEqual(70, metrics.Rows);
        Assert.AreEqual(rows.Sum(row => row.Tokens), metrics.Tokens);
        Assert.AreEqual(-rows.Sum(row => (double)row.LogProbability) / metrics.Tokens, metrics.CrossEntropy, 1e-9);
        Assert.AreEqual(Math.Exp(metrics.CrossEntropy), metrics.Perplexity, 1e-9);
        Assert.AreEqual(Math.Log2(metrics.Perplexity), metrics.BitsPerToken, 1e-9);
    }

    /// <summary>60,000 tokens, read in several pieces of many windows, against the network run over all at once.</summary>
    [TestMethod]
    public void EvaluateContinuous_IsOneText()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => (o.Epochs, o.HiddenUnits) = (1, 8));
        var texts = LanguageSample.Noise(2900);
        var metrics = Ml.LanguageModels.EvaluateContinuous(model, LanguageSample.View(Ml, texts));
        var ids = model.Tokenizer.Encode(string.Join("\n", texts) + "\n").Select(id => (long)id).ToArray();
        Assert.IsGreaterThan(50_000, ids.Length);
        Assert.AreEqual(ids.Length - 1, metrics.Tokens);
        Assert.AreEqual(2900, metrics.Rows);
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var logits = model.Network.call(tensor(ids[..^1]).unsqueeze(1));
        Assert.AreEqual(nn.functional.cross_entropy(logits, tensor(ids[1..])).item<float>(), metrics.CrossEntropy, 1e-5);
    }

    [TestMethod]
    public void NothingToEvaluate_IsRefused()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(20), o => (o.Epochs, o.Tokenization) = (1, Tokenization.Characters(allowUnknown: false)));
        var none = LanguageSample.View(Ml, []);
        Assert.Contains("no rows", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Evaluate(model.Transform(none))).Message);
        Assert.Contains("'LogProbability'", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Evaluate(none)).Message);
        Assert.Contains("0 tokens", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.EvaluateContinuous(model, none)).Message);
        Assert.Contains("1 tokens", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.EvaluateContinuous(model, LanguageSample.View(Ml, ""))).Message);
        var error = Assert.Throws<FormatException>(() => Ml.LanguageModels.EvaluateContinuous(model, LanguageSample.View(Ml, "a", "q")));
        Assert.Contains("row 1", error.Message);
    }
}
