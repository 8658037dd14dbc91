using Microsoft.ML;

namespace MLExtensions.Tests.BadInput;

/// <summary>Odd, but not bad; and what is bad only when it is read a second time.</summary>
[TestClass]
public sealed class OddUseTests
{
    /// <summary>Texts cut in the middle of an emoji: a file could not hold the half.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void HalvesOfEmoji_AreWordsThatCanBeSaved(bool split)
    {
        const string Text = "a\uD800 b\uDC00 \uD800 \uDBFF \uD83D\uDE00 x";
        using var model = Bad.Language(o => (o.Tokenization, o.Progress) = (Tokenization.Words(splitPunctuation: split), null)).Fit(Bad.View(rows => Array.ForEach(rows, row => row.Text = Text)));
        using var file = new MemoryStream();
        Bad.Ml.Model.Save(model, Bad.View().Schema, file);
        file.Position = 0;
        using var loaded = (LanguageModelTransformer)Bad.Ml.Model.Load(file, out _);
        CollectionAssert.AreEqual(model.Tokenizer.Encode(Text).ToArray(), loaded.Tokenizer.Encode(Text).ToArray());
        Assert.DoesNotContain(model.Tokenizer.UnknownId!.Value, loaded.Tokenizer.Encode(Text));
    }

    [TestMethod]
    public void WhatStartsRandomly_IsInTheHistory()
    {
        using var first = Fit("one", null);
        using var second = Fit("uno", first);
        Assert.DoesNotContain("randomly", string.Join("\n", first.History.Warnings));
        var warnings = string.Join("\n", second.History.Warnings);
        foreach (var part in new[] { "one", "uno", "InitialModel", "output layer starts randomly", "output.weight" })
            Assert.Contains(part, warnings);

        MulticlassNetworkTransformer Fit(string name, MulticlassNetworkTransformer? initial)
        {
            var rows = Bad.View(all => Array.ForEach(all, row => row.Group = row.Flag ? name : "zero"));
            var keyed = Bad.Ml.Transforms.Conversion.MapValueToKey("Label", "Group").Fit(rows).Transform(rows);
            return Bad.Multiclass(o => (o.LabelColumnName, o.InitialModel, o.Progress) = ("Label", initial, null)).Fit(keyed);
        }
    }

    [TestMethod]
    public void ForecastOfAViewThatComesOnce_SaysWhatToDo()
    {
        using var model = Bad.Forecaster(o => o.Progress = null).Fit(Bad.View());
        var rows = ((IEnumerable<BadRow>)BadRow.Create(24)).GetEnumerator();
        var error = Assert.Throws<InvalidOperationException>(() => model.Forecast(Bad.Ml.Data.LoadFromEnumerable(Rest())));
        Assert.Contains("24 rows", error.Message);
        Assert.Contains("ml.Data.Cache", error.Message);

        IEnumerable<BadRow> Rest()
        {
            while (rows.MoveNext())
                yield return rows.Current;
        }
    }
}
