using System.Globalization;
using System.Security.Cryptography;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>Content pictures, and a style picture for each.</summary>
/// <param name="rowCount">The number of content pictures.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch, in [0, 1).</param>
/// <param name="content"><c>[rows, 3, height, width]</c> from 0 to 255, on the training device.</param>
/// <param name="styles">The style pictures in the order of the rows: one tensor of all if they have one size, or one for each.</param>
internal sealed class StylePairBatch(int rowCount, double epochFraction, Tensor content, Tensor[] styles) : Batch(rowCount, epochFraction)
{
    public Tensor Content => content;

    public IReadOnlyList<Tensor> Styles => styles;

    public override void Dispose()
    {
        content.Dispose();
        foreach (var style in styles)
            style.Dispose();
    }
}

/// <summary>Pairs content pictures with style pictures.</summary>
/// <param name="rows">The rows: content pictures, perhaps with a style picture behind each.</param>
/// <param name="shape">The size of the content pictures.</param>
/// <param name="styles">Where the styles come from.</param>
/// <param name="size">The most pictures of a batch; those of validation come in larger ones.</param>
internal sealed class StylePairs(IBatchSource<RowBatch> rows, ImageShape shape, StyleSource styles, int size) : IBatchSource<StylePairBatch>
{
    public long RowCount => rows.RowCount;

    public int BatchCount => rows.BatchCount;

    public long LeftOut => rows.LeftOut;

    public Share Share => rows.Share;

    public string? Checksum => rows.Checksum;

    public IEnumerable<StylePairBatch> ReadEpoch(int epoch)
    {
        var drawn = styles.ReadEpoch(epoch);
        foreach (var batch in rows.ReadEpoch(epoch))
        {
            using (batch)
            {
                for (var first = 0; first < batch.RowCount; first += size)
                {
                    var count = Math.Min(size, batch.RowCount - first);
                    using var scope = NewDisposeScope();
                    var features = batch.Features.narrow(0, first, count);
                    var content = PicturesIn(features, 0, shape).DetachFromDisposeScope();
                    yield return new StylePairBatch(count, batch.EpochFraction, content, Array.ConvertAll(drawn.Next(features), style => style.DetachFromDisposeScope()));
                }
            }
        }
    }

    /// <summary>Values of rows of features as pictures, which share their memory.</summary>
    public static Tensor PicturesIn(Tensor features, long first, ImageShape shape) =>
        features.narrow(1, first, shape.Count).view(features.shape[0], shape.Channels, shape.Height, shape.Width);
}

/// <summary>Where the styles of a training come from.</summary>
internal abstract class StyleSource
{
    /// <summary>The styles of an epoch: the same for the same epoch.</summary>
    /// <param name="epoch">The epoch; 0 in validation.</param>
    public abstract StyleDraws ReadEpoch(int epoch);
}

/// <summary>The styles of an epoch, one batch after the other.</summary>
internal abstract class StyleDraws
{
    /// <summary>The styles of the next rows, as in <see cref="StylePairBatch.Styles"/>.</summary>
    public abstract Tensor[] Next(Tensor features);
}

/// <summary>Styles of the rows themselves, exchanged at random between the rows of a batch; in validation each row keeps its own.</summary>
/// <param name="first">Where the style picture of a row begins.</param>
/// <param name="shape">Its size.</param>
/// <param name="seed">The seed.</param>
internal sealed class RowStyles(long first, ImageShape shape, int seed) : StyleSource
{
    public override StyleDraws ReadEpoch(int epoch) => new Draws(first, shape, epoch == 0 ? null : new SplitMix64(SeedSequence.Derive(seed, SeedSequence.StylePairs, epoch)));

    private sealed class Draws(long first, ImageShape shape, SplitMix64? random) : StyleDraws
    {
        public override Tensor[] Next(Tensor features)
        {
            var own = StylePairs.PicturesIn(features, first, shape);
            if (random is not { } generator)
                return [own];
            var order = Enumerable.Range(0, (int)features.shape[0]).ToArray();
            generator.Shuffle(order);
            random = generator;
            return [own.index_select(0, tensor(Array.ConvertAll(order, row => (long)row), ScalarType.Int64, features.device))];
        }
    }
}

/// <summary>Styles that are given as pictures: each row gets one at random, cut at random to the size of the content if it is larger.</summary>
internal sealed class DrawnStyles(IReadOnlyList<StylePicture> pictures, ImageShape content, int seed, Device device, Share share) : StyleSource
{
    public override StyleDraws ReadEpoch(int epoch) => new Draws(pictures, new SplitMix64(SeedSequence.Derive(seed, SeedSequence.StylePairs, epoch)), content, device, epoch == 0 ? Share.Whole : share);

    /// <summary>The sizes and the SHA-256 of style pictures.</summary>
    public static string ChecksumOf(IReadOnlyList<StylePicture> pictures)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var picture in pictures)
            hash.AppendData(picture.Colors);
        return string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", pictures.Select(picture => FormattableString.Invariant($"{picture.Height} x {picture.Width}")))} of SHA-256 {Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }

    private sealed class Draws(IReadOnlyList<StylePicture> pictures, SplitMix64 random, ImageShape content, Device device, Share share) : StyleDraws
    {
        private SplitMix64 _random = random;

        public override Tensor[] Next(Tensor features)
        {
            var drawn = Array.ConvertAll(share.Draw((int)features.shape[0], Draw), style => style.Picture.Cut(style.Top, style.Left, style.Height, style.Width));
            var whole = drawn.All(style => style.shape.SequenceEqual(drawn[0].shape)) ? [cat(drawn, 0)] : drawn;
            return Array.ConvertAll(whole, style => style.to(device));
        }

        private (StylePicture Picture, int Top, int Left, int Height, int Width) Draw()
        {
            var picture = pictures[_random.Next(pictures.Count)];
            var (height, width) = (Math.Min(picture.Height, content.Height), Math.Min(picture.Width, content.Width));
            var (top, left) = (_random.Next(picture.Height - height + 1), _random.Next(picture.Width - width + 1));
            return (picture, top, left, height, width);
        }
    }
}
