using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Rbm;

/// <summary>Rows that visible units can have: what a trained machine takes as it comes is refused in training, by column, row, slot and value.</summary>
internal sealed record VisibleFormat(int Count, VisibleUnitType Units, IReadOnlyList<int> SoftmaxGroups) : FeatureFormat
{
    private const float SumTolerance = 1e-3f;
    private readonly DenseFormat _values = new(Count);

    public override int Width => Count;

    public override DataViewType InputType => _values.InputType;

    public override bool HoldsColumn(DataViewSchema.Column column) => _values.HoldsColumn(column);

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(this, _values.Open(row, column), row, column.Name);

    public override void Check(DataViewSchema.Column column) => _values.Check(column);

    public override void Arrange(in VBuffer<float> features, Span<float> row) => _values.Arrange(features, row);

    private sealed class Reader(VisibleFormat format, IFeatureReader values, DataViewRow row, string column) : IFeatureReader
    {
        public void Read(Span<float> destination)
        {
            values.Read(destination);
            if (format.Units == VisibleUnitType.Gaussian)
                return;
            var bad = destination.IndexOfAnyExceptInRange(0f, 1f);
            if (bad >= 0)
                throw Refusal($"slot {bad}: the value is {destination[bad]}", $"{format.Units} units take values in [0, 1]. NormalizeMinMax before it mends it.");
            if (format.Units == VisibleUnitType.Softmax)
                CheckSums(destination);
        }

        private void CheckSums(ReadOnlySpan<float> values)
        {
            var first = 0;
            foreach (var size in format.SoftmaxGroups)
            {
                var sum = 0f;
                foreach (var value in values.Slice(first, size))
                    sum += value;
                if (Math.Abs(sum - 1) > SumTolerance)
                    throw Refusal($"slots {first} to {first + size - 1}: the sum is {sum}", "the categories of a softmax unit sum to 1. OneHotEncoding makes such columns; a category that is missing needs one of its own.");
                first += size;
            }
        }

        private FormatException Refusal(FormattableString what, string rule) =>
            new(string.Create(CultureInfo.InvariantCulture, $"Column '{column}', row {row.Position}, {what.ToString(CultureInfo.InvariantCulture)}; {rule}"));
    }
}
