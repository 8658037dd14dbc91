using Microsoft.ML;
using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions;

/// <summary>Adds hidden Markov models to the context: <c>mlContext.HiddenMarkovModels</c>.</summary>
public static class HiddenMarkovModelsExtensions
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Trainers of hidden Markov models, and evaluation.</summary>
        /// <example>
        /// <code>
        /// var model = ml.HiddenMarkovModels.Trainers.Gaussian(numberOfStates: 2, sequenceColumnName: null).Fit(data);
        /// var states = model.Transform(data); // PredictedState, StateProbabilities, LogLikelihood, ...
        /// Console.WriteLine(ml.HiddenMarkovModels.Evaluate(model, data));
        /// </code>
        /// </example>
        public HiddenMarkovModelsCatalog HiddenMarkovModels => new(context);
    }
}

/// <summary>Trainers of hidden Markov models, and evaluation.</summary>
public sealed class HiddenMarkovModelsCatalog
{
    private readonly MLContext _context;

    internal HiddenMarkovModelsCatalog(MLContext context) => _context = context;

    /// <summary>The trainers.</summary>
    public HiddenMarkovModelsTrainers Trainers => new(_context);

    /// <summary>Measures how well a model explains sequences.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">Rows of sequences, with the columns that the model was trained on.</param>
    /// <param name="labelColumnName">The column of known states, a key, to measure accuracy by. Default null: no state is known.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <example>
    /// <code>
    /// var model = ml.HiddenMarkovModels.Trainers.Gaussian(numberOfStates: 2, sequenceColumnName: null).Fit(data);
    /// Console.WriteLine(ml.HiddenMarkovModels.Evaluate(model, data).LogLikelihoodPerObservation);
    /// </code>
    /// </example>
    public HiddenMarkovMetrics Evaluate(HiddenMarkovTransformer model, IDataView data, string? labelColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        return HiddenMarkovEvaluator.Evaluate(model, data, labelColumnName);
    }
}

/// <summary>Trainers of hidden Markov models.</summary>
public sealed class HiddenMarkovModelsTrainers
{
    private readonly MLContext _context;

    internal HiddenMarkovModelsTrainers(MLContext context) => _context = context;

    /// <summary>Trains a model of sequences of symbols.</summary>
    /// <param name="numberOfStates">The number of states, at least 1.</param>
    /// <param name="observationColumnName">The column of observations, a key or text. Default <c>Observation</c>.</param>
    /// <param name="sequenceColumnName">
    /// The column that says which sequence a row belongs to: a key, text or a whole number. The rows of a sequence must stand one after the other, in
    /// order. Null: all rows are one sequence. Default <c>Sequence</c>.
    /// </param>
    /// <param name="numberOfStarts">The number of random beginnings, of which the best one is taken. Default 10.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.HiddenMarkovModels.Trainers.Discrete(numberOfStates: 2).Fit(data);
    /// var emissions = (DiscreteEmissions)model.Parameters.Emissions;
    /// Console.WriteLine(emissions.Probabilities[0, 5]); // that of the sixth symbol in the first state
    /// </code>
    /// </example>
    public DiscreteHiddenMarkovEstimator Discrete(
        int numberOfStates,
        string observationColumnName = HiddenMarkovOptions.DefaultObservationColumnName,
        string? sequenceColumnName = HiddenMarkovOptions.DefaultSequenceColumnName,
        int numberOfStarts = HiddenMarkovOptions.DefaultNumberOfStarts) =>
        Discrete(Named(new DiscreteHiddenMarkovEstimator.Options(), numberOfStates, observationColumnName, sequenceColumnName, numberOfStarts));

    /// <summary>Trains a model of sequences of symbols, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.HiddenMarkovModels.Trainers.Discrete(new DiscreteHiddenMarkovEstimator.Options
    /// {
    ///     NumbersOfStates = [1, 2, 3, 4], // the one with the least Bayesian information criterion
    ///     NumberOfStarts = 20,
    ///     ValidationFraction = 0.2,
    /// }).Fit(data);
    /// foreach (var start in model.Starts)
    ///     Console.WriteLine(start);
    /// </code>
    /// </example>
    public DiscreteHiddenMarkovEstimator Discrete(DiscreteHiddenMarkovEstimator.Options options) => new(_context, options);

    /// <summary>Trains a model of sequences of numbers or vectors, which are normally distributed in each state.</summary>
    /// <param name="numberOfStates">The number of states, at least 1.</param>
    /// <param name="observationColumnName">The column of observations, a <c>Single</c> or a <c>Vector&lt;Single&gt;</c>. Default <c>Observation</c>.</param>
    /// <param name="sequenceColumnName">
    /// The column that says which sequence a row belongs to: a key, text or a whole number. The rows of a sequence must stand one after the other, in
    /// order. Null: all rows are one sequence. Default <c>Sequence</c>.
    /// </param>
    /// <param name="covariance">The form of the covariances. Default <see cref="CovarianceKind.Diagonal"/>.</param>
    /// <param name="numberOfStarts">The number of beginnings, of which the best one is taken. Default 10.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.HiddenMarkovModels.Trainers.Gaussian(numberOfStates: 2, sequenceColumnName: null).Fit(data);
    /// Console.WriteLine(((GaussianEmissions)model.Parameters.Emissions).Mean(state: 0)[0]);
    /// </code>
    /// </example>
    public GaussianHiddenMarkovEstimator Gaussian(
        int numberOfStates,
        string observationColumnName = HiddenMarkovOptions.DefaultObservationColumnName,
        string? sequenceColumnName = HiddenMarkovOptions.DefaultSequenceColumnName,
        CovarianceKind covariance = CovarianceKind.Diagonal,
        int numberOfStarts = HiddenMarkovOptions.DefaultNumberOfStarts) =>
        Gaussian(Named(new GaussianHiddenMarkovEstimator.Options { Covariance = covariance }, numberOfStates, observationColumnName, sequenceColumnName, numberOfStarts));

    /// <summary>Trains a model of sequences of numbers or vectors, which are normally distributed in each state, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.HiddenMarkovModels.Trainers.Gaussian(new GaussianHiddenMarkovEstimator.Options
    /// {
    ///     NumbersOfStates = [2],
    ///     SequenceColumnName = null,
    ///     Covariance = CovarianceKind.Full,
    ///     Tolerance = 1e-4,
    /// }).Fit(data);
    /// </code>
    /// </example>
    public GaussianHiddenMarkovEstimator Gaussian(GaussianHiddenMarkovEstimator.Options options) => new(_context, options);

    /// <summary>Trains a model of sequences of numbers or vectors, which are drawn from a mixture of normal distributions in each state.</summary>
    /// <param name="numberOfStates">The number of states, at least 1.</param>
    /// <param name="numberOfComponents">The number of normal distributions of each state. Default 2.</param>
    /// <param name="observationColumnName">The column of observations, a <c>Single</c> or a <c>Vector&lt;Single&gt;</c>. Default <c>Observation</c>.</param>
    /// <param name="sequenceColumnName">
    /// The column that says which sequence a row belongs to: a key, text or a whole number. The rows of a sequence must stand one after the other, in
    /// order. Null: all rows are one sequence. Default <c>Sequence</c>.
    /// </param>
    /// <param name="covariance">The form of the covariances. Default <see cref="CovarianceKind.Diagonal"/>.</param>
    /// <param name="numberOfStarts">The number of beginnings, of which the best one is taken. Default 10.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.HiddenMarkovModels.Trainers.GaussianMixture(numberOfStates: 2, numberOfComponents: 3, sequenceColumnName: null).Fit(data);
    /// </code>
    /// </example>
    public GaussianMixtureHiddenMarkovEstimator GaussianMixture(
        int numberOfStates,
        int numberOfComponents = GaussianMixtureHiddenMarkovEstimator.Options.DefaultNumberOfComponents,
        string observationColumnName = HiddenMarkovOptions.DefaultObservationColumnName,
        string? sequenceColumnName = HiddenMarkovOptions.DefaultSequenceColumnName,
        CovarianceKind covariance = CovarianceKind.Diagonal,
        int numberOfStarts = HiddenMarkovOptions.DefaultNumberOfStarts) =>
        GaussianMixture(Named(new GaussianMixtureHiddenMarkovEstimator.Options { Covariance = covariance, NumberOfComponents = numberOfComponents }, numberOfStates, observationColumnName, sequenceColumnName, numberOfStarts));

    /// <summary>Trains a model of sequences of numbers or vectors, which are drawn from a mixture of normal distributions in each state, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.HiddenMarkovModels.Trainers.GaussianMixture(new GaussianMixtureHiddenMarkovEstimator.Options
    /// {
    ///     NumbersOfStates = [2],
    ///     NumberOfComponents = 3,
    ///     SequenceColumnName = null,
    ///     ValidationFraction = 0.2,
    /// }).Fit(data);
    /// </code>
    /// </example>
    public GaussianMixtureHiddenMarkovEstimator GaussianMixture(GaussianMixtureHiddenMarkovEstimator.Options options) => new(_context, options);

    private static TOptions Named<TOptions>(TOptions options, int states, string observation, string? sequence, int starts)
        where TOptions : HiddenMarkovOptions
    {
        (options.NumbersOfStates, options.ObservationColumnName, options.SequenceColumnName, options.NumberOfStarts) = ([states], observation, sequence, starts);
        return options;
    }
}
