using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tensors;

/// <summary>A column that networks add to rows, computed from some of their outputs for a row.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Width">The number of outputs that it uses.</param>
internal abstract record OutputColumn(string Name, DataViewType Type, int Width)
{
    /// <summary>What the column says of its values, such as the names of keys; null for nothing.</summary>
    public virtual DataViewSchema.Annotations? Annotations => null;

    /// <summary>The column in a schema shape.</summary>
    public SchemaShape.Column Shape => new(
        Name,
        Type is VectorDataViewType ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.Scalar,
        Type is KeyDataViewType ? NumberDataViewType.UInt32 : (Type as VectorDataViewType)?.ItemType ?? Type,
        isKey: Type is KeyDataViewType);

    /// <summary>Returns the getter of the column's value in the current row.</summary>
    /// <param name="source">The outputs for the row.</param>
    /// <param name="first">The index of the first output of the column.</param>
    public abstract Delegate CreateGetter(ScoreSource source, int first);

    /// <summary>Writes how the column comes from the outputs as ONNX operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="columns">Takes the column.</param>
    /// <param name="values">The outputs of the column, <c>[rows, Width]</c>.</param>
    /// <exception cref="NotSupportedException">ONNX has no values of its type; the message names the column.</exception>
    public virtual void Write(GraphWriter graph, OnnxColumns columns, string values) => graph.Node("Identity", values, output: columns.Add(Name, Type));

    /// <summary>A number, unchanged.</summary>
    public static OutputColumn Number(string name) => new NumberColumn(name);

    /// <summary>A vector, unchanged.</summary>
    public static OutputColumn Vector(string name, int count, DataViewSchema.Annotations? annotations = null) => new VectorColumn(name, new VectorDataViewType(NumberDataViewType.Single, count), annotations);

    /// <summary>A vector with dimensions, unchanged.</summary>
    public static OutputColumn Vector(string name, VectorDataViewType type) => new VectorColumn(name, type, null);

    /// <summary>A key: the position of the largest of several values, the first one if there are ties.</summary>
    public static OutputColumn LargestOf(string name, int count) => new KeyColumn(name, count);

    /// <summary>A text, created from values.</summary>
    public static OutputColumn Text(string name, int width, Func<ReadOnlyMemory<float>, string> write) => new TextColumn(name, width, write);

    /// <summary>An image, created from planar values from 0 to 255: red, green and blue, or only gray.</summary>
    public static OutputColumn Image(string name, int channels, int height, int width) => new ImageColumn(name, channels, height, width);

    private sealed record NumberColumn(string Name) : OutputColumn(Name, NumberDataViewType.Single, 1)
    {
        public override Delegate CreateGetter(ScoreSource source, int first)
        {
            ValueGetter<float> getter = (ref float destination) => destination = source.Current()[first];
            return getter;
        }
    }

    private sealed record VectorColumn(string Name, VectorDataViewType Vectors, DataViewSchema.Annotations? Said) : OutputColumn(Name, Vectors, Vectors.Size)
    {
        public override DataViewSchema.Annotations? Annotations => Said;

        public override void Write(GraphWriter graph, OnnxColumns columns, string values)
        {
            long[] shape = [-1, .. Vectors.Dimensions];
            graph.Node("Reshape", [values, graph.Numbers(shape)], output: columns.Add(Name, Vectors));
        }

        public override Delegate CreateGetter(ScoreSource source, int first)
        {
            ValueGetter<VBuffer<float>> getter = (ref VBuffer<float> destination) =>
            {
                var editor = VBufferEditor.Create(ref destination, Width);
                source.Current().Slice(first, Width).CopyTo(editor.Values);
                destination = editor.Commit();
            };
            return getter;
        }
    }

    private sealed record KeyColumn(string Name, int Width) : OutputColumn(Name, new KeyDataViewType(typeof(uint), Width), Width)
    {
        public override void Write(GraphWriter graph, OnnxColumns columns, string values) => graph.LargestKey(values, columns.Add(Name, Type));

        public override Delegate CreateGetter(ScoreSource source, int first)
        {
            ValueGetter<uint> getter = (ref uint destination) =>
            {
                var values = source.Current().Slice(first, Width);
                var largest = 0;
                for (var i = 1; i < values.Length; i++)
                {
                    if (values[i] > values[largest])
                        largest = i;
                }
                destination = (uint)largest + 1; // 0 is a missing key
            };
            return getter;
        }
    }

    private sealed record TextColumn(string Name, int Width, Func<ReadOnlyMemory<float>, string> Compose) : OutputColumn(Name, TextDataViewType.Instance, Width)
    {
        public override Delegate CreateGetter(ScoreSource source, int first)
        {
            ValueGetter<ReadOnlyMemory<char>> getter = (ref ReadOnlyMemory<char> destination) =>
                destination = Compose(source.Current().Slice(first, Width).ToArray()).AsMemory();
            return getter;
        }
    }

    private sealed record ImageColumn(string Name, int Channels, int Height, int Columns) : OutputColumn(Name, new ImageDataViewType(Height, Columns), checked(Channels * Height * Columns))
    {
        public override Delegate CreateGetter(ScoreSource source, int first)
        {
            ValueGetter<MLImage> getter = (ref MLImage destination) =>
            {
                destination?.Dispose();
                destination = ToImage(source.Current().Slice(first, Width));
            };
            return getter;
        }

        private MLImage ToImage(ReadOnlySpan<float> values)
        {
            var plane = Height * Columns;
            var pixels = new byte[plane * 4];
            for (var pixel = 0; pixel < plane; pixel++)
            {
                for (var channel = 0; channel < 3; channel++)
                {
                    var value = values[((Channels == 1 ? 0 : 2 - channel) * plane) + pixel];
                    pixels[(pixel * 4) + channel] = (byte)Math.Clamp(MathF.Round(value), 0, 255);
                }
                pixels[(pixel * 4) + 3] = 255;
            }
            return MLImage.CreateFromPixels(Columns, Height, MLPixelFormat.Bgra32, pixels);
        }
    }
}
