using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Scoring;

/// <summary>Copies of a column's images; the source reuses its own from row to row.</summary>
/// <param name="current">The input's current image.</param>
internal sealed class ImageColumnBuffer(Func<MLImage?> current, int capacity) : ColumnBuffer
{
    private readonly KeptImage?[] _images = new KeptImage?[capacity];

    public static ImageColumnBuffer Of(DataViewRow input, DataViewSchema.Column column, int capacity)
    {
        var getter = input.GetGetter<MLImage>(column);
        MLImage? image = null;
        return new ImageColumnBuffer(Current, capacity);

        MLImage? Current()
        {
            getter(ref image!);
            return image;
        }
    }

    public override long Keep(int position)
    {
        var image = current();
        _images[position] = image == null ? null : KeptImage.CopyOf(image, _images[position]?.Pixels);
        return image == null ? 0 : image.Pixels.Length;
    }

    public override Delegate Getter(Func<int> position)
    {
        ValueGetter<MLImage> get = (ref MLImage destination) =>
        {
            destination?.Dispose(); // as ML.NET's own getters do: the caller gave the last image back
            destination = _images[position()]?.ToImage()!;
        };
        return get;
    }

    private sealed record KeptImage(int Width, int Height, MLPixelFormat Format, string? Tag, byte[] Pixels, int Size)
    {
        /// <param name="memory">Used again where it fits.</param>
        public static KeptImage CopyOf(MLImage image, byte[]? memory)
        {
            var pixels = image.Pixels;
            if (memory == null || memory.Length < pixels.Length || memory.Length / 2 > pixels.Length)
                memory = new byte[pixels.Length];
            pixels.CopyTo(memory);
            return new KeptImage(image.Width, image.Height, image.PixelFormat, image.Tag, memory, pixels.Length);
        }

        public MLImage ToImage()
        {
            var image = MLImage.CreateFromPixels(Width, Height, Format, Pixels.AsSpan(0, Size));
            image.Tag = Tag;
            return image;
        }
    }
}
