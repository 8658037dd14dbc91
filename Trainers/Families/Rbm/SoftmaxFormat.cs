using MLExtensions.Messages;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Families.Rbm;

/// <summary>Rows for visible softmax units: probabilities that sum to 1 over the categories of each unit.</summary>
/// <param name="Values">The format of the values.</param>
/// <param name="Groups">The number of categories of each unit.</param>
internal sealed record SoftmaxFormat(RangeFormat Values, IReadOnlyList<int> Groups) : FeatureFormat
{
    private const float SumTolerance = 1e-3f;

    public override int Width => Values.Width;

    public override DataViewType InputType => Values.InputType;

    public override bool HoldsColumn(DataViewSchema.Column column) => Values.HoldsColumn(column);

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new Reader(Values.Open(row, column), row, column.Name, Groups);

    public override void Check(DataViewSchema.Column column) => Values.Check(column);

    public override void Arrange(in VBuffer<float> features, Span<float> row) => Values.Arrange(features, row);

    private sealed class Reader(IFeatureReader values, DataViewRow row, string column, IReadOnlyList<int> groups) : IFeatureReader
    {
        public void Read(Span<float> destination)
        {
            values.Read(destination);
            var first = 0;
            foreach (var size in groups)
            {
                var sum = 0f;
                foreach (var value in destination.Slice(first, size))
                    sum += value;
                if (Math.Abs(sum - 1) > SumTolerance)
                    throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{column}', {RowName.Of(row.Position)}, slots {first} to {first + size - 1}: the sum is {sum}; the categories of a softmax unit must sum to 1. OneHotEncoding creates such columns; missing values need a category of their own."));
                first += size;
            }
        }
    }
}
