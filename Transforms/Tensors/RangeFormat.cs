using MLExtensions.Messages;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tensors;

/// <summary>Values that must be in a range: anything outside is rejected.</summary>
/// <param name="Values">The format of a row.</param>
/// <param name="What">What must be in the range, as text for the message, such as "values of Bernoulli units".</param>
internal sealed record RangeFormat(DenseFormat Values, string What) : FeatureFormat
{
    /// <summary>The range. Default [0, 1].</summary>
    public ValueRange Range { get; init; } = ValueRange.Unit;

    /// <summary>How far beyond the range values may be, in widths of the range. Default 0.</summary>
    public double Slack { get; init; }

    /// <summary>What to do about a value outside the range; null to normalize.</summary>
    public Func<float, string>? Advice { get; init; }

    public override int Width => Values.Width;

    public override DataViewType InputType => Values.InputType;

    public override bool HoldsColumn(DataViewSchema.Column column) => Values.HoldsColumn(column);

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(Values.Open(row, column), row, column.Name, this);

    public override void Check(DataViewSchema.Column column) => Values.Check(column);

    public override void Arrange(in VBuffer<float> features, Span<float> row) => Values.Arrange(features, row);

    public override string Write(Onnx.GraphWriter graph, Onnx.OnnxColumns columns, DataViewSchema.Column column) => Values.Write(graph, columns, column);

    private sealed class Reader(IFeatureReader values, DataViewRow row, string column, RangeFormat format) : IFeatureReader
    {
        private readonly float _minimum = (float)(format.Range.Minimum - (format.Slack * (format.Range.Maximum - format.Range.Minimum)));
        private readonly float _maximum = (float)(format.Range.Maximum + (format.Slack * (format.Range.Maximum - format.Range.Minimum)));

        public MLImage? Image => values.Image;

        public void Read(Span<float> destination)
        {
            values.Read(destination);
            var slot = destination.IndexOfAnyExceptInRange(_minimum, _maximum);
            if (slot >= 0)
                throw Outside(slot, destination[slot]);
        }

        private FormatException Outside(int slot, float value) => new(string.Create(
            CultureInfo.InvariantCulture,
            $"Column '{column}', {RowName.Of(row.Position)}, slot {slot}: the value is {value}; {format.What} must be in {format.Range}. {format.Advice?.Invoke(value) ?? $"Add NormalizeMinMax before this estimator{(value < 0 ? ", with fixZero: false because values are negative" : "")}."}"));
    }
}
