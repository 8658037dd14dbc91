using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Style;

/// <summary>A network of several styles: they differ, they can be chosen by name, and they can be mixed.</summary>
[TestClass]
public sealed class SeveralStylesTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    public void Styles_Differ_AsTheirPicturesDo()
    {
        using var sample = new FastStyleSample();
        using var model = Train(sample, o => (o.Epochs, o.StyleColumnName) = (60, "Style"));
        // Stripes of red and blue have less green than dots of yellow and green.
        Floor.Above(15, GreenOf("dots") - GreenOf("stripes"), "green");

        double GreenOf(string style) => Enumerable.Range(0, 4).Average(number => StyleSample.Bytes(ByName(model, style, number)).Where((_, i) => i % 4 == 1).Average(value => (double)value));
    }

    [TestMethod]
    public void MixtureOfOne_IsThatStyle_AndSharesLeadFromOneToTheOther()
    {
        using var sample = new FastStyleSample();
        using var byShares = Train(sample, o => o.StyleColumnName = "Shares");
        using var byName = Train(sample, o => o.StyleColumnName = "Style");
        using var first = Train(sample, o => o.StyleColumnName = null);
        Outcome.AssertSameBits(Outcome.Weights(byName.Model), Outcome.Weights(byShares.Model));
        var stripes = Mixed(byShares, 1, 0);
        var dots = Mixed(byShares, 0, 5);
        Assert.AreEqual(0, StyleSample.Distance(stripes, ByName(byName, "stripes")));
        Assert.AreEqual(0, StyleSample.Distance(dots, ByName(byName, "dots")));
        Assert.AreEqual(0, StyleSample.Distance(stripes, FastStyleSample.Paint(_ml, first, FastStyleSample.Content(3))));
        Assert.AreEqual(0, StyleSample.Distance(Mixed(byShares, .5f, .5f), Mixed(byShares, 3, 3)), "only proportions matter");
        var way = new[] { .1f, .5f, .9f }.Select(share => Gap(stripes, Mixed(byShares, 1 - share, share))).ToArray();
        Assert.IsGreaterThan(0, way[0]);
        Assert.IsGreaterThan(way[0], way[1]);
        Assert.IsGreaterThan(way[1], way[2]);
        Assert.IsGreaterThan(way[2], Gap(stripes, dots));
    }

    [TestMethod]
    public void Keys_AreMatchedByName_WhateverTheirNumbers()
    {
        using var sample = new FastStyleSample();
        using var model = Train(sample, o => o.StyleColumnName = "Style");
        // The keys are numbered as they come: dots are 1 here and 2 in the model.
        var dots = ByName(model, "dots");
        Assert.AreEqual(0, StyleSample.Distance(dots, Painted(model, "stripes", "dots")[1]));
        Assert.IsGreaterThan(0, StyleSample.Distance(dots, ByName(model, "stripes")));
    }

    [TestMethod]
    public void Names_ComeFromTheFiles()
    {
        using var sample = new FastStyleSample();
        using var folder = new TemporaryFolder();
        var path = folder.File("candy.v2.png");
        FastStyleSample.Dots().Save(path);
        using var model = Train(sample, o => (o.StylePaths, o.StyleImages, o.StyleNames, o.Epochs) = ([path], [StyleSample.Stripes()], null, 1));
        CollectionAssert.AreEqual(new[] { "candy.v2", "style2" }, model.StyleNames.ToArray());
    }

    [TestMethod]
    public void BadStyles_RefusedByColumnAndRow()
    {
        using var sample = new FastStyleSample();
        using var byName = Train(sample, o => (o.StyleColumnName, o.Epochs) = ("Style", 1));
        using var byShares = Train(sample, o => (o.StyleColumnName, o.Epochs) = ("Shares", 1));
        void Refused<T>(string text, Action action)
            where T : Exception => StringAssert.Contains(Assert.ThrowsExactly<T>(action).Message, text);
        Refused<FormatException>("Column 'Style', row 1 (the first row is 0): the value is 'waves', which the styles of the model does not have", () => Painted(byName, "dots", "waves"));
        Refused<FormatException>("Style column 'Style', row 1 (the first row is 0): the value is missing; it must be one of the styles, stripes, dots", () => Painted(byName, "dots", ""));
        Refused<ArgumentException>("Style column 'Style' has type String; it must be a key of the styles (stripes, dots), or a Vector<Single> of 2 shares.", () => FastStyleSample.Paint(_ml, byName, FastStyleSample.Content(3)));
        Refused<FormatException>("Style column 'Shares', row 0 (the first row is 0), slot 1: the value is -1; the share of a style ('dots') must be finite and at least 0", () => Mixed(byShares, 2, -1));
        Refused<FormatException>("slot 0: the value is NaN", () => Mixed(byShares, float.NaN, 1));
        Refused<FormatException>("Style column 'Shares', row 0 (the first row is 0): the sum of the shares is 0", () => Mixed(byShares, 0, 0));
        var keys = _ml.Data.LoadFromEnumerable([new KeyedRow { Image = FastStyleSample.Content(1), Style = 3 }]);
        Refused<ArgumentException>("Column 'Style': its keys have no values, but those of the styles of the model stand for stripes, dots", () => byName.Transform(keys));
        var shares = _ml.Data.LoadFromEnumerable([new ThreeShares { Image = FastStyleSample.Content(1) }]);
        Refused<ArgumentException>("Vector<Single> of 2 shares", () => byShares.Transform(shares));
        Refused<ArgumentException>("Column 'Shares' is not in the data", () => byShares.Transform(FastStyleSample.Contents(_ml)));
    }

    private FastStyleTransferTransformer Train(FastStyleSample sample, Action<FastStyleTransferEstimator.Options> change) =>
        _ml.Transforms.FastStyleTransfer(sample.TwoStyles(change)).Fit(FastStyleSample.Contents(_ml));

    private MLImage Mixed(FastStyleTransferTransformer model, params float[] shares) =>
        FastStyleSample.Paint(_ml, model, new StyledSample { Image = FastStyleSample.Content(3), Shares = shares })[0];

    private MLImage ByName(FastStyleTransferTransformer model, string style, int number = 3) => Painted(model, number, style)[0];

    private MLImage[] Painted(FastStyleTransferTransformer model, params string[] styles) => Painted(model, 3, styles);

    private MLImage[] Painted(FastStyleTransferTransformer model, int number, params string[] styles)
    {
        var rows = _ml.Data.LoadFromEnumerable(styles.Select(style => new StyledSample { Image = FastStyleSample.Content(number), Style = style }));
        return StyleSample.Read(model.Transform(_ml.Transforms.Conversion.MapValueToKey("Style").Fit(rows).Transform(rows)), "Styled");
    }

    private static double Gap(MLImage a, MLImage b) => StyleSample.Bytes(a).Zip(StyleSample.Bytes(b)).Average(pair => Math.Abs(pair.First - pair.Second));

    private sealed class KeyedRow
    {
        [Microsoft.ML.Transforms.Image.ImageType(PictureSample.Height, PictureSample.Width)]
        public MLImage? Image { get; set; }

        [KeyType(3)]
        public uint Style { get; set; }
    }

    private sealed class ThreeShares
    {
        [Microsoft.ML.Transforms.Image.ImageType(PictureSample.Height, PictureSample.Width)]
        public MLImage? Image { get; set; }

        [VectorType(3)]
        public float[] Shares { get; set; } = [1, 1, 1];
    }
}
