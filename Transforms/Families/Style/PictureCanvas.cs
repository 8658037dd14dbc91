using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>How the numbers that are optimized, from 0 to 1, become a picture from 0 to 255.</summary>
internal abstract class PictureCanvas(Tensor content, Tensor? mask)
{
    /// <summary>The largest value of a pixel.</summary>
    protected const double Largest = 255;

    // ITU-R BT.601.
    private static readonly float[] Luma = [.299f, .587f, .114f];

    /// <summary>The content picture <c>[1, 3, height, width]</c>.</summary>
    protected Tensor Content => content;

    /// <summary>The content picture as the network is to see it.</summary>
    public abstract Tensor ContentSeen { get; }

    /// <summary>Creates the canvas of a content picture.</summary>
    /// <param name="content">The content picture <c>[1, 3, height, width]</c> from 0 to 255.</param>
    /// <param name="mask">1 where the style is to be, 0 where the content picture stays, <c>[1, 1, height, width]</c>; null for 1 everywhere.</param>
    /// <param name="preserveColors">Whether only the luminance changes.</param>
    public static PictureCanvas Of(Tensor content, Tensor? mask, bool preserveColors) =>
        preserveColors ? new LuminanceCanvas(content, mask) : new ColorCanvas(content, mask);

    /// <summary>The luminance <c>[1, 1, height, width]</c> of pictures.</summary>
    public static Tensor LuminanceOf(Tensor pictures)
    {
        var weights = tensor(Luma, [1, Luma.Length, 1, 1], ScalarType.Float32, CPU);
        return pictures.mul(weights).sum(1, keepdim: true);
    }

    /// <summary>The numbers of a picture to start with.</summary>
    public abstract Tensor NumbersOf(Tensor picture);

    /// <summary>Keeps numbers in the range that gives pixels from 0 to 255.</summary>
    public abstract void Clamp(Tensor numbers);

    /// <summary>The picture as the network is to see it.</summary>
    public abstract Tensor Seen(Tensor numbers);

    /// <summary>The finished picture.</summary>
    public abstract Tensor Finished(Tensor numbers);

    /// <summary>What a style picture has to look like to be compared; null for what it is.</summary>
    public virtual Func<Tensor, Tensor>? StyleSeen => null;

    /// <summary>Puts what the mask protects back.</summary>
    protected Tensor Masked(Tensor picture, Tensor original) => mask is null ? picture : original.lerp(picture, mask);

    /// <summary>All colors change.</summary>
    private sealed class ColorCanvas(Tensor content, Tensor? mask) : PictureCanvas(content, mask)
    {
        public override Tensor ContentSeen => Content;

        public override Tensor NumbersOf(Tensor picture) => picture.div(Number.Of(Largest));

        public override void Clamp(Tensor numbers) => numbers.clamp_(Number.Zero, Number.One);

        public override Tensor Seen(Tensor numbers) => Masked(numbers.mul(Number.Of(Largest)), Content);

        public override Tensor Finished(Tensor numbers) => Seen(numbers);
    }

    /// <summary>
    /// Only the luminance changes: all three values of a pixel by the same amount, which leaves the color differences. The luminance is kept
    /// where no value has to be cut off, for that would change them.
    /// </summary>
    private sealed class LuminanceCanvas : PictureCanvas
    {
        private readonly Tensor _colors;
        private readonly Tensor _luminance;
        private readonly Tensor _least;
        private readonly Tensor _greatest;

        public LuminanceCanvas(Tensor content, Tensor? mask)
            : base(content, mask)
        {
            _luminance = LuminanceOf(content);
            _colors = content.sub(_luminance);
            _least = _colors.amin([1], keepdim: true).neg().div(Number.Of(Largest));
            _greatest = _colors.amax([1], keepdim: true).neg().add(Number.Of(Largest), Number.One).div(Number.Of(Largest));
        }

        public override Tensor ContentSeen => Gray(_luminance);

        public override Func<Tensor, Tensor> StyleSeen => style =>
        {
            var luminance = LuminanceOf(style);
            var (mean, deviation) = (luminance.mean(), luminance.std(unbiased: false).clamp_min(Number.Of(1e-3)));
            return Gray(luminance.sub(mean).mul(_luminance.std(unbiased: false).div(deviation)).add(_luminance.mean(), Number.One));
        };

        public override Tensor NumbersOf(Tensor picture) => LuminanceOf(picture).div(Number.Of(Largest));

        public override void Clamp(Tensor numbers) => numbers.copy_(numbers.maximum(_least).minimum(_greatest));

        public override Tensor Seen(Tensor numbers) => Gray(Changed(numbers));

        public override Tensor Finished(Tensor numbers) => Changed(numbers).add(_colors, Number.One);

        private static Tensor Gray(Tensor luminance) => luminance.expand(-1, 3, -1, -1);

        private Tensor Changed(Tensor numbers) => Masked(numbers.mul(Number.Of(Largest)), _luminance);
    }
}
