using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Plotting;
using ScottPlot;
using SkiaSharp;

namespace MLExtensions.Tests.Plotting;

/// <summary>The text of pictures: class names from the label, in any script, and titles in words.</summary>
[TestClass]
public sealed class PictureTextTests
{
    [TestMethod]
    public void ClassNames_AreTheKeyValues_WhateverTheirType()
    {
        int[] order = [0, 1, 3, 4, 5, 6, 7, 8, 9, 2];
        CollectionAssert.AreEqual(order.Select(value => $"{value}").ToArray(), Names(order));
        CollectionAssert.AreEqual(new[] { "0.5", "-2" }, Names([.5f, -2f]));
        CollectionAssert.AreEqual(new[] { "2024-02-29", "2023-01-01 12:30:00" }, Names([new DateTime(2024, 2, 29), new DateTime(2023, 1, 1, 12, 30, 0)]));
        CollectionAssert.AreEqual(new[] { "\u732B", "cat" }, Names(["\u732B", "cat"]));
        CollectionAssert.AreEqual(new[] { "True", "False" }, Names([true, false]));

        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(new[] { new Row<float> { Value = 1 } });
        Assert.Contains("must be a key with values", Assert.ThrowsExactly<ArgumentException>(() => ClassNames.Of(data.Schema["Value"])).Message);
    }

    /// <summary>ML.NET puts places into the matrix if the keys are no text: they are never shown as names.</summary>
    [TestMethod]
    public void Places_AreNoNames()
    {
        CollectionAssert.AreEqual(new[] { "class 1", "class 2", "class 3" }, ClassNames.Of(Matrix("0", "1", "2")).ToArray());
        CollectionAssert.AreEqual(new[] { "0", "2", "1" }, ClassNames.Of(Matrix("0", "2", "1")).ToArray());
        CollectionAssert.AreEqual(new[] { "positive", "negative" }, ClassNames.Of(Matrix("positive", "negative")).ToArray());
        using var folder = new TemporaryFolder();
        var label = Keyed(Enumerable.Range(0, 3).Select(value => 3 - value).ToArray());
        Matrix("0", "1", "2").SavePng(folder.File("matrix.png"), label);
        Assert.IsTrue(File.Exists(folder.File("matrix.png")));
        Assert.Contains("3 class names for 2", Assert.ThrowsExactly<ArgumentException>(() => Matrix("0", "1").SavePng(folder.File("no.png"), label)).Message);
    }

    /// <summary>The font is found by its glyphs: the font manager's own search fails on builds without the system's font library.</summary>
    [TestMethod]
    public void Font_IsTheOneWithTheGlyphs()
    {
        foreach (var family in SKFontManager.Default.FontFamilies)
        {
            var typeface = Fonts.GetTypeface(family, false, false);
            if (typeface.GetGlyph('\u0416') == 0)
                continue;
            var (font, missing) = PictureFont.Best("\u0416", [family]);
            Assert.AreEqual((family, 0), (font, missing.Count));
            return;
        }
    }

    [TestMethod]
    public void MissingGlyph_IsWarnedOf()
    {
        const string Private = "\U000F1234"; // no font has characters of private use there
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        using var folder = new TemporaryFolder();
        Matrix("0", "1").SavePng(folder.File("matrix.png"), [Private, "b"], env: ml);
        Assert.Contains("U+F1234", warnings.Single());
        Matrix("0", "1").SavePng(folder.File("matrix.png"), ["a", "b"], env: ml);
        Assert.HasCount(1, warnings);
    }

    /// <summary>Arabic letters are joined only where text is shaped, which is set for the picture alone.</summary>
    [TestMethod]
    public void Shaping_WhereItIsNeeded()
    {
        Assert.IsTrue(PictureFont.NeedsShaping("\u0642\u0637"));
        Assert.IsTrue(PictureFont.NeedsShaping("\u05D7\u05EA\u05D5\u05DC"));
        Assert.IsTrue(PictureFont.NeedsShaping("\u092C\u093F\u0932\u094D\u0932\u0940"));
        Assert.IsFalse(PictureFont.NeedsShaping("Katze \u732B \u043A\u043E\u0442"));
        Assert.IsTrue(Picture.Draw("\u0642\u0637", () => LabelStyle.RTLSupport));
        Assert.IsFalse(Picture.Draw("cat", () => LabelStyle.RTLSupport));
        Assert.IsFalse(LabelStyle.RTLSupport);
    }

    [TestMethod]
    [DataRow("loss", "Loss")]
    [DataRow("rmse", "Root mean squared error")]
    [DataRow("free energy", "Free energy")]
    [DataRow("pseudoLogLikelihood", "Pseudo log likelihood")]
    [DataRow("top_5", "Top 5")]
    public void Titles_AreWords(string metric, string title) => Assert.AreEqual(title, MetricTitle.Of(metric));

    private static string[] Names<T>(T[] values) => [.. ClassNames.Of(Keyed(values))];

    private static DataViewSchema.Column Keyed<T>(T[] values)
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(values.Select(value => new Row<T> { Value = value }));
        return ml.Transforms.Conversion.MapValueToKey("Value").Fit(data).Transform(data).Schema["Value"];
    }

    private static ConfusionMatrix Matrix(params string[] names)
    {
        var host = ((IHostEnvironment)new MLContext()).Register("Confusion");
        var counts = names.Select(_ => names.Select(_ => 1.0).ToArray()).ToArray();
        return new ConfusionMatrix(host, new double[names.Length], new double[names.Length], counts, names.Select(name => name.AsMemory()).ToList(), isSampled: false, isBinary: false);
    }

    private sealed class Row<T>
    {
        public T Value { get; set; } = default!;
    }
}
