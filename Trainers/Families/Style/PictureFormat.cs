using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Families.Style;

/// <summary>Pictures of a training: from 0 to 255, and transparent ones on white, as they are seen when they are painted.</summary>
/// <param name="Count">The number of values of a picture.</param>
internal sealed record PictureFormat(int Count) : FeatureFormat
{
    private readonly RangeFormat _values = new(new DenseFormat(Count), "pictures") { Range = ValueRange.Pixels, Advice = _ => "ExtractPixels gives them so, without offset and scale." };

    public override int Width => _values.Width;

    public override DataViewType InputType => _values.InputType;

    public override bool HoldsColumn(DataViewSchema.Column column) => _values.HoldsColumn(column);

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(_values.Open(row, column));

    public override void Check(DataViewSchema.Column column) => _values.Check(column);

    public override void Arrange(in VBuffer<float> features, Span<float> row) => _values.Arrange(features, row);

    private sealed class Reader(IFeatureReader values) : IFeatureReader
    {
        public MLImage? Image => values.Image;

        public void Read(Span<float> destination)
        {
            values.Read(destination);
            if (values.Image is { } image)
                Picture.OnWhite(image, destination);
        }
    }
}
