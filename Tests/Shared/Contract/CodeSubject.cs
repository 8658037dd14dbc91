using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>What learns a code without labels, of features in [0, 1], of which each third is about one bit; and can say what a code stands for.</summary>
internal abstract class CodeSubject(string name) : TrainingSubject(name)
{
    public override int FeatureCount => 9;

    public override float Feature => 0.75f;

    public override string[] ValueColumns => OutputColumns;

    public override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.NormalizeMinMax(nameof(Example.Features));

    /// <summary>The share of the features' variance that the reconstruction explains.</summary>
    public override double Quality(MLContext ml, IDataView scored)
    {
        var features = Outcome.Rows(scored, nameof(Example.Features));
        var means = Enumerable.Range(0, FeatureCount).Select(slot => features.Average(row => row[slot])).ToArray();
        return 1 - (Errors(features, Outcome.Rows(scored, "Reconstruction")).Average() / Errors(features, features.Select(_ => means)).Average());
    }

    public override float FeatureOf(float value) => 1 / (1 + MathF.Exp(-8 * value));

    public override void SetEveryColumn(DataTrainingOptions options, string column) => SetFeatureColumn(options, column);

    protected static IEnumerable<double> Errors(IEnumerable<float[]> expected, IEnumerable<float[]> actual) =>
        expected.Zip(actual, (row, other) => row.Zip(other, (a, b) => Math.Pow(a - b, 2)).Average());
}
