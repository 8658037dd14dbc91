using System.Globalization;

namespace MLExtensions.Families.Gan;

/// <summary>Which pixels of an image are known and which are missing, in all channels alike.</summary>
internal sealed class InpaintingMask
{
    /// <summary>The side of the window in which missing pixels make a known one weigh more, in pixels (Yeh et al., 2017).</summary>
    public const int ContextWindow = 7;

    private readonly bool[] _isMissing;

    private InpaintingMask(int height, int width, bool[] isMissing)
    {
        (Height, Width, _isMissing) = (height, width, isMissing);
        NumberOfMissing = isMissing.Count(missing => missing);
    }

    public int Height { get; }

    public int Width { get; }

    public int NumberOfMissing { get; }

    /// <summary>Whether each pixel is missing, row by row.</summary>
    public ReadOnlySpan<bool> IsMissing => _isMissing;

    /// <summary>A hole in the middle.</summary>
    /// <param name="height">The height of the image, in pixels.</param>
    /// <param name="width">The width of the image, in pixels.</param>
    /// <param name="side">The side of the square hole, in pixels; null for half of each side of the image.</param>
    /// <exception cref="ArgumentOutOfRangeException">The hole is empty or larger than the image.</exception>
    public static InpaintingMask Center(int height, int width, int? side = null)
    {
        CheckSize(height, width);
        var (rows, columns) = (side ?? height / 2, side ?? width / 2);
        if (side is { } given && (given < 1 || given > Math.Min(height, width)))
            throw new ArgumentOutOfRangeException(nameof(side), given, string.Create(CultureInfo.InvariantCulture, $"The hole's side is {given} pixels; it must be from 1 to {Math.Min(height, width)}, the shorter side of the image."));
        var (top, left) = ((height - rows) / 2, (width - columns) / 2);
        return Where(height, width, (y, x) => y >= top && y < top + rows && x >= left && x < left + columns);
    }

    /// <summary>The right half is missing; the column in the middle of an odd width too.</summary>
    public static InpaintingMask RightHalf(int height, int width)
    {
        CheckSize(height, width);
        return Where(height, width, (_, x) => x >= width / 2);
    }

    /// <summary>Pixels at random places are missing.</summary>
    /// <param name="height">The height of the image, in pixels.</param>
    /// <param name="width">The width of the image, in pixels.</param>
    /// <param name="share">The share of missing pixels, from 0 to 1; the number is rounded to the nearest whole one.</param>
    /// <param name="seed">The seed of the places. The same seed gives the same mask.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not from 0 to 1.</exception>
    public static InpaintingMask Random(int height, int width, double share, int seed)
    {
        CheckSize(height, width);
        if (!(share is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, string.Create(CultureInfo.InvariantCulture, $"The share of missing pixels is {share}; it must be from 0 to 1."));
        var pixels = Enumerable.Range(0, checked(height * width)).ToArray();
        new SplitMix64(SeedSequence.Derive(seed, SeedSequence.InpaintingMask)).Shuffle(pixels);
        var isMissing = new bool[pixels.Length];
        foreach (var pixel in pixels.AsSpan(0, (int)Math.Round(share * pixels.Length)))
            isMissing[pixel] = true;
        return new InpaintingMask(height, width, isMissing);
    }

    /// <summary>A mask that is given: 1 for known pixels, 0 for missing ones, row by row.</summary>
    /// <exception cref="ArgumentException">There are more or fewer values than pixels, or a value is neither 0 nor 1.</exception>
    public static InpaintingMask Of(int height, int width, ReadOnlySpan<float> known)
    {
        CheckSize(height, width);
        if (known.Length != height * width)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The mask has {known.Length} values; the image has {height} x {width} = {height * width} pixels."), nameof(known));
        var bad = known.IndexOfAnyExcept(0f, 1f);
        if (bad >= 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The mask's value {bad} (row {bad / width}, column {bad % width} of the image) is {known[bad]}; a mask has 1 for known pixels and 0 for missing ones."), nameof(known));
        var isMissing = new bool[known.Length];
        for (var i = 0; i < isMissing.Length; i++)
            isMissing[i] = known[i] == 0;
        return new InpaintingMask(height, width, isMissing);
    }

    /// <summary>
    /// The weight of each pixel in the context loss: for a known one the share of missing pixels in the window around it, so that what is near
    /// the hole counts; 0 for a missing one. Beyond its border the image is mirrored (Yeh et al., "Semantic image inpainting with deep
    /// generative models", 2017, and the published code of it).
    /// </summary>
    public float[] ContextWeights()
    {
        var alongRows = new int[_isMissing.Length];
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
                alongRows[(y * Width) + x] = Sum(x, Width, other => _isMissing[(y * Width) + other] ? 1 : 0);
        }
        var weights = new float[_isMissing.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            var x = i % Width;
            if (!_isMissing[i])
                weights[i] = Sum(i / Width, Height, other => alongRows[(other * Width) + x]) / (float)(ContextWindow * ContextWindow);
        }
        return weights;
    }

    private static InpaintingMask Where(int height, int width, Func<int, int, bool> isMissing) =>
        new(height, width, Enumerable.Range(0, checked(height * width)).Select(i => isMissing(i / width, i % width)).ToArray());

    private static void CheckSize(int height, int width)
    {
        if (height < 1 || width < 1)
            throw new ArgumentOutOfRangeException(nameof(height), string.Create(CultureInfo.InvariantCulture, $"The image is {height} x {width} pixels; each side must be at least 1."));
    }

    /// <summary>The sum over the window around a place on a line that is mirrored at its ends, the last value included: 1 0 | 0 1 2.</summary>
    private static int Sum(int at, int length, Func<int, int> value)
    {
        var sum = 0;
        for (var step = -ContextWindow / 2; step <= ContextWindow / 2; step++)
        {
            var place = (((at + step) % (2 * length)) + (2 * length)) % (2 * length);
            sum += value(place < length ? place : (2 * length) - 1 - place);
        }
        return sum;
    }
}
