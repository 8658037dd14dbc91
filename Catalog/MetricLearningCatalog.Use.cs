using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Training;

namespace MLExtensions;

/// <content>Verification and identification.</content>
public sealed partial class MetricLearningCatalog
{
    /// <summary>Tells of pairs of embeddings whether they are the same; <c>Fit</c> measures the threshold on labeled pairs.</summary>
    /// <param name="falseAcceptRate">The share of pairs of different that may be accepted. Default 0.01.</param>
    /// <param name="firstColumnName">The embedding of the one, a <c>Vector&lt;Single&gt;</c> of known size.</param>
    /// <param name="secondColumnName">The embedding of the other.</param>
    /// <param name="labelColumnName">Whether they are the same, a <c>Boolean</c>; only <c>Fit</c> reads it.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// var pairs = ml.MetricLearning.CreatePairs(model.Transform(validation)); // classes that were not in the training
    /// var verifier = ml.MetricLearning.Verify(falseAcceptRate: 0.01).Fit(pairs);
    /// Console.WriteLine(verifier.Calibration);
    /// </code>
    /// </example>
    public VerificationEstimator Verify(
        double falseAcceptRate = VerificationEstimator.Options.DefaultFalseAcceptRate,
        string firstColumnName = VerificationEstimator.Options.DefaultFirstColumn,
        string secondColumnName = VerificationEstimator.Options.DefaultSecondColumn,
        string labelColumnName = DefaultColumnNames.Label) => Verify(new VerificationEstimator.Options
        {
            FalseAcceptRate = falseAcceptRate,
            FirstColumnName = firstColumnName,
            SecondColumnName = secondColumnName,
            LabelColumnName = labelColumnName,
        });

    /// <summary>Tells of pairs whether they are the same, with all options: also of two columns of images, with a model.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// IDataView pairs = data, albums = data;
    /// using var model = ml.MetricLearning.Trainers.Image(featureColumnName: "Image").Fit(train);
    /// var verifier = ml.MetricLearning.Verify(new VerificationEstimator.Options
    /// {
    ///     Model = model,
    ///     FirstColumnName = "Passport",
    ///     SecondColumnName = "Photo",
    ///     FalseAcceptRate = 0.001,
    /// }).Fit(pairs);
    /// var verified = verifier.Transform(albums); // Distance, PredictedLabel, Probability
    /// </code>
    /// </example>
    public VerificationEstimator Verify(VerificationEstimator.Options options) => new(_context, options);

    /// <summary>
    /// Measures what distances of a model mean without keeping classes from its training: the same training is repeated on parts of the classes,
    /// and distances are measured on those that were left out, each class once.
    /// </summary>
    /// <remarks>
    /// Each left-out class is compared with all classes: within a part there are few different ones, and whether two of them happen to be alike would
    /// decide. Networks of fewer classes put unknown ones nearer to each other; so two more trainings see halves of the classes, and the growth of the
    /// threshold from there to the parts is continued to all classes: distances are multiplied by at most 1 / (1 - 1 / folds). With five folds all of
    /// it takes five times as long as the training of the model. Of many pairs, 100,000 of a kind are drawn for each part.
    /// </remarks>
    /// <param name="data">The training data of the model.</param>
    /// <param name="estimator">What trained the model: an estimator of embeddings, or a chain that ends with one.</param>
    /// <param name="model">The model, which was trained on all of the data.</param>
    /// <param name="falseAcceptRate">The share of pairs of different that may be accepted. Default 0.01.</param>
    /// <param name="labelColumnName">The class, in the data and behind the estimator: a key, a text, a Boolean or a number.</param>
    /// <param name="embeddingColumnName">The embedding that the estimator adds.</param>
    /// <param name="numberOfFolds">The number of parts of the classes, equally large up to one class; at least 3. Default 5.</param>
    /// <param name="seed">The seed of the division. Default 1.</param>
    /// <exception cref="ArgumentException">
    /// A value is out of range, a column is missing, there are too few classes or pairs, or the estimator leaves out rows.
    /// </exception>
    /// <example>
    /// <code>
    /// var trainer = ml.MetricLearning.Trainers.Dense();
    /// using var model = trainer.Fit(train);
    /// var calibration = ml.MetricLearning.CrossCalibrate(train, trainer, model);
    /// var verifier = ml.MetricLearning.Verify(new VerificationEstimator.Options { Calibration = calibration }).Fit(ml.MetricLearning.CreatePairs(model.Transform(test)));
    /// </code>
    /// </example>
    public DistanceCalibration CrossCalibrate(
        IDataView data,
        IEstimator<ITransformer> estimator,
        EmbeddingTransformer model,
        double falseAcceptRate = VerificationEstimator.Options.DefaultFalseAcceptRate,
        string labelColumnName = DefaultColumnNames.Label,
        string embeddingColumnName = EmbeddingOptions.DefaultOutputColumn,
        int numberOfFolds = 5,
        int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(estimator);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(embeddingColumnName);
        OptionCheck.Require(falseAcceptRate is > 0 and < 1, falseAcceptRate, nameof(falseAcceptRate), "above 0 and below 1");
        OptionCheck.AtLeast(numberOfFolds, 3, nameof(numberOfFolds));
        return new CrossCalibration(_context, data, estimator, (labelColumnName, embeddingColumnName), seed).Run(falseAcceptRate, numberOfFolds, model.Fingerprint);
    }

    /// <summary>Finds whom of a gallery an embedding shows, or nobody who is known; <c>Fit</c> makes the gallery.</summary>
    /// <param name="calibration">What distances mean, from <see cref="VerificationTransformer.Calibration"/>.</param>
    /// <param name="labelColumnName">The name of whom a row shows: a key, a text, a Boolean or a number; only <c>Fit</c> reads it.</param>
    /// <param name="featureColumnName">The embedding, a <c>Vector&lt;Single&gt;</c> of known size.</param>
    /// <param name="numberOfCandidates">The number of nearest people to tell. Default 3.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// var verifier = ml.MetricLearning.Verify().Fit(ml.MetricLearning.CreatePairs(model.Transform(validation)));
    /// var identifier = ml.MetricLearning.Identify(verifier.Calibration).Fit(model.Transform(test));
    /// identifier.Remove("Alice");
    /// var found = identifier.Transform(model.Transform(data)); // PredictedLabel, Confidence, Candidates, Distances
    /// </code>
    /// </example>
    public IdentificationEstimator Identify(
        DistanceCalibration calibration,
        string labelColumnName = DefaultColumnNames.Label,
        string featureColumnName = EmbeddingOptions.DefaultOutputColumn,
        int numberOfCandidates = IdentificationEstimator.Options.DefaultNumberOfCandidates) => Identify(new IdentificationEstimator.Options
        {
            Calibration = calibration,
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            NumberOfCandidates = numberOfCandidates,
        });

    /// <summary>Finds whom of a gallery an embedding shows, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range, or <see cref="IdentificationEstimator.Options.Calibration"/> is missing.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// var verifier = ml.MetricLearning.Verify().Fit(ml.MetricLearning.CreatePairs(model.Transform(validation)));
    /// var identifier = ml.MetricLearning.Identify(new IdentificationEstimator.Options
    /// {
    ///     Calibration = verifier.Calibration,
    ///     Threshold = verifier.Calibration.ThresholdFor(0.02),
    ///     NumberOfCandidates = 5,
    /// }).Fit(model.Transform(test));
    /// </code>
    /// </example>
    public IdentificationEstimator Identify(IdentificationEstimator.Options options) => new(_context, options);
}
