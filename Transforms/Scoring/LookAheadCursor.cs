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
    private readonly FeatureReader _features;

    public LookAheadCursor(DataViewRowCursor input, DataViewSchema.Column featureColumn, int width)
        : base(input, Math.Clamp(MaximumBlockValues / width, 1, MaximumBlockRows), MaximumBytes, featureColumn)
    {
        _featureColumn = featureColumn;
        _features = new FeatureReader(input, featureColumn, width);
        if (featureColumn.Type is ImageDataViewType)
            Columns[featureColumn.Index] = new ImageColumnBuffer(() => _features.Image, Capacity);
        Block = new FeatureBlock(Capacity, width);
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
        if (column.Index != _featureColumn.Index || column.Type is ImageDataViewType)
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
