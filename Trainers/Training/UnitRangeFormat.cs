using MLExtensions.Messages;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Training;

/// <summary>Values of a training that treats them as probabilities: anything outside [0, 1] is rejected.</summary>
/// <param name="Values">The format of a row.</param>
/// <param name="What">What must be in [0, 1], as text for the message, such as "values of Bernoulli units".</param>
internal sealed record UnitRangeFormat(DenseFormat Values, string What) : FeatureFormat
{
    public override int Width => Values.Width;

    public override DataViewType InputType => Values.InputType;

    public override bool HoldsColumn(DataViewSchema.Column column) => Values.HoldsColumn(column);

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(Values.Open(row, column), row, column.Name, What);

    public override void Check(DataViewSchema.Column column) => Values.Check(column);

    public override void Arrange(in VBuffer<float> features, Span<float> row) => Values.Arrange(features, row);

    private sealed class Reader(IFeatureReader values, DataViewRow row, string column, string what) : IFeatureReader
    {
        public void Read(Span<float> destination)
        {
            values.Read(destination);
            var slot = destination.IndexOfAnyExceptInRange(0f, 1f);
            if (slot >= 0)
                throw Outside(slot, destination[slot]);
        }

        private FormatException Outside(int slot, float value) => new(string.Create(
            CultureInfo.InvariantCulture,
            $"Column '{column}', {RowName.Of(row.Position)}, slot {slot}: the value is {value}; {what} must be in [0, 1]. Add NormalizeMinMax before this estimator{(value < 0 ? ", with fixZero: false because values are negative" : "")}."));
    }
}
