using Microsoft.ML.Runtime;
using MLExtensions.Families.HiddenMarkov;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Trains a hidden Markov model of sequences of numbers or vectors: in each state they are normally distributed.</summary>
/// <remarks>
/// <para>
/// EM (Baum and Welch) runs from several beginnings, each from means of clusters, and the best result is taken: by the likelihood of what is held out
/// (<see cref="HiddenMarkovOptions.ValidationFraction"/>, or validation data), else of the training data. With a label column, states that are known are obeyed, and the others
/// are inferred. A vector with a NaN counts as missing, and says nothing. Covariances have a floor in each iteration. The same seed gives the same
/// bits, whatever the number of threads.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Hidden states of sequences, with or without labels</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: sequences are held in memory, 4 bytes per feature and row, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// </remarks>
public sealed class GaussianHiddenMarkovEstimator : HiddenMarkovEstimator
{
    internal GaussianHiddenMarkovEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(GaussianHiddenMarkovEstimator), options)
    {
    }

    /// <summary>The options of <see cref="GaussianHiddenMarkovEstimator"/>.</summary>
    public sealed class Options : GaussianHiddenMarkovOptions
    {
        internal override int Components => 1;
    }
}

/// <summary>
/// Trains a hidden Markov model of sequences of numbers or vectors: in each state they are drawn from a mixture of normal distributions.
/// </summary>
/// <inheritdoc cref="GaussianHiddenMarkovEstimator" path="/remarks"/>
public sealed class GaussianMixtureHiddenMarkovEstimator : HiddenMarkovEstimator
{
    internal GaussianMixtureHiddenMarkovEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(GaussianMixtureHiddenMarkovEstimator), options)
    {
    }

    /// <summary>The options of <see cref="GaussianMixtureHiddenMarkovEstimator"/>.</summary>
    public sealed class Options : GaussianHiddenMarkovOptions
    {
        internal const int DefaultNumberOfComponents = 2;
        private const int MaximumComponents = 10_000;

        /// <summary>The number of normal distributions of each state. Default 2.</summary>
        public int NumberOfComponents { get; set; } = DefaultNumberOfComponents;

        internal override int Components => NumberOfComponents;

        internal override void Check()
        {
            base.Check();
            OptionCheck.Count(NumberOfComponents, MaximumComponents, nameof(NumberOfComponents));
        }
    }
}

/// <summary>Options shared by the trainers of hidden Markov models that emit numbers.</summary>
public abstract class GaussianHiddenMarkovOptions : HiddenMarkovOptions
{
    private protected GaussianHiddenMarkovOptions()
    {
    }

    /// <summary>The form of the covariances. Default <see cref="CovarianceKind.Diagonal"/>.</summary>
    public CovarianceKind Covariance { get; set; }

    /// <summary>
    /// The least variance of a state in any direction, in each iteration, as a fraction of the variance of the data: no state shrinks to a
    /// point, whatever the units of features. Above 0 and at most 1. Default 1e-4.
    /// </summary>
    public double CovarianceFloor { get; set; } = 1e-4;

    internal override bool IsDiscrete => false;

    internal abstract int Components { get; }

    internal override EmissionStatistics CreateStatistics(HiddenMarkovEmissions emissions, DataSummary summary) => new GaussianStatistics((GaussianEmissions)emissions, summary, CovarianceFloor);

    internal override HiddenMarkovEmissions CreateEmissions(int states, DataSummary summary, Random random) => RandomEmissions.Normal(states, Components, Covariance, summary, random);

    internal override string? WhyNot(HiddenMarkovEmissions emissions, ObservationFormat format) => emissions is not GaussianEmissions gaussian
        ? $"the emissions are {nameof(DiscreteEmissions)}; numbers need {nameof(GaussianEmissions)}."
        : gaussian.NumberOfFeatures != format.Width ? FormattableString.Invariant($"the emissions are of {gaussian.NumberOfFeatures} features; column '{ObservationColumnName}' has {format.Width}.")
        : gaussian.NumberOfComponents != Components ? FormattableString.Invariant($"the emissions have {gaussian.NumberOfComponents} components a state; there should be {Components}.")
        : gaussian.Kind != Covariance ? $"the covariances are {gaussian.Kind}, but {nameof(Covariance)} is {Covariance}."
        : null;

    internal override void Check()
    {
        base.Check();
        OptionCheck.Defined(Covariance, nameof(Covariance));
        OptionCheck.Above(CovarianceFloor, 0, 1, nameof(CovarianceFloor));
    }
}
