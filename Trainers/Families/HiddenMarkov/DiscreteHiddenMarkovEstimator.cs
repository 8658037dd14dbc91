using Microsoft.ML.Runtime;
using MLExtensions.Families.HiddenMarkov;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Trains a hidden Markov model of sequences of symbols: in each state each symbol has a probability.</summary>
/// <remarks>
/// <para>
/// EM (Baum and Welch) runs from several random beginnings, and the best result is taken: by the likelihood of what is held out
/// (<see cref="HiddenMarkovOptions.ValidationFraction"/>, or validation data), else of the training data. With a label column, states that are known are obeyed, and the others
/// are inferred. Missing observations say nothing. Probabilities of symbols have a floor in each iteration. The same seed gives the same bits,
/// whatever the number of threads.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Hidden states of sequences, with or without labels</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: sequences are held in memory, 4 bytes per row, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// </remarks>
public sealed class DiscreteHiddenMarkovEstimator : HiddenMarkovEstimator
{
    internal DiscreteHiddenMarkovEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(DiscreteHiddenMarkovEstimator), options)
    {
    }

    /// <summary>The options of <see cref="DiscreteHiddenMarkovEstimator"/>.</summary>
    public sealed class Options : HiddenMarkovOptions
    {
        /// <summary>
        /// The least probability of a symbol, in each iteration: a symbol that training did not meet in a state is not impossible there. It is at most half
        /// of 1 / symbols. 0 keeps what is impossible. Default 1e-6.
        /// </summary>
        public double EmissionFloor { get; set; } = 1e-6;

        /// <summary>Added to the expected number of each symbol in each state. Default 0.</summary>
        public double EmissionPseudoCount { get; set; }

        /// <summary>
        /// The symbols of a text column, in the order of <see cref="DiscreteEmissions.Probabilities"/>; other texts count as missing. Needed with
        /// <see cref="HiddenMarkovOptions.InitialParameters"/>, where observations are text. Default null: those of the training data, in the order in which they come.
        /// </summary>
        public IReadOnlyList<string>? SymbolNames { get; set; }

        internal override bool IsDiscrete => true;

        internal override IReadOnlyList<string>? KnownSymbols => SymbolNames;

        internal override double SymbolPseudoCount => EmissionPseudoCount;

        internal override EmissionStatistics CreateStatistics(HiddenMarkovEmissions emissions, DataSummary summary) =>
            new DiscreteStatistics((DiscreteEmissions)emissions, EmissionPseudoCount, FloorFor(summary));

        internal override HiddenMarkovEmissions CreateEmissions(int states, DataSummary summary, Random random) => RandomEmissions.Symbols(states, summary, FloorFor(summary), random);

        internal override string? WhyNot(HiddenMarkovEmissions emissions, ObservationFormat format) => emissions switch
        {
            not DiscreteEmissions => $"the emissions are {nameof(GaussianEmissions)}; symbols need {nameof(DiscreteEmissions)}.",
            _ when format.IsText && SymbolNames == null => $"the observations are text, whose order is not known; set {nameof(SymbolNames)}.",
            DiscreteEmissions discrete when discrete.NumberOfSymbols != format.Symbols => FormattableString.Invariant($"the emissions are of {discrete.NumberOfSymbols} symbols; column '{ObservationColumnName}' has {format.Symbols}."),
            _ => null,
        };

        internal override HiddenMarkovOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            copy.SymbolNames = SymbolNames?.ToArray();
            return copy;
        }

        internal override void Check()
        {
            base.Check();
            OptionCheck.Fraction(EmissionFloor, nameof(EmissionFloor));
            OptionCheck.NotNegative(EmissionPseudoCount, nameof(EmissionPseudoCount));
            if (SymbolNames == null)
                return;
            if (SymbolNames.Count == 0 || SymbolNames.Any(string.IsNullOrEmpty) || SymbolNames.Distinct(StringComparer.Ordinal).Count() < SymbolNames.Count)
                throw new ArgumentException($"{nameof(SymbolNames)} must be different texts, none of them empty.", nameof(SymbolNames));
        }

        private double FloorFor(DataSummary summary) => Math.Min(EmissionFloor, 0.5 / summary.SymbolCounts.Length);
    }
}
