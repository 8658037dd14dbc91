using MLExtensions.Plotting;
using SkiaSharp;

namespace MLExtensions.Tests.Plotting;

/// <summary>Vertical writing. Hebrew letters stand for Chinese ones, because fonts that have those are on few machines.</summary>
[TestClass]
public sealed class PoemPictureTests
{
    private const string Letters = "אבגדה";

    [TestMethod]
    public void Lines_AreColumnsFromRightToLeft()
    {
        if (PictureFont.Best(Letters, SKFontManager.Default.FontFamilies).Missing.Count > 0)
            Assert.Inconclusive("No installed font has Hebrew letters.");
        using var folder = new TemporaryFolder();
        var path = folder.File("deep/poems.png");
        PoemPicture.SavePng(path, ["א，אבגדה。אבגדה，אבגדה。", "אבגדה，אבגדה。אבגדה，אבגדה。"], characterSize: 20);
        using var picture = SKBitmap.Decode(path);
        // Two frames of four columns of 32 pixels and a margin of 16 each, and one more.
        Assert.AreEqual((304, 155), (picture.Width, picture.Height));
        var ink = Enumerable.Range(0, 4).Select(line => Ink(picture, 304 - 16 - (32 * (line + 1)) + 2, 28)).ToArray();
        Assert.IsInRange(1, ink[1] / 2, ink[0]);
        Assert.AreEqual(ink[1], ink[2], ink[1] / 10);
        Assert.AreEqual(ink[2], ink[3], ink[1] / 10);
    }

    [TestMethod]
    public void CharactersWithoutFont_AreNamed()
    {
        using var folder = new TemporaryFolder();
        var message = Assert.Throws<InvalidOperationException>(() => PoemPicture.SavePng(folder.File("poems.png"), ["\U0002A6A5"])).Message;
        StringAssert.Contains(message, "\U0002A6A5");
        StringAssert.Contains(message, "fonts-noto-cjk");
        Assert.IsFalse(File.Exists(folder.File("poems.png")));
        Assert.Throws<ArgumentException>(() => PoemPicture.SavePng(folder.File("poems.png"), []));
        Assert.Throws<ArgumentException>(() => PoemPicture.SavePng(folder.File("poems.png"), ["א"], titles: ["א", "ב"]));
        Assert.Throws<FileNotFoundException>(() => PoemPicture.SavePng(folder.File("poems.png"), ["א"], fontPath: folder.File("none.ttf")));
        Assert.Throws<ArgumentOutOfRangeException>(() => PoemPicture.SavePng(folder.File("poems.png"), ["א"], characterSize: 4));
    }

    /// <summary>The number of dark pixels in some columns.</summary>
    private static int Ink(SKBitmap picture, int left, int width)
    {
        var count = 0;
        for (var x = left; x < left + width; x++)
        {
            for (var y = 20; y < picture.Height - 20; y++)
                count += picture.GetPixel(x, y) is { Red: < 120, Green: < 100 } ? 1 : 0;
        }
        return count;
    }
}
