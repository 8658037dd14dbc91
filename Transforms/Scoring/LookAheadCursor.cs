using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring;

/// <summary>Reads the features of a block of rows ahead, into one tensor.</summary>
internal sealed class LookAheadCursor : BlockCursor
{
    private const int MaximumBlockRows = 1024;
    private const int MaximumBlockValues = 1 << 22;
    private const long MaximumBytes = 1 << 26; // of the images and texts beside the features, which can be of any size

    private readonly DataViewSchema.Column _featureColumn;
    private readonly FeatureFormat _format;
    private readonly IFeatureReader _features;

    public LookAheadCursor(DataViewRowCursor input, DataViewSchema.Column featureColumn, FeatureFormat format)
        : base(input, Math.Clamp(MaximumBlockValues / format.Width, 1, MaximumBlockRows), MaximumBytes, featureColumn)
    {
        _featureColumn = featureColumn;
        _format = format;
        _features = format.Open(input, featureColumn);
        if (featureColumn.Type is ImageDataViewType)
            Columns[featureColumn.Index] = new ImageColumnBuffer(() => _features.Image, Capacity);
        else if (!format.HoldsColumn(featureColumn))
            Columns[featureColumn.Index] = ColumnBuffer.Create(input, featureColumn, Capacity);
        Block = new FeatureBlock(Capacity, format.Width);
    }

    /// <summary>The features of the rows read ahead.</summary>
    public FeatureBlock Block { get; }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Block.Dispose();
        base.Dispose(disposing);
    }

    protected override void Keep(int position) => _features.Read(Block.Row(position));

    protected override Delegate GetterOf(DataViewSchema.Column column)
    {
        if (column.Index != _featureColumn.Index || !_format.HoldsColumn(column))
            return base.GetterOf(column);
        if (_featureColumn.Type is not VectorDataViewType)
        {
            ValueGetter<float> scalar = (ref float destination) => destination = Block.Row(CurrentIndex())[0];
            return scalar;
        }
        ValueGetter<VBuffer<float>> vector = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, Block.Width);
            Block.Row(CurrentIndex()).CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return vector;
    }
}
