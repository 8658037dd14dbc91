using MLExtensions.Onnx;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Gan;

/// <summary>Draws the noise of a row from a seed, so that it is the same in every block, on every computer and in every version.</summary>
internal static class LatentNoise
{
    private const ulong RowFactor = 0x9E3779B97F4A7C15ul;

    /// <param name="distribution">The distribution.</param>
    /// <param name="seed">The seed of all rows.</param>
    /// <param name="row">The row: its number, or the value of its seed column.</param>
    /// <param name="destination">Receives the noise.</param>
    public static void Draw(LatentDistribution distribution, int seed, UInt128 row, Span<float> destination)
    {
        var random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.LatentNoise) ^ Mix((ulong)row) ^ Mix((ulong)(row >> 64) ^ RowFactor));
        if (distribution == LatentDistribution.Uniform)
        {
            foreach (ref var value in destination)
                value = (float)((2 * random.NextDouble()) - 1);
            return;
        }
        for (var i = 0; i < destination.Length; i += 2)
        {
            // Box and Muller, 1958.
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            var (sine, cosine) = Math.SinCos(2 * Math.PI * random.NextDouble());
            destination[i] = (float)(radius * cosine);
            if (i + 1 < destination.Length)
                destination[i + 1] = (float)(radius * sine);
        }
    }

    private static ulong Mix(ulong value) => new SplitMix64(value * RowFactor).Next();
}

/// <summary>What a generator reads of a row.</summary>
/// <param name="Noise">The column with the noise, or null.</param>
/// <param name="Seed">The column with a number that the noise is drawn from, or null; without both it is drawn from the row's number.</param>
/// <param name="Label">The column with the class; null if the generator is not conditional.</param>
internal sealed record LatentColumns(string? Noise, string? Seed, string? Label)
{
    public IEnumerable<string> Names => new[] { Noise, Seed, Label }.OfType<string>();
}

/// <summary>Noise and label vector of a row.</summary>
/// <param name="Architecture">The generator.</param>
/// <param name="Columns">The columns.</param>
/// <param name="SeedOfAll">The seed of the noise of all rows.</param>
/// <param name="Classes">The names of the classes, or null.</param>
internal sealed record LatentFormat(GeneratorArchitecture Architecture, LatentColumns Columns, int SeedOfAll, IReadOnlyList<string>? Classes) : FeatureFormat
{
    public override int Width => Architecture.InputCount;

    public override DataViewType InputType => new VectorDataViewType(NumberDataViewType.Single, Width);

    public override bool HoldsColumn(DataViewSchema.Column column) => false;

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(this, row);

    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public void Check(DataViewSchema schema)
    {
        if (Columns.Noise is { } noise && FeatureRows.Find(schema, noise) is var column && (column.Type is not VectorDataViewType vector || vector.ItemType != NumberDataViewType.Single || vector.Size != Architecture.LatentSize))
            throw new ArgumentException(FormattableString.Invariant($"Noise column '{noise}' has type {column.Type}; it must be a Vector<Single> of {Architecture.LatentSize} values."), nameof(schema));
        if (Columns.Seed is { } seed && FeatureRows.Find(schema, seed).Type is var type && !IsWhole(type))
            throw new ArgumentException(FormattableString.Invariant($"Seed column '{seed}' has type {type}; it must be a whole number or a key."), nameof(schema));
        if (Columns.Label is not { } label)
            return;
        if (schema.GetColumnOrNull(label) is not { } labels)
            throw new ArgumentException(FormattableString.Invariant($"Label column '{label}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}. The generator is conditional: each row says of which class its sample is to be."), nameof(schema));
        if (labels.Type is not KeyDataViewType)
            throw new ArgumentException(FormattableString.Invariant($"Label column '{label}' has type {labels.Type}; it must be a key, as in the training. Add MapValueToKey."), nameof(schema));
        KeyMap.Create(labels, Classes, "the generator");
    }

    public override void Check(DataViewSchema.Column column)
    {
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row) => throw new NotSupportedException("A generator reads several columns.");

    public override string Write(GraphWriter graph, OnnxColumns columns, DataViewSchema.Column column)
    {
        var noise = columns.Floats(graph, column, Architecture.LatentSize);
        if (Columns.Label is not { } label)
            return noise;
        var classes = Architecture.ClassCount;
        return graph.Concatenate(1, noise, graph.OneHot(columns.Places(graph, columns.Schema[label], Classes, classes), classes));
    }

    private static bool IsWhole(DataViewType type) =>
        type is KeyDataViewType || (type is NumberDataViewType && type != NumberDataViewType.Single && type != NumberDataViewType.Double);

    private sealed class Reader : IFeatureReader
    {
        private readonly LatentFormat _format;
        private readonly DataViewRow _row;
        private readonly ValueGetter<VBuffer<float>>? _noise;
        private readonly Func<UInt128>? _seed;
        private readonly ValueGetter<uint>? _label;
        private readonly KeyMap? _classes;
        private readonly ValueGetter<DataViewRowId> _id;
        private VBuffer<float> _buffer;

        public Reader(LatentFormat format, DataViewRow row)
        {
            (_format, _row) = (format, row);
            var columns = format.Columns;
            if (columns.Noise != null)
                _noise = row.GetGetter<VBuffer<float>>(row.Schema[columns.Noise]);
            if (columns.Seed != null)
                _seed = SeedGetter(row, row.Schema[columns.Seed]);
            if (columns.Label != null)
            {
                var label = row.Schema[columns.Label];
                _classes = KeyMap.Create(label, format.Classes, "the generator");
                _label = RowCursorUtils.GetGetterAs<uint>(new KeyDataViewType(typeof(uint), ((KeyDataViewType)label.Type).Count), row, label.Index) as ValueGetter<uint>;
            }
            _id = row.GetIdGetter();
        }

        public void Read(Span<float> destination)
        {
            var latent = destination[.._format.Architecture.LatentSize];
            if (_noise != null)
                ReadNoise(latent);
            else
                LatentNoise.Draw(_format.Architecture.LatentDistribution, _format.SeedOfAll, _seed?.Invoke() ?? RowNumber(), latent);
            if (_label == null)
                return;
            var label = destination[latent.Length..];
            label.Clear();
            label[ReadClass()] = 1;
        }

        private static Func<UInt128> SeedGetter(DataViewRow row, DataViewSchema.Column column)
        {
            var type = column.Type.RawType;
            return type == typeof(byte) ? Of<byte>(value => value)
                : type == typeof(ushort) ? Of<ushort>(value => value)
                : type == typeof(uint) ? Of<uint>(value => value)
                : type == typeof(ulong) ? Of<ulong>(value => value)
                : type == typeof(sbyte) ? Of<sbyte>(value => (ulong)value)
                : type == typeof(short) ? Of<short>(value => (ulong)value)
                : type == typeof(int) ? Of<int>(value => (ulong)value)
                : Of<long>(value => (ulong)value);

            Func<UInt128> Of<T>(Func<T, UInt128> convert)
            {
                var getter = row.GetGetter<T>(column);
                var value = default(T)!;
                var isKey = column.Type is KeyDataViewType;
                return () =>
                {
                    getter(ref value);
                    var seed = convert(value);
                    return seed == 0 && isKey
                        ? throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Seed column '{column.Name}', {RowName.Of(row.Position)}: the value is missing; the noise of a row is drawn from it."))
                        : seed;
                };
            }
        }

        private UInt128 RowNumber()
        {
            DataViewRowId id = default;
            _id(ref id);
            return new UInt128(id.High, id.Low);
        }

        private void ReadNoise(Span<float> destination)
        {
            _noise!(ref _buffer);
            _buffer.CopyTo(destination);
            var bad = FiniteCheck.FirstNonFinite(destination);
            if (bad >= 0)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Noise column '{_format.Columns.Noise}', {RowName.Of(_row.Position)}, slot {bad}: the value is {destination[bad]}; noise must be finite."));
        }

        private int ReadClass()
        {
            uint key = 0;
            _label!(ref key);
            if (key == 0)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Label column '{_format.Columns.Label}', {RowName.Of(_row.Position)}: the value is missing; it must be one of the {_format.Architecture.ClassCount} classes{(_format.Classes == null ? "" : $", {NameList.Of(_format.Classes)}")}."));
            var place = _classes == null ? (int)key - 1 : _classes.Find((int)key - 1, _row.Position);
            if (place >= _format.Architecture.ClassCount)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Label column '{_format.Columns.Label}', {RowName.Of(_row.Position)}: the key is {key}; the generator was trained on {_format.Architecture.ClassCount} classes."));
            return place;
        }
    }
}
