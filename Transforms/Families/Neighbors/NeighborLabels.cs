using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Neighbors;

/// <summary>The types of labels that neighbors can have.</summary>
internal enum NeighborLabelKind
{
    Text,
    Key,
    Single,
    Int32,
    Int64,
    UInt32,
}

/// <summary>Returns the neighbors of the current row.</summary>
internal delegate NeighborList CurrentNeighbors();

/// <summary>The labels of the vectors that are searched, one each.</summary>
internal abstract class NeighborLabels
{
    public const string Allowed = "Text, a key, Single, Int32, UInt32 or Int64";

    public abstract NeighborLabelKind Kind { get; }

    /// <summary>The number of keys; 0 for other kinds.</summary>
    public long KeyCount { get; private init; }

    /// <summary>What the keys stand for; null if that is not known.</summary>
    public IReadOnlyList<string>? Names { get; private init; }

    public PrimitiveDataViewType ItemType => Kind switch
    {
        NeighborLabelKind.Text => TextDataViewType.Instance,
        NeighborLabelKind.Key => new KeyDataViewType(typeof(uint), (ulong)KeyCount),
        NeighborLabelKind.Single => NumberDataViewType.Single,
        NeighborLabelKind.Int32 => NumberDataViewType.Int32,
        NeighborLabelKind.UInt32 => NumberDataViewType.UInt32,
        _ => NumberDataViewType.Int64,
    };

    /// <summary>The kind of a type; null if it is not allowed.</summary>
    public static NeighborLabelKind? KindOf(DataViewType type, bool isKey) => type switch
    {
        VectorDataViewType => null,
        _ when isKey => NeighborLabelKind.Key,
        TextDataViewType => NeighborLabelKind.Text,
        _ when type == NumberDataViewType.Single => NeighborLabelKind.Single,
        _ when type == NumberDataViewType.Int32 => NeighborLabelKind.Int32,
        _ when type == NumberDataViewType.Int64 => NeighborLabelKind.Int64,
        _ when type == NumberDataViewType.UInt32 => NeighborLabelKind.UInt32,
        _ => null,
    };

    /// <summary>Opens the labels of a column.</summary>
    public static NeighborLabels Open(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is not KeyDataViewType key)
            return Create(KindOf(column.Type, isKey: false)!.Value, 0, null, row, column);
        return new Of<uint>(NeighborLabelKind.Key, KeyNames.Open(row, column)) { KeyCount = (long)Math.Min(key.Count, uint.MaxValue), Names = KeyNames.Of(column) };
    }

    /// <summary>Creates labels that are read from a file.</summary>
    public static NeighborLabels Create(NeighborLabelKind kind, long keyCount, IReadOnlyList<string>? names) => Create(kind, keyCount, names, null, default);

    private static NeighborLabels Create(NeighborLabelKind kind, long keyCount, IReadOnlyList<string>? names, DataViewRow? row, DataViewSchema.Column column)
    {
        return kind switch
        {
            NeighborLabelKind.Text => Make<ReadOnlyMemory<char>>(),
            NeighborLabelKind.Key or NeighborLabelKind.UInt32 => Make<uint>(),
            NeighborLabelKind.Single => Make<float>(),
            NeighborLabelKind.Int32 => Make<int>(),
            _ => Make<long>(),
        };

        Of<T> Make<T>() => new(kind, row?.GetGetter<T>(column)) { KeyCount = keyCount, Names = names };
    }

    /// <summary>How many labels that were read are missing: key 0, NaN, empty text. Other numbers are never missing.</summary>
    public long MissingCount { get; private set; }

    /// <summary>Adds the label of the current row.</summary>
    public abstract void Read();

    public abstract void Write(BinaryWriter writer);

    /// <summary>Adds labels of a file.</summary>
    public abstract void Load(BinaryReader reader, long count);

    /// <summary>The getter of a column with the labels of the neighbors.</summary>
    public abstract Delegate CreateGetter(CurrentNeighbors current);

    /// <summary>What the keys stand for, as an annotation.</summary>
    public DataViewSchema.Annotations? Annotations()
    {
        if (Names == null)
            return null;
        var builder = new DataViewSchema.Annotations.Builder();
        var names = Names.Select(name => name.AsMemory()).ToArray();
        builder.AddKeyValues<ReadOnlyMemory<char>>(names.Length, TextDataViewType.Instance, (ref VBuffer<ReadOnlyMemory<char>> values) => values = new VBuffer<ReadOnlyMemory<char>>(names.Length, names));
        return builder.ToAnnotations();
    }

    private sealed class Of<T>(NeighborLabelKind kind, ValueGetter<T>? getter) : NeighborLabels
    {
        private readonly List<T> _labels = [];

        public override NeighborLabelKind Kind => kind;

        public override void Read()
        {
            var label = default(T)!;
            getter!(ref label);
            // The memory of a text may be the source's.
            if (IsMissing(label))
                MissingCount++;
            _labels.Add(label is ReadOnlyMemory<char> text ? (T)(object)text.ToString().AsMemory() : label);
        }

        public override void Write(BinaryWriter writer)
        {
            foreach (var label in _labels)
            {
                switch (label)
                {
                    case ReadOnlyMemory<char> text:
                        writer.Write(text.ToString());
                        break;
                    case uint number:
                        writer.Write(number);
                        break;
                    case float number:
                        writer.Write(number);
                        break;
                    case int number:
                        writer.Write(number);
                        break;
                    case long number:
                        writer.Write(number);
                        break;
                }
            }
        }

        public override void Load(BinaryReader reader, long count)
        {
            for (var row = 0L; row < count; row++)
            {
                object label = kind switch
                {
                    NeighborLabelKind.Text => reader.ReadString().AsMemory(),
                    NeighborLabelKind.Key or NeighborLabelKind.UInt32 => reader.ReadUInt32(),
                    NeighborLabelKind.Single => reader.ReadSingle(),
                    NeighborLabelKind.Int32 => reader.ReadInt32(),
                    _ => reader.ReadInt64(),
                };
                if (kind == NeighborLabelKind.Key && label is uint key && key > KeyCount)
                    throw new FormatException(FormattableString.Invariant($"the label of row {row} is key {key}, but there are {KeyCount} keys."));
                _labels.Add((T)label);
            }
        }

        private bool IsMissing(T label) => label switch
        {
            uint key => kind == NeighborLabelKind.Key && key == 0,
            float number => float.IsNaN(number),
            ReadOnlyMemory<char> text => text.IsEmpty,
            _ => false,
        };

        public override Delegate CreateGetter(CurrentNeighbors current)
        {
            ValueGetter<VBuffer<T>> get = (ref VBuffer<T> destination) =>
            {
                var rows = current().Rows;
                var editor = VBufferEditor.Create(ref destination, rows.Length);
                for (var i = 0; i < rows.Length; i++)
                    editor.Values[i] = _labels[(int)rows[i]];
                destination = editor.Commit();
            };
            return get;
        }
    }
}
