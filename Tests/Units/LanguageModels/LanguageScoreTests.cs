using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>The probability of rows is what the network says, however they are asked for.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class LanguageScoreTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void LogProbabilities_AreTheNetworks()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        string[] texts = ["abc", "", "eeeeeabcde"];
        var scores = LanguageSample.Scores(Ml, model.Transform(LanguageSample.View(Ml, texts)));
        for (var i = 0; i < texts.Length; i++)
        {
            Assert.AreEqual(texts[i].Length + 1, scores[i].Tokens);
            Assert.AreEqual(ByHand(model, texts[i]), scores[i].LogProbability, 1e-4);
            Assert.AreEqual(Math.Exp(-scores[i].LogProbability / scores[i].Tokens), scores[i].Perplexity, 1e-4);
        }
        var missing = LanguageSample.Scores(Ml, model.Transform(LanguageSample.View(Ml, [null!])));
        Assert.AreEqual(scores[1].LogProbability, missing[0].LogProbability, 1e-6);
    }

    /// <summary>Rows of up to 3,000 characters go through the network in windows, some next to others.</summary>
    [TestMethod]
    [DataRow(40)]
    [DataRow(3000)]
    public void Rows_DoNotDependOnTheirNeighbors(int length)
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var texts = LanguageSample.Noise(100, length);
        var together = LanguageSample.Scores(Ml, model.Transform(LanguageSample.View(Ml, texts)));
        using var engine = Ml.Model.CreatePredictionEngine<LanguageSample, LanguageScore>(model, new PredictionEngineOptions { OwnsTransformer = false });
        for (var i = 0; i < texts.Length; i++)
        {
            var alone = engine.Predict(new LanguageSample { Text = texts[i] });
            Assert.AreEqual(1, together[i].LogProbability / alone.LogProbability, 1e-5);
            Assert.AreEqual(alone.Tokens, together[i].Tokens);
        }
        var longest = texts.MaxBy(text => text.Length)!;
        Assert.AreEqual(1, ByHand(model, longest) / engine.Predict(new LanguageSample { Text = longest }).LogProbability, 1e-5);
    }

    [TestMethod]
    public void ManyThreads_SameScores()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var data = LanguageSample.View(Ml, LanguageSample.Noise(100));
        var expected = LogProbabilities(model.Transform(data));
        var all = new float[4][];
        Parallel.For(0, all.Length, i => all[i] = LogProbabilities(model.Transform(data)));
        foreach (var values in all)
            Contract.Outcome.AssertSameComputation(expected, values);

        static float[] LogProbabilities(IDataView scored) => scored.GetColumn<float>("LogProbability").ToArray();
    }

    [TestMethod]
    public void Schema_HasTheThreeColumns()
    {
        var trainer = Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => o.Epochs = 1));
        var data = LanguageSample.View(Ml, LanguageSample.Cycles(10));
        using var model = trainer.Fit(data);
        var schema = model.GetOutputSchema(data.Schema);
        Assert.AreEqual(NumberDataViewType.Single, schema["LogProbability"].Type);
        Assert.AreEqual(NumberDataViewType.Int32, schema["Tokens"].Type);
        Assert.AreEqual(NumberDataViewType.Single, schema["Perplexity"].Type);
        var shape = trainer.GetOutputSchema(SchemaShape.Create(data.Schema));
        foreach (var column in SchemaShape.Create(schema))
        {
            Assert.IsTrue(shape.TryFindColumn(column.Name, out var announced), column.Name);
            Assert.AreEqual(column.ItemType, announced.ItemType);
        }
        CollectionAssert.AreEqual(new[] { 0f, 1f, 2f }, Ml.Data.TakeRows(model.Transform(data), 3).GetColumn<float>("Number").ToArray());
    }

    [TestMethod]
    public void BadInput_IsNamed()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Cycles(10), o => o.Epochs = 1);
        var other = Ml.Data.LoadFromEnumerable(new[] { new { Words = "a" } });
        Assert.Contains("'Text'", Assert.Throws<ArgumentException>(() => model.Transform(other)).Message);
        var numbers = Ml.Data.LoadFromEnumerable(new[] { new { Text = 1f } });
        Assert.Contains("must be Text", Assert.Throws<ArgumentException>(() => model.Transform(numbers)).Message);
        var texts = LanguageSample.Cycles(50);
        texts[40] = "abcq";
        var error = Assert.Throws<Exception>(() => LanguageSample.Scores(Ml, model.Transform(LanguageSample.View(Ml, texts))));
        Assert.Contains("column 'Text', row 40", Contract.Outcome.Messages(error));
        Assert.Contains("'q'", Contract.Outcome.Messages(error));
    }

    /// <summary>The whole row at once.</summary>
    private static double ByHand(LanguageModelTransformer model, string text)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var end = model.Tokenizer.EndOfSequenceId;
        var ids = model.Tokenizer.Encode(text).Select(id => (long)id).ToArray();
        var logits = model.Network.call(tensor((long[])[end, .. ids]).unsqueeze(1));
        return logits.log_softmax(1).gather(1, tensor((long[])[.. ids, end]).unsqueeze(1)).sum().item<float>();
    }
}
