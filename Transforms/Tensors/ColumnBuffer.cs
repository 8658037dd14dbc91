using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML;

namespace MLExtensions.Tensors;

/// <summary>The values of one column in a block of rows that was read ahead.</summary>
internal abstract class ColumnBuffer
{
    private static readonly MethodInfo CreateMethod = typeof(ColumnBuffer).GetMethod(nameof(CreateTyped), BindingFlags.NonPublic | BindingFlags.Static)!;
    private protected static readonly MethodInfo VectorGetterMethod = typeof(ColumnBuffer).GetMethod(nameof(VectorGetter), BindingFlags.NonPublic | BindingFlags.Static)!;

    public static ColumnBuffer Create(DataViewRow input, DataViewSchema.Column column, int capacity) =>
        column.Type is ImageDataViewType
            ? ImageColumnBuffer.Of(input, column, capacity)
            : (ColumnBuffer)CreateMethod.MakeGenericMethod(column.Type.RawType).Invoke(null, [input, column, capacity])!;

    /// <summary>Whether values of a type can be stored.</summary>
    public static bool CanKeep(DataViewType type) => type.IsCacheable() || type is ImageDataViewType;

    /// <summary>Stores the current value of the input at a position of the block.</summary>
    /// <returns>The number of bytes of the value if it can be large.</returns>
    public abstract long Keep(int position);

    /// <summary>Returns a getter of the value at the position that <paramref name="position"/> returns.</summary>
    public abstract Delegate Getter(Func<int> position);

    private static ColumnBuffer CreateTyped<T>(DataViewRow input, DataViewSchema.Column column, int capacity) =>
        new ColumnBuffer<T>(input.GetGetter<T>(column), column.Type, capacity);

    private protected static ValueGetter<VBuffer<T>> VectorGetter<T>(VBuffer<T>[] values, Func<int> position) =>
        (ref VBuffer<T> destination) => values[position()].CopyTo(ref destination);
}

/// <summary>Values that are stored unchanged.</summary>
internal sealed class ColumnBuffer<T>(ValueGetter<T> getter, DataViewType type, int capacity) : ColumnBuffer
{
    private readonly T[] _values = new T[capacity];

    public ReadOnlyMemory<T> Memory => _values;

    public override long Keep(int position)
    {
        getter(ref _values[position]);
        return _values[position] is ReadOnlyMemory<char> text ? text.Length * sizeof(char) : 0;
    }

    public override Delegate Getter(Func<int> position)
    {
        // The memory of a vector belongs to the buffer, so return a copy, as ML.NET's own getters do.
        if (type is VectorDataViewType vector)
            return (Delegate)VectorGetterMethod.MakeGenericMethod(vector.ItemType.RawType).Invoke(null, [_values, position])!;
        ValueGetter<T> get = (ref T destination) => destination = _values[position()];
        return get;
    }
}

/// <summary>Copies of the images of a column, because the source may reuse or dispose its own.</summary>
/// <param name="current">The input's current image.</param>
internal sealed class ImageColumnBuffer(Func<MLImage?> current, int capacity) : ColumnBuffer
{
    private readonly KeptImage?[] _images = new KeptImage?[capacity];

    public static ImageColumnBuffer Of(DataViewRow input, DataViewSchema.Column column, int capacity) =>
        new(ImageGetter.Of(input, column).Read, capacity);

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
            destination?.Dispose(); // as in ML.NET's own getters: the caller returned the previous image
            destination = _images[position()]?.ToImage()!;
        };
        return get;
    }

    private sealed record KeptImage(int Width, int Height, MLPixelFormat Format, string? Tag, byte[] Pixels, int Size)
    {
        /// <param name="memory">Memory to reuse if it fits.</param>
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
