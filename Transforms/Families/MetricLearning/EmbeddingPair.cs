using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Two columns of embeddings that are compared.</summary>
internal sealed class EmbeddingPair
{
    private readonly int _size;

    private EmbeddingPair(DataViewSchema.Column first, DataViewSchema.Column second, int size) => (First, Second, _size) = (first, second, size);

    public DataViewSchema.Column First { get; }

    public DataViewSchema.Column Second { get; }

    /// <param name="schema">The columns.</param>
    /// <param name="firstColumnName">The one.</param>
    /// <param name="secondColumnName">The other.</param>
    /// <param name="expected">The fingerprint of the network that both must be of; null if it is not known.</param>
    /// <param name="owner">What belongs to that network, such as "the threshold".</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or they have different sizes or networks.</exception>
    public static EmbeddingPair Find(DataViewSchema schema, string firstColumnName, string secondColumnName, string? expected = null, string owner = "")
    {
        var (first, second) = (FeatureRows.Find(schema, firstColumnName), FeatureRows.Find(schema, secondColumnName));
        var (size, other) = (FeatureReader.WidthOf(first), FeatureReader.WidthOf(second));
        if (size != other)
            throw new ArgumentException(FormattableString.Invariant($"Column '{first.Name}' has {size} values and column '{second.Name}' has {other}; a pair has two embeddings of the same network."));
        // Whose network is known says which of the two is wrong.
        EmbeddingFingerprint.Check(first, expected, owner);
        EmbeddingFingerprint.Check(second, expected, owner);
        EmbeddingFingerprint.Check(second, EmbeddingFingerprint.Of(first), $"column '{first.Name}'");
        return new EmbeddingPair(first, second, size);
    }

    /// <summary>Opens the columns: a function that returns the squared distance of the current row's pair.</summary>
    public Func<float> Open(DataViewRow row)
    {
        var (first, second) = (new FeatureReader(row, row.Schema[First.Index], _size), new FeatureReader(row, row.Schema[Second.Index], _size));
        var (a, b) = (new float[_size], new float[_size]);
        return () =>
        {
            first.Read(a);
            second.Read(b);
            var distance = EmbeddingDistance.Squared(a, b);
            return float.IsFinite(distance)
                ? distance
                : throw new FormatException($"Columns '{First.Name}' and '{Second.Name}', {RowName.Of(row.Position)}: the squared distance is beyond the range of a Single. {EmbeddingDistance.TooFar}");
        };
    }
}
