using System.Text;
using MLExtensions.Families.Quatrains;
using MLExtensions.Persistence;
using MLExtensions.Plotting;
using MLExtensions.Training;
using SkiaSharp;

namespace MLExtensions;

/// <summary>Draws Chinese poems in vertical writing: characters from top to bottom, lines from right to left.</summary>
public static class PoemPicture
{
    private const int MostPoems = 100;
    private const float LineWidth = 1.5f;
    private static readonly SKColor Paper = new(250, 245, 230);
    private static readonly SKColor Ink = new(30, 25, 20);
    private static readonly SKColor Ruling = new(190, 120, 100);

    /// <summary>Saves poems side by side, the first one at the right, each in a frame with a column per line.</summary>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="poems">The poems, 1 to 100. Their lines are divided by anything that is no letter, which is not drawn.</param>
    /// <param name="titles">A title for each poem, written small at its right; null for none.</param>
    /// <param name="fontPath">A font file (.ttf, .otf, .ttc) with the characters; null for one of the system.</param>
    /// <param name="characterSize">The size of a character in pixels, 8 to 200. Default 40.</param>
    /// <exception cref="InvalidOperationException">No font has the characters; the message says which and what to install.</exception>
    /// <exception cref="ArgumentException">There are no poems, too many, or not as many titles.</exception>
    /// <exception cref="FileNotFoundException">There is no such font file.</exception>
    public static void SavePng(string path, IReadOnlyList<string> poems, IReadOnlyList<string>? titles = null, string? fontPath = null, int characterSize = 40)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(poems);
        OptionCheck.Between(characterSize, 8, 200, nameof(characterSize));
        if (poems.Count is 0 or > MostPoems)
            throw new ArgumentException(FormattableString.Invariant($"There are {poems.Count} poems; a picture has 1 to {MostPoems}."), nameof(poems));
        if (titles != null && titles.Count != poems.Count)
            throw new ArgumentException(FormattableString.Invariant($"There are {titles.Count} titles for {poems.Count} poems."), nameof(titles));
        var columns = poems.Select(poem => QuatrainText.Lines(poem).Select(line => QuatrainText.Text(line)).ToArray()).ToArray();
        using var typeface = FindFont(string.Concat(columns.SelectMany(lines => lines).Concat(titles ?? [])), fontPath);
        var png = Draw(columns, titles, typeface, characterSize);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    private static SKTypeface FindFont(string text, string? fontPath)
    {
        if (fontPath != null && !File.Exists(fontPath))
            throw new FileNotFoundException($"The font '{fontPath}' does not exist.", fontPath);
        SKTypeface typeface;
        IReadOnlyList<Rune> missing;
        if (fontPath == null)
        {
            (var name, missing) = PictureFont.Best(text, SKFontManager.Default.FontFamilies.Order(StringComparer.OrdinalIgnoreCase));
            typeface = SKTypeface.FromFamilyName(name);
        }
        else
        {
            typeface = SKTypeface.FromFile(fontPath) ?? throw new InvalidOperationException($"'{fontPath}' is no font that can be read.");
            missing = [.. text.EnumerateRunes().Where(QuatrainText.IsCharacter).Distinct().Where(character => typeface.GetGlyph(character.Value) == 0)];
        }
        if (missing.Count == 0)
            return typeface;
        typeface.Dispose();
        throw new InvalidOperationException(FormattableString.Invariant($"{(fontPath == null ? "No installed font" : $"'{fontPath}'")} has {string.Join(", ", missing.Take(10))}{(missing.Count > 10 ? FormattableString.Invariant($" and {missing.Count - 10} more characters") : "")}. Install one of Chinese, such as Debian's packages fonts-arphic-uming or fonts-noto-cjk, or name a font file."));
    }

    private static byte[] Draw(string[][] poems, IReadOnlyList<string>? titles, SKTypeface typeface, int size)
    {
        var (columnWidth, step, margin) = (size * 1.6f, size * 1.15f, size * 0.8f);
        var longest = poems.Max(lines => lines.Max(line => (int?)Length(line)) ?? 0);
        var titleSize = size * 0.6f;
        var width = poems.Sum(lines => WidthOf(lines.Length)) + margin;
        var height = (longest * step) + (2 * margin) + (size * 0.4f);
        if (Math.Max(width, height) > Picture.LargestSide)
            throw new ArgumentException(FormattableString.Invariant($"The picture would have {width:0} x {height:0} pixels; a side must have at most {Picture.LargestSide}. Draw fewer poems or smaller characters."), nameof(poems));
        using var bitmap = new SKBitmap((int)Math.Ceiling(width), (int)Math.Ceiling(height));
        bitmap.Erase(Paper);
        using (var canvas = new SKCanvas(bitmap))
        using (var ink = new SKPaint { Color = Ink, IsAntialias = true })
        using (var ruling = new SKPaint { Color = Ruling, StrokeWidth = LineWidth, IsStroke = true, IsAntialias = true })
        using (var font = new SKFont(typeface, size))
        using (var small = new SKFont(typeface, titleSize))
        {
            var right = width - margin;
            for (var poem = 0; poem < poems.Length; poem++)
            {
                var block = WidthOf(poems[poem].Length) - margin;
                canvas.DrawRect(right - block, margin, block, height - (2 * margin), ruling);
                var x = right - (columnWidth / 2);
                if (titles != null)
                    Write(titles[poem], small, titleSize * 1.15f);
                foreach (var line in poems[poem])
                    Write(line, font, step);
                right -= block + margin;

                void Write(string text, SKFont with, float down)
                {
                    var y = margin + (size * 0.2f);
                    foreach (var character in text.EnumerateRunes().Where(QuatrainText.IsCharacter))
                    {
                        y += down;
                        canvas.DrawText(character.ToString(), x, y - (down * 0.2f), SKTextAlign.Center, with, ink);
                    }
                    x -= columnWidth;
                    if (x > right - block)
                        canvas.DrawLine(x + (columnWidth / 2), margin, x + (columnWidth / 2), height - margin, ruling);
                }
            }
        }
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return encoded.ToArray();

        float WidthOf(int lines) => ((lines + (titles == null ? 0 : 1)) * columnWidth) + margin;
    }

    private static int Length(string line) => line.EnumerateRunes().Count();
}
