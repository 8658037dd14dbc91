using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLExtensions.Tensors;

/// <summary>
/// Products of small matrices in host memory, on the calling thread: six rows and two registers of columns at a time. libtorch takes about
/// as long to begin as such a product needs, and does not use the widest registers on every processor. The bits do not depend on the number
/// of threads.
/// </summary>
internal static unsafe class MatrixProduct
{
    // Six times two sums, two loads and a factor are as many registers as AVX2 has.
    private const int TileRows = 6;

    /// <summary>
    /// Whether registers are wide enough that this was measured to be faster than libtorch; processors with narrow ones have matrix units of
    /// their own that libraries know.
    /// </summary>
    public static bool IsFast => Vector.IsHardwareAccelerated && Vector<float>.Count >= Vector256<float>.Count;

    /// <summary>The floats of two registers: columns are computed in such groups.</summary>
    public static int Group => 2 * (Vector512.IsHardwareAccelerated ? WideRegister.Width : Register.Width);

    /// <summary>Computes <c>product = left x right + biases</c>.</summary>
    /// <param name="left">The left matrix, rows by depth, in any order.</param>
    /// <param name="right">
    /// The right matrix, depth by columns, row by row. What lies behind a row is read up to a multiple of <see cref="Group"/> columns, but not
    /// used.
    /// </param>
    /// <param name="product">The product, rows by columns, row by row; it does not overlap the others.</param>
    /// <param name="biases">What is added to each row; null for nothing.</param>
    public static void Compute(in StridedMatrix left, in StridedMatrix right, in StridedMatrix product, float* biases = null)
    {
        if (Vector512.IsHardwareAccelerated)
            Compute<WideRegister>(left, right, product, biases);
        else
            Compute<Register>(left, right, product, biases);
    }

    private static void Compute<T>(in StridedMatrix left, in StridedMatrix right, in StridedMatrix product, float* biases)
        where T : struct, IRegister<T>
    {
        var group = 2 * T.Width;
        var rest = stackalloc float[TileRows * group];
        var starts = stackalloc float[TileRows];
        new Span<float>(starts, TileRows).Clear();
        // A group of columns of the right matrix stays in the first cache while the left matrix passes.
        for (var column = 0; column < product.Columns; column += group)
        {
            var columns = Math.Min(group, product.Columns - column);
            for (var row = 0; row < product.Rows; row += TileRows)
            {
                var rows = Math.Min(TileRows, product.Rows - row);
                if (biases != null)
                    new ReadOnlySpan<float>(biases + row, rows).CopyTo(new Span<float>(starts, rows));
                var to = product.At(row, column);
                if (columns == group)
                {
                    ComputeTile<T>(left, row, rows, right.At(0, column), right.RowStride, starts, to, product.RowStride);
                    continue;
                }
                ComputeTile<T>(left, row, rows, right.At(0, column), right.RowStride, starts, rest, group);
                for (var i = 0; i < rows; i++)
                    new ReadOnlySpan<float>(rest + (i * group), columns).CopyTo(new Span<float>(to + (i * product.RowStride), columns));
            }
        }
    }

    /// <summary>Rows that are not there are computed as the last one once more, and stored at its place.</summary>
    /// <remarks>Optimized at once: until the runtime finds that it is called often, a short training would be over.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ComputeTile<T>(in StridedMatrix left, int row, int rows, float* right, long rightStride, float* starts, float* product, long productStride)
        where T : struct, IRegister<T>
    {
        T l0 = T.Of(starts[0]), l1 = T.Of(starts[Math.Min(1, rows - 1)]), l2 = T.Of(starts[Math.Min(2, rows - 1)]);
        T l3 = T.Of(starts[Math.Min(3, rows - 1)]), l4 = T.Of(starts[Math.Min(4, rows - 1)]), l5 = T.Of(starts[rows - 1]);
        T h0 = l0, h1 = l1, h2 = l2, h3 = l3, h4 = l4, h5 = l5;
        var last = row + rows - 1;
        float* r0 = left.At(row, 0), r1 = left.At(Math.Min(row + 1, last), 0), r2 = left.At(Math.Min(row + 2, last), 0);
        float* r3 = left.At(Math.Min(row + 3, last), 0), r4 = left.At(Math.Min(row + 4, last), 0), r5 = left.At(last, 0);
        var (depth, step, at) = (left.Columns, left.ColumnStride, 0L);
        for (var k = 0; k < depth; k++, at += step, right += rightStride)
        {
            T low = T.Load(right), high = T.Load(right + T.Width);
            var x = T.Of(r0[at]);
            (l0, h0) = (T.MultiplyAdd(x, low, l0), T.MultiplyAdd(x, high, h0));
            x = T.Of(r1[at]);
            (l1, h1) = (T.MultiplyAdd(x, low, l1), T.MultiplyAdd(x, high, h1));
            x = T.Of(r2[at]);
            (l2, h2) = (T.MultiplyAdd(x, low, l2), T.MultiplyAdd(x, high, h2));
            x = T.Of(r3[at]);
            (l3, h3) = (T.MultiplyAdd(x, low, l3), T.MultiplyAdd(x, high, h3));
            x = T.Of(r4[at]);
            (l4, h4) = (T.MultiplyAdd(x, low, l4), T.MultiplyAdd(x, high, h4));
            x = T.Of(r5[at]);
            (l5, h5) = (T.MultiplyAdd(x, low, l5), T.MultiplyAdd(x, high, h5));
        }
        Store(l0, h0, product);
        Store(l1, h1, product + (Math.Min(1, rows - 1) * productStride));
        Store(l2, h2, product + (Math.Min(2, rows - 1) * productStride));
        Store(l3, h3, product + (Math.Min(3, rows - 1) * productStride));
        Store(l4, h4, product + (Math.Min(4, rows - 1) * productStride));
        Store(l5, h5, product + ((rows - 1) * productStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(T low, T high, float* to)
        where T : struct, IRegister<T>
    {
        low.Store(to);
        high.Store(to + T.Width);
    }

    /// <summary>A register of floats, so that the loop is written once and compiled for each width.</summary>
    private interface IRegister<T>
        where T : struct, IRegister<T>
    {
        static abstract int Width { get; }

        static abstract T Load(float* from);

        static abstract T Of(float value);

        static abstract T MultiplyAdd(T a, T b, T sum);

        void Store(float* to);
    }

    private readonly struct Register(Vector<float> value) : IRegister<Register>
    {
        private readonly Vector<float> _value = value;

        public static int Width => Vector<float>.Count;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Register Load(float* from) => new(Vector.Load(from));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Register Of(float value) => new(new Vector<float>(value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Register MultiplyAdd(Register a, Register b, Register sum) => new(Vector.MultiplyAddEstimate(a._value, b._value, sum._value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(float* to) => _value.Store(to);
    }

    /// <summary>The registers of AVX-512, which <see cref="Vector{T}"/> does not use.</summary>
    private readonly struct WideRegister(Vector512<float> value) : IRegister<WideRegister>
    {
        private readonly Vector512<float> _value = value;

        public static int Width => Vector512<float>.Count;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static WideRegister Load(float* from) => new(Vector512.Load(from));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static WideRegister Of(float value) => new(Vector512.Create(value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static WideRegister MultiplyAdd(WideRegister a, WideRegister b, WideRegister sum) => new(Vector512.MultiplyAddEstimate(a._value, b._value, sum._value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(float* to) => _value.Store(to);
    }
}

/// <summary>A matrix in host memory. It does not own the memory.</summary>
/// <param name="address">The first element.</param>
/// <param name="rows">The number of rows.</param>
/// <param name="columns">The number of columns.</param>
/// <param name="rowStride">The elements from one row to the next.</param>
/// <param name="columnStride">The elements from one column to the next.</param>
internal readonly unsafe struct StridedMatrix(float* address, int rows, int columns, long rowStride, long columnStride = 1)
{
    private readonly float* _address = address;

    public int Rows => rows;

    public int Columns => columns;

    public long RowStride => rowStride;

    public long ColumnStride => columnStride;

    /// <summary>The same matrix with rows and columns exchanged.</summary>
    public StridedMatrix Transposed => new(_address, columns, rows, columnStride, rowStride);

    /// <summary>A row, of a matrix whose rows lie together.</summary>
    public Span<float> Row(int row) => new(At(row, 0), columns);

    public float* At(int row, int column) => _address + (row * rowStride) + (column * columnStride);
}
