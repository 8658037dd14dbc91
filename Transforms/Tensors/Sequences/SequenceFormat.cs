using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tensors.Sequences;

/// <summary>A sequence as a row of floats: its number of steps, the steps' values, zeros up to the longest.</summary>
internal sealed record SequenceFormat(SequenceInput Input) : FeatureFormat
{
    public override int Width => 1 + (Input.MaximumLength * Input.ValuesPerStep);

    public override DataViewType InputType => new VectorDataViewType(NumberDataViewType.Single, Width - 1);

    public override RowLength LengthOf => row => (int)row[0];

    // A sequence that was cut is not what the column holds.
    public override bool HoldsColumn(DataViewSchema.Column column) => false;

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => Input.Open(row, column);

    public override void Check(DataViewSchema.Column column)
    {
        if (!Input.Takes(column.Type))
            throw new ArgumentException($"Feature column '{column.Name}' has type {column.Type}; the model was trained on {Input.Description}.");
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row)
    {
        if (Input is not NumberSequence)
            throw new InvalidOperationException($"A network of {Input.Description} cannot be given a vector of numbers.");
        row.Clear();
        SequenceReader.Write(Input, features.DenseValues().ToArray(), row, "Features", 0);
    }
}
