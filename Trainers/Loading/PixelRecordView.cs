using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>Where one column's bytes lie: some bytes of each record.</summary>
internal sealed record RecordField(RecordFiles Files, int Offset, int Length);

/// <summary>Images as bytes in records, perhaps with a byte that is the class.</summary>
internal sealed class PixelRecordView : FileDataView
{
    private readonly RecordField _pixels;
    private readonly RecordField? _label;

    private PixelRecordView(IHost host, DataViewSchema schema, RecordField pixels, RecordField? label)
        : base(host, schema)
    {
        _pixels = pixels;
        _label = label;
    }

    public override bool CanShuffle => _pixels.Files.CanSeek && (_label == null || _label.Files.CanSeek) && _pixels.Files.Count <= Array.MaxLength;

    /// <param name="dimensions">Channels, height, width.</param>
    /// <param name="pixels">The pixels, planar.</param>
    /// <param name="label">The byte that is the class, or null.</param>
    /// <param name="addLabel">Adds the label column to a schema.</param>
    public static PixelRecordView Create(IHostEnvironment env, int[] dimensions, RecordField pixels, RecordField? label, Action<DataViewSchema.Builder> addLabel)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(DefaultColumnNames.Features, new VectorDataViewType(NumberDataViewType.Single, dimensions));
        if (label != null)
            addLabel(schema);
        return new PixelRecordView(env.Register(nameof(PixelRecordView)), schema.ToSchema(), pixels, label);
    }

    public override long? GetRowCount() => _pixels.Files.Count;

    protected override DataViewRowCursor CreateCursor(bool[] active, Random? random) =>
        new PixelRecordCursor(Host, Schema, active, _pixels, _label, random);
}
