using System.Globalization;
using System.Security.Cryptography;
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
/// <param name="contents">The content pictures as rows.</param>
/// <param name="shape">Their size.</param>
/// <param name="styles">Where the styles come from.</param>
/// <param name="size">The most pictures of a batch; those of validation come in larger ones.</param>
internal sealed class StylePairs(IBatchSource<RowBatch> contents, ImageShape shape, StyleSource styles, int size) : IBatchSource<StylePairBatch>
{
    public long RowCount => contents.RowCount;

    public int BatchCount => contents.BatchCount;

    public long LeftOut => contents.LeftOut;

    public string? Checksum => contents.Checksum == null ? null : $"{contents.Checksum}; styles: {styles.Checksum}";

    public IEnumerable<StylePairBatch> ReadEpoch(int epoch)
    {
        using var drawn = styles.ReadEpoch(epoch, shape);
        foreach (var batch in contents.ReadEpoch(epoch))
        {
            using (batch)
            {
                for (var first = 0; first < batch.RowCount; first += size)
                {
                    var count = Math.Min(size, batch.RowCount - first);
                    yield return new StylePairBatch(count, batch.EpochFraction, PicturesIn(batch.Features, first, count, shape), drawn.Next(count));
                }
            }
        }
    }

    /// <summary>Some rows of features as pictures, which share their memory.</summary>
    public static Tensor PicturesIn(Tensor features, int first, int count, ImageShape shape)
    {
        using var scope = NewDisposeScope();
        return features.narrow(0, first, count).view(count, shape.Channels, shape.Height, shape.Width).DetachFromDisposeScope();
    }
}

/// <summary>Where the styles of a training come from.</summary>
internal abstract class StyleSource
{
    /// <summary>The checksum of the style pictures.</summary>
    public abstract string? Checksum { get; }

    /// <summary>The styles of an epoch: the same for the same epoch.</summary>
    /// <param name="epoch">The epoch; 0 in validation.</param>
    /// <param name="content">The size of the content pictures.</param>
    public abstract StyleDraws ReadEpoch(int epoch, ImageShape content);
}

/// <summary>The styles of an epoch, one batch after the other.</summary>
internal abstract class StyleDraws : IDisposable
{
    /// <summary>The styles of the next rows, as in <see cref="StylePairBatch.Styles"/>. The caller disposes them.</summary>
    public abstract Tensor[] Next(int rows);

    public virtual void Dispose()
    {
    }
}

/// <summary>Styles of a column of the same rows, in an order of their own.</summary>
/// <param name="rows">The style pictures, in batches of the same sizes as those of the content pictures.</param>
/// <param name="shape">Their size.</param>
internal sealed class ColumnStyles(IBatchSource<RowBatch> rows, ImageShape shape) : StyleSource
{
    public override string? Checksum => rows.Checksum;

    public override StyleDraws ReadEpoch(int epoch, ImageShape content) => new Draws(rows.ReadEpoch(epoch).GetEnumerator(), shape);

    private sealed class Draws(IEnumerator<RowBatch> batches, ImageShape shape) : StyleDraws
    {
        private RowBatch? _batch;
        private int _used;

        public override Tensor[] Next(int rows)
        {
            if (_batch == null || _used == _batch.RowCount)
            {
                _batch?.Dispose();
                _batch = null;
                if (!batches.MoveNext())
                    throw new InvalidOperationException("The style pictures end before the content pictures.");
                (_batch, _used) = (batches.Current, 0);
            }
            _used += rows;
            return [StylePairs.PicturesIn(_batch.Features, _used - rows, rows, shape)];
        }

        public override void Dispose()
        {
            _batch?.Dispose();
            batches.Dispose();
        }
    }
}

/// <summary>Styles that are given as pictures: each row gets one at random, cut at random to the size of the content if it is larger.</summary>
internal sealed class DrawnStyles(IReadOnlyList<StylePicture> pictures, int seed, Device device) : StyleSource
{
    public override string Checksum { get; } = ChecksumOf(pictures);

    public override StyleDraws ReadEpoch(int epoch, ImageShape content) => new Draws(pictures, new SplitMix64(SeedSequence.Derive(seed, SeedSequence.StylePairs, epoch)), content, device);

    private static string ChecksumOf(IReadOnlyList<StylePicture> pictures)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var picture in pictures)
            hash.AppendData(picture.Colors);
        return string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", pictures.Select(picture => FormattableString.Invariant($"{picture.Height} x {picture.Width}")))} of SHA-256 {Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }

    private sealed class Draws(IReadOnlyList<StylePicture> pictures, SplitMix64 random, ImageShape content, Device device) : StyleDraws
    {
        private SplitMix64 _random = random;

        public override Tensor[] Next(int rows)
        {
            using var scope = NewDisposeScope();
            var drawn = Enumerable.Range(0, rows).Select(_ => Draw()).ToArray();
            var whole = drawn.All(style => style.shape.SequenceEqual(drawn[0].shape)) ? [cat(drawn, 0)] : drawn;
            return Array.ConvertAll(whole, style => style.to(device).DetachFromDisposeScope());
        }

        private Tensor Draw()
        {
            var picture = pictures[_random.Next(pictures.Count)];
            var (height, width) = (Math.Min(picture.Height, content.Height), Math.Min(picture.Width, content.Width));
            var (top, left) = (_random.Next(picture.Height - height + 1), _random.Next(picture.Width - width + 1));
            return picture.Cut(top, left, height, width);
        }
    }
}
