using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Training;

/// <summary>What the passes over a data set must have in common.</summary>
internal enum PassCheck
{
    /// <summary>The number of rows.</summary>
    Count,

    /// <summary>The rows, in any order.</summary>
    Rows,

    /// <summary>The rows and their order: it decides which rows are held out, or what the sequence is.</summary>
    Order,
}

/// <summary>
/// The data of a training, which may read it several times. Each pass must give what the first one gave: a source that comes only once
/// would otherwise train on nothing. Reading is cancelled at any row.
/// </summary>
/// <param name="source">The data.</param>
/// <param name="name">What it is, for messages, such as "training data".</param>
/// <param name="check">What the passes must have in common.</param>
/// <param name="throwIfCancelled">Called before each row.</param>
internal sealed class WatchedDataView(IDataView source, string name, PassCheck check, Action throwIfCancelled) : IDataView
{
    private readonly Lock _lock = new();
    private readonly List<(int Pass, ColumnDigest Digest)> _digests = [];
    private (int Pass, long Rows)? _first;
    private long _expected = long.MaxValue;
    private int _passes;

    public DataViewSchema Schema => source.Schema;

    public bool CanShuffle => source.CanShuffle;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(source.GetRowCursor(columnsNeeded, rand), this, Interlocked.Increment(ref _passes));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private bool HasCountOnly => check == PassCheck.Count;

    private void Cancel() => throwIfCancelled();

    private void CheckCount(int pass, long rows, bool isEnd)
    {
        lock (_lock)
        {
            if (_first is not { } first)
            {
                _first = (pass, rows);
                _expected = rows;
            }
            else if (rows > first.Rows || (isEnd && rows != first.Rows))
                throw Differs(string.Create(CultureInfo.InvariantCulture, $"gave {first.Rows} rows in pass {first.Pass} and {(isEnd ? "" : "at least ")}{rows} in pass {pass}"));
        }
    }

    /// <summary>Compares what was read of a column with an earlier pass that read it in the same rows.</summary>
    private void CheckValues(int pass, ColumnDigest digest)
    {
        lock (_lock)
        {
            var index = _digests.FindIndex(other => other.Digest.IsOfSameRows(digest));
            if (index < 0)
            {
                _digests.Add((pass, digest));
                return;
            }
            var first = _digests[index];
            var column = Schema[digest.Column].Name;
            if (first.Digest.Values != digest.Values)
                throw Differs(FormattableString.Invariant($"has other values of column '{column}' in pass {pass} than in pass {first.Pass}, in {digest.Rows} rows"));
            if (check == PassCheck.Order && first.Digest.Order != digest.Order)
                throw Differs(FormattableString.Invariant($"has the values of column '{column}' in another order in pass {pass} than in pass {first.Pass}, in {digest.Rows} rows"));
        }
    }

    private InvalidOperationException Differs(string how) => new(
        $"The {name} {how}. A training that reads its data several times needs the same rows each time. Read rows that come only once, or that are made anew each time, into memory: Buffering = InMemory for features, or ml.Data.Cache and AppendCacheCheckpoint for texts and sequences.");

    private sealed class Cursor(DataViewRowCursor input, WatchedDataView view, int pass) : DataViewRowCursor
    {
        private readonly Dictionary<int, ColumnDigest> _digests = [];
        private long _rows;
        private bool _isDone;

        public override DataViewSchema Schema => input.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool MoveNext()
        {
            view.Cancel();
            if (input.MoveNext())
            {
                if (++_rows > view._expected)
                    view.CheckCount(pass, _rows, isEnd: false);
                return true;
            }
            if (!_isDone)
            {
                _isDone = true;
                view.CheckCount(pass, _rows, isEnd: true);
                foreach (var digest in _digests.Values)
                    view.CheckValues(pass, digest);
            }
            return false;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            var getter = input.GetGetter<TValue>(column);
            if (view.HasCountOnly || ValueHash<TValue>.Of is not { } hash)
                return getter;
            if (!_digests.TryGetValue(column.Index, out var digest))
                _digests.Add(column.Index, digest = new ColumnDigest(column.Index));
            return (ref TValue value) =>
            {
                getter(ref value);
                digest.Add(input.Position, hash(in value));
            };
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }

}

/// <summary>The running hash of the values of a column that a pass asked for.</summary>
internal sealed class ColumnDigest(int column)
{
    private ulong _places;
    private long _last = -1;

    public int Column => column;

    /// <summary>The number of rows whose value was asked for.</summary>
    public long Rows { get; private set; }

    /// <summary>The hash of the values, whatever their order.</summary>
    public ulong Values { get; private set; }

    /// <summary>The hash of the values in their order.</summary>
    public ulong Order { get; private set; }

    public void Add(long position, ulong hash)
    {
        if (position == _last)
            return;
        _last = position;
        Rows++;
        _places = ValueHash.Mix(_places ^ (ulong)position);
        Values += ValueHash.Mix(hash);
        Order = ValueHash.Mix(Order ^ hash);
    }

    public bool IsOfSameRows(ColumnDigest other) => column == other.Column && Rows == other.Rows && _places == other._places;
}

/// <summary>Fast hashes of values, for accidents rather than attacks.</summary>
internal static class ValueHash
{
    private const ulong Odd = 0x9E3779B97F4A7C15;

    /// <summary>Spreads a difference over all bits (Stafford, 2011, variant 13).</summary>
    public static ulong Mix(ulong value)
    {
        value += Odd;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>The same for dense and sparse vectors: a zero adds nothing.</summary>
    public static ulong OfVector(ReadOnlySpan<uint> bits, ReadOnlySpan<int> indices, int length)
    {
        var sum = Mix((ulong)length);
        var first = 0;
        if (indices.IsEmpty)
        {
            var sums = Vector<ulong>.Zero;
            var factors = ((Vector<ulong>.Indices * 2) + Vector<ulong>.One) * Odd;
            var step = new Vector<ulong>((ulong)Vector<ulong>.Count * 2 * Odd);
            for (; first <= bits.Length - Vector<uint>.Count; first += Vector<uint>.Count)
            {
                Vector.Widen(new Vector<uint>(bits[first..]), out var low, out var high);
                sums += (low * factors) + (high * (factors + step));
                factors += step * 2;
            }
            sum += Vector.Sum(sums);
        }
        for (var i = first; i < bits.Length; i++)
            sum += bits[i] * (((ulong)(indices.IsEmpty ? i : indices[i]) * 2 * Odd) + Odd);
        return sum;
    }

    public static ulong OfBytes(ReadOnlySpan<byte> bytes)
    {
        var hash = Mix((ulong)bytes.Length);
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            hash = (hash ^ word) * Odd;
        foreach (var value in bytes[(words.Length * sizeof(ulong))..])
            hash = (hash ^ value) * Odd;
        return hash;
    }
}

/// <summary>The hash of a type's values.</summary>
internal static class ValueHash<TValue>
{
    public delegate ulong Function(in TValue value);

    /// <summary>Null for a type that cannot be hashed.</summary>
    public static Function? Of { get; } = Create();

    private static Function? Create()
    {
        if (typeof(TValue).IsPrimitive)
            return (in TValue value) => ValueHash.OfBytes(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<TValue, byte>(ref Unsafe.AsRef(in value)), Unsafe.SizeOf<TValue>()));
        ValueHash<ReadOnlyMemory<char>>.Function text = (in ReadOnlyMemory<char> value) => ValueHash.OfBytes(MemoryMarshal.AsBytes(value.Span));
        ValueHash<VBuffer<float>>.Function floats = (in VBuffer<float> value) => ValueHash.OfVector(MemoryMarshal.Cast<float, uint>(value.GetValues()), value.GetIndices(), value.Length);
        ValueHash<VBuffer<uint>>.Function keys = (in VBuffer<uint> value) => ValueHash.OfVector(value.GetValues(), value.GetIndices(), value.Length);
        ValueHash<MLImage>.Function images = (in MLImage value) => value == null ? 0 : ValueHash.OfBytes(value.Pixels);
        return new Delegate[] { text, floats, keys, images }.OfType<Function>().FirstOrDefault();
    }
}
