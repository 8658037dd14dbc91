using Microsoft.ML;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>Every option of the language model trains in both precisions, validated or not; texts without text are refused.</summary>
[TestClass]
public sealed class OptionGridTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(Precision.Float32)]
    [DataRow(Precision.BFloat16)]
    public void EveryCombination_Trains(Precision precision)
    {
        var data = LanguageSample.View(Ml, LanguageSample.Cycles(8));
        foreach (var combination in Combinations())
        {
            var options = LanguageSample.Options(o =>
            {
                (o.Precision, o.Epochs, o.HiddenUnits, o.Dropout) = (precision, 2, 4, 0.1);
                combination.Set(o);
            });
            using var model = Ml.LanguageModels.Trainers.Lstm(options).Fit(data);
            Assert.IsTrue(LanguageSample.Weights(model).All(float.IsFinite), combination.Name);
            Assert.IsTrue(LanguageSample.Scores(Ml, model.Transform(data)).All(score => float.IsFinite(score.LogProbability)), combination.Name);
        }
    }

    [TestMethod]
    public void OnlyEmptyTexts_AreRefused()
    {
        foreach (var tokenization in new[] { Tokenization.Characters(), Tokenization.Words() })
        {
            foreach (var text in new[] { "", null })
            {
                var trainer = Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => o.Tokenization = tokenization));
                var error = Assert.Throws<ArgumentException>(() => trainer.Fit(LanguageSample.View(Ml, Enumerable.Repeat(text!, 60))));
                Assert.Contains("Column 'Text'", error.Message);
                Assert.Contains("all 60 rows", error.Message);
                error = Assert.Throws<ArgumentException>(() => trainer.Fit(LanguageSample.View(Ml, LanguageSample.Cycles(20)), LanguageSample.View(Ml, Enumerable.Repeat(text!, 5))));
                Assert.Contains("all 5 rows of the validation data", error.Message);
            }
        }
    }

    private static IEnumerable<(string Name, Action<LanguageModelEstimator.Options> Set)> Combinations()
    {
        foreach (var tied in new[] { false, true })
        {
            foreach (var embedding in new int?[] { null, 3 })
            {
                foreach (var sampled in new int?[] { null, 3 })
                {
                    foreach (var validation in new[] { 0, 0.3 })
                    {
                        foreach (var output in (Precision[])[Precision.Float32, Precision.BFloat16])
                            yield return ($"tied {tied}, embedding {embedding}, sampled {sampled}, validation {validation}, output {output}", o => (o.TieEmbeddings, o.EmbeddingSize, o.NumberOfSampledTokens, o.ValidationFraction, o.OutputPrecision) = (tied, embedding, sampled, validation, output));
                    }
                }
            }
        }
        foreach (var cell in Enum.GetValues<RecurrentCell>())
            yield return ($"cell {cell}", o => (o.Cell, o.NumberOfLayers, o.EmaDecay) = (cell, 2, 0.9));
        yield return ("frozen embedding", o => o.FrozenLayers = ["embedding"]);
        yield return ("initial scale", o => (o.InitialScale, o.GradientClipNorm) = (0.1, null));
    }
}
