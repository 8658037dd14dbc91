using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Training;

namespace MLExtensions;

/// <content>Evaluation, whatever made the embeddings; it needs no libtorch.</content>
public sealed partial class MetricLearningCatalog
{
    internal const int DefaultNumberOfFolds = 10;

    /// <summary>
    /// Measures how well rows of the same class find each other by their embeddings, each row being compared with all others: precision at
    /// 1, R-precision, MAP at R, and the area under the ROC curve over all pairs.
    /// </summary>
    /// <remarks>
    /// Use classes that were not in the training. All pairs are compared, so the time grows with the square of the rows: 10,000 rows of 128
    /// values take a few seconds.
    /// </remarks>
    /// <param name="data">Rows with a class and an embedding.</param>
    /// <param name="labelColumnName">The class: a key, a text, a Boolean or a number. Rows without one are left out and counted.</param>
    /// <param name="embeddingColumnName">
    /// The embedding, a <c>Vector&lt;Single&gt;</c> of known size. Any features can be measured, such as pixels.
    /// </param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or no class has two rows, or there is only one class.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// Console.WriteLine(ml.MetricLearning.Evaluate(model.Transform(test)).PrecisionAt1);
    /// Console.WriteLine(ml.MetricLearning.Evaluate(test, embeddingColumnName: "Features").PrecisionAt1); // without the network
    /// </code>
    /// </example>
    public EmbeddingMetrics Evaluate(IDataView data, string labelColumnName = DefaultColumnNames.Label, string embeddingColumnName = EmbeddingOptions.DefaultOutputColumn)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(embeddingColumnName);
        return EmbeddingEvaluator.Evaluate(data, labelColumnName, embeddingColumnName);
    }

    /// <summary>
    /// Measures verification by pairs of embeddings, with facenet's protocol of unshuffled folds: accuracy, area under the ROC curve, equal
    /// error rate, and the validation rate at false-accept rates of 0.1, 0.01 and 0.001.
    /// </summary>
    /// <remarks>Rows of same and different pairs must be mixed, as they are in lists of pairs such as that of LFW, so that each fold has both.</remarks>
    /// <param name="data">A row for each pair.</param>
    /// <param name="firstColumnName">The embedding of the one, a <c>Vector&lt;Single&gt;</c> of known size.</param>
    /// <param name="secondColumnName">The embedding of the other.</param>
    /// <param name="labelColumnName">Whether they are the same, a <c>Boolean</c>.</param>
    /// <param name="numberOfFolds">The number of folds, at least 2. Default 10.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, the embeddings are of different networks, or a fold has pairs of one kind only.
    /// </exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// var pairs = ml.MetricLearning.CreatePairs(model.Transform(test));
    /// Console.WriteLine(ml.MetricLearning.EvaluatePairs(pairs));
    /// </code>
    /// </example>
    public VerificationMetrics EvaluatePairs(
        IDataView data,
        string firstColumnName = VerificationEstimator.Options.DefaultFirstColumn,
        string secondColumnName = VerificationEstimator.Options.DefaultSecondColumn,
        string labelColumnName = DefaultColumnNames.Label,
        int numberOfFolds = DefaultNumberOfFolds)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(firstColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(secondColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        OptionCheck.AtLeast(numberOfFolds, 2, nameof(numberOfFolds));
        return EmbeddingReader.ReadPairs(data, firstColumnName, secondColumnName, labelColumnName).Measure(numberOfFolds);
    }

    /// <summary>Measures verification by the distances of pairs, as <see cref="EvaluatePairs"/> does.</summary>
    /// <param name="data">A row for each pair.</param>
    /// <param name="distanceColumnName">The distance, a <c>Single</c> from 0 to 4; smaller is more alike.</param>
    /// <param name="labelColumnName">Whether they are the same, a <c>Boolean</c>.</param>
    /// <param name="numberOfFolds">The number of folds, at least 2. Default 10.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or a fold has pairs of one kind only.</exception>
    /// <exception cref="FormatException">A distance is NaN or infinite; the message names column and row.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// var pairs = ml.MetricLearning.CreatePairs(model.Transform(test));
    /// var verified = ml.MetricLearning.Verify().Fit(pairs).Transform(pairs);
    /// Console.WriteLine(ml.MetricLearning.EvaluateDistances(verified));
    /// </code>
    /// </example>
    public VerificationMetrics EvaluateDistances(
        IDataView data,
        string distanceColumnName = VerificationEstimator.Options.DefaultDistanceColumn,
        string labelColumnName = DefaultColumnNames.Label,
        int numberOfFolds = DefaultNumberOfFolds)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(distanceColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        OptionCheck.AtLeast(numberOfFolds, 2, nameof(numberOfFolds));
        return EmbeddingReader.ReadDistances(data, distanceColumnName, labelColumnName).Measure(numberOfFolds);
    }

    /// <summary>
    /// Makes pairs of the rows of data: all pairs of a class, and all or some pairs of different classes, in random order, for
    /// <see cref="EvaluatePairs"/> and for calibration by <see cref="Verify(double, string, string, string)"/>.
    /// </summary>
    /// <param name="data">Rows with a class and an embedding.</param>
    /// <param name="labelColumnName">The class: a key, a text, a Boolean or a number. Rows without one are left out.</param>
    /// <param name="embeddingColumnName">The embedding, a <c>Vector&lt;Single&gt;</c> of known size.</param>
    /// <param name="maximumPairs">
    /// The largest number of pairs of a kind, same or different; of more, so many are drawn at random. Default 100,000.
    /// </param>
    /// <param name="seed">The seed of the order and of the draw. Default 1.</param>
    /// <returns>In memory: <c>First</c> and <c>Second</c>, the embeddings, and <c>Label</c>, whether their classes are the same.</returns>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there is no pair of one of the kinds.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// var verifier = ml.MetricLearning.Verify(falseAcceptRate: 0.05).Fit(ml.MetricLearning.CreatePairs(model.Transform(test)));
    /// </code>
    /// </example>
    public IDataView CreatePairs(
        IDataView data,
        string labelColumnName = DefaultColumnNames.Label,
        string embeddingColumnName = EmbeddingOptions.DefaultOutputColumn,
        int maximumPairs = PairMaker.DefaultMaximum,
        int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(embeddingColumnName);
        OptionCheck.AtLeast(maximumPairs, 1, nameof(maximumPairs));
        return PairMaker.Create(_context, data, labelColumnName, embeddingColumnName, maximumPairs, seed);
    }
}
