using MLExtensions.Families.HiddenMarkov;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Options shared by the trainers of hidden Markov models. They are checked and copied when the estimator is created: changing them
/// afterwards has no effect.
/// </summary>
public abstract class HiddenMarkovOptions
{
    internal const string DefaultObservationColumnName = "Observation";
    internal const string DefaultSequenceColumnName = "Sequence";
    internal const int DefaultNumberOfStarts = 10;
    private const int MaximumThreads = 1024;

    private protected HiddenMarkovOptions()
    {
    }

    /// <summary>The column of observations. Default <c>Observation</c>.</summary>
    public string ObservationColumnName { get; set; } = DefaultObservationColumnName;

    /// <summary>
    /// The column that says which sequence a row belongs to: a key, text or a whole number. The rows of a sequence must stand one after the
    /// other, in order. Null: all rows are one sequence. Default <c>Sequence</c>.
    /// </summary>
    public string? SequenceColumnName { get; set; } = DefaultSequenceColumnName;

    /// <summary>
    /// The column of known states, a key. Where it is missing, the state is unknown: known, unknown and mixed sequences can be trained on
    /// together. Labels are the first states, and give them their names. Default null: no state is known.
    /// </summary>
    public string? LabelColumnName { get; set; }

    /// <summary>
    /// The number of states; several, to choose the one with the least Bayesian information criterion. Default empty: as many as there are labels,
    /// or as <see cref="InitialParameters"/> have.
    /// </summary>
    public IReadOnlyList<int> NumbersOfStates { get; set; } = [];

    /// <summary>The column that the transformer adds for the state on the most probable path, a key; null for none. Default <c>PredictedState</c>.</summary>
    public string? PredictedStateColumnName { get; set; } = "PredictedState";

    /// <summary>
    /// The column that the transformer adds for the probabilities of states given the whole sequence (smoothed), a <c>Vector&lt;Single&gt;</c>; null for
    /// none. Default <c>StateProbabilities</c>.
    /// </summary>
    public string? StateProbabilitiesColumnName { get; set; } = "StateProbabilities";

    /// <summary>
    /// The column that the transformer adds for the probabilities of states given the rows so far (filtered), a <c>Vector&lt;Single&gt;</c>; null for
    /// none. Default <c>FilteredProbabilities</c>.
    /// </summary>
    public string? FilteredProbabilitiesColumnName { get; set; } = "FilteredProbabilities";

    /// <summary>
    /// The column that the transformer adds for the logarithm of the probability of a row after those before it, a <c>Double</c>: low where something is
    /// unusual. Null for none. Default <c>LogLikelihood</c>.
    /// </summary>
    public string? LogLikelihoodColumnName { get; set; } = "LogLikelihood";

    /// <summary>
    /// The column that the transformer adds for the logarithm of the probability of the whole sequence, a <c>Double</c>; null for none. Default
    /// <c>SequenceLogLikelihood</c>.
    /// </summary>
    public string? SequenceLogLikelihoodColumnName { get; set; } = "SequenceLogLikelihood";

    /// <summary>
    /// The number of beginnings from which EM is run; the best one is taken, by the likelihood of what is held out, or of the training data if nothing
    /// is. 1 with <see cref="InitialParameters"/>. Default 10.
    /// </summary>
    public int NumberOfStarts { get; set; } = DefaultNumberOfStarts;

    /// <summary>The largest number of iterations of each start; 0 takes <see cref="InitialParameters"/> as they are. Default 200.</summary>
    public int MaximumIterations { get; set; } = 200;

    /// <summary>
    /// A start ends when the log-likelihood of the training data grew by less in an iteration. EM is slow: much more than that may still be to come, a hundred times as much where
    /// states are hard to tell apart. 0: it always takes <see cref="MaximumIterations"/>. Default 0.01.
    /// </summary>
    public double Tolerance { get; set; } = 0.01;

    /// <summary>
    /// The fraction of the training data that is held out to choose among starts, in [0, 1): whole sequences at random, or the end if there is
    /// only one, as a sequence of its own. Ignored if <c>Fit</c> gets validation data. Default 0.
    /// </summary>
    public double ValidationFraction { get; set; }

    /// <summary>
    /// Whether to compute in logarithms. That is much slower and gives the same; sequences whose numbers become too small are computed so in any case. Default
    /// false.
    /// </summary>
    public bool ComputeInLogSpace { get; set; }

    /// <summary>Whether sequences are held in memory, or read again in each iteration, one at a time. Default <see cref="Buffering.InMemory"/>.</summary>
    public Buffering Buffering { get; set; }

    /// <summary>The parameters to start from. What is 0 in them stays 0, but for floors and pseudo-counts. Default null: random ones.</summary>
    public HiddenMarkovParameters? InitialParameters { get; set; }

    /// <summary>Whether the start probabilities stay what they are initially. Default false.</summary>
    public bool FixedStart { get; set; }

    /// <summary>Whether the transition probabilities stay what they are initially. Default false.</summary>
    public bool FixedTransitions { get; set; }

    /// <summary>Whether the emissions stay what they are initially. Default false.</summary>
    public bool FixedEmissions { get; set; }

    /// <summary>Added to the expected number of sequences that begin in each state. Default 0.</summary>
    public double StartPseudoCount { get; set; }

    /// <summary>Added to the expected number of each transition: above 0, no transition becomes impossible. Default 0.</summary>
    public double TransitionPseudoCount { get; set; }

    /// <summary>
    /// Whether a state that explains nothing anymore is given half of the state that explains most, with a little noise. Else it stays as it is. Default true.
    /// </summary>
    public bool RecoverDeadStates { get; set; } = true;

    /// <summary>Seed of all random numbers. Default null: the seed of the MLContext, or a random one.</summary>
    public int? Seed { get; set; }

    /// <summary>
    /// The number of starts that are run side by side. The result does not depend on it. Streamed data is read by one at a time. Default null: as many as there are
    /// processor cores.
    /// </summary>
    public int? ThreadCount { get; set; }

    /// <summary>
    /// Receives progress reports, one at a time, from any thread; <see cref="ConsoleProgress"/> shows them. An epoch is an iteration if there is one start, else a start. Default
    /// null: none.
    /// </summary>
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Cancels the training; <c>Fit</c> then throws <see cref="OperationCanceledException"/>. Default: not cancelable.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal abstract bool IsDiscrete { get; }

    /// <summary>The symbols of text in order; null if they are found in the data.</summary>
    internal virtual IReadOnlyList<string>? KnownSymbols => null;

    /// <summary>Added to the expected number of each symbol in each state.</summary>
    internal virtual double SymbolPseudoCount => 0;

    internal HiddenMarkovOutputs Outputs => new(PredictedStateColumnName, StateProbabilitiesColumnName, FilteredProbabilitiesColumnName, LogLikelihoodColumnName, SequenceLogLikelihoodColumnName);

    internal SequenceColumns Columns => new(ObservationColumnName, SequenceColumnName, LabelColumnName);

    /// <summary>What is counted of emissions in an iteration.</summary>
    internal abstract EmissionStatistics CreateStatistics(HiddenMarkovEmissions emissions, DataSummary summary);

    /// <summary>Emissions to begin with, drawn at random.</summary>
    internal abstract HiddenMarkovEmissions CreateEmissions(int states, DataSummary summary, Random random);

    /// <summary>Why given emissions do not suit the options, or null.</summary>
    internal abstract string? WhyNot(HiddenMarkovEmissions emissions, ObservationFormat format);

    internal virtual HiddenMarkovOptions Snapshot()
    {
        var copy = (HiddenMarkovOptions)MemberwiseClone();
        copy.NumbersOfStates = NumbersOfStates.ToArray();
        return copy;
    }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal virtual void Check()
    {
        OptionCheck.NotEmpty(ObservationColumnName, nameof(ObservationColumnName));
        foreach (var (name, option) in Names())
        {
            if (name != null)
                OptionCheck.NotEmpty(name, option);
        }
        var twice = Names().Skip(2).Where(pair => pair.Name != null).GroupBy(pair => pair.Name).FirstOrDefault(group => group.Count() > 1);
        if (twice != null)
            throw new ArgumentException($"{string.Join(" and ", twice.Select(pair => pair.Option))} are all '{twice.Key}'; columns that are added need different names.", twice.First().Option);
        // The path may take the place of what is read; the rest is beside it.
        foreach (var (name, option) in Names().Skip(3))
            Messages.ColumnNames.RequireOther(name, option, [(ObservationColumnName, nameof(ObservationColumnName)), .. Names().Take(2)]);
        OptionCheck.NotNull(NumbersOfStates, nameof(NumbersOfStates));
        for (var i = 0; i < NumbersOfStates.Count; i++)
            OptionCheck.Count(NumbersOfStates[i], HiddenMarkovParameters.MaximumStates, FormattableString.Invariant($"{nameof(NumbersOfStates)}[{i}]"));
        if (NumbersOfStates.Distinct().Count() < NumbersOfStates.Count)
            throw new ArgumentException($"{nameof(NumbersOfStates)} has a number twice.", nameof(NumbersOfStates));
        OptionCheck.AtLeast(NumberOfStarts, 1, nameof(NumberOfStarts));
        OptionCheck.Require(MaximumIterations >= (InitialParameters != null ? 0 : 1), MaximumIterations, nameof(MaximumIterations), $"at least 1, or 0 with {nameof(InitialParameters)}");
        OptionCheck.NotNegative(Tolerance, nameof(Tolerance));
        OptionCheck.Fraction(ValidationFraction, nameof(ValidationFraction));
        OptionCheck.Defined(Buffering, nameof(Buffering));
        OptionCheck.NotNegative(StartPseudoCount, nameof(StartPseudoCount));
        OptionCheck.NotNegative(TransitionPseudoCount, nameof(TransitionPseudoCount));
        OptionCheck.Count(ThreadCount ?? 1, MaximumThreads, nameof(ThreadCount));
        if (NumbersOfStates.Count == 0 && LabelColumnName == null && InitialParameters == null)
            throw new ArgumentException($"{nameof(NumbersOfStates)} is empty; it must have a number, unless there is a {nameof(LabelColumnName)} or {nameof(InitialParameters)}.", nameof(NumbersOfStates));
        if (InitialParameters is { } given && (NumbersOfStates.Count > 1 || (NumbersOfStates.Count == 1 && NumbersOfStates[0] != given.NumberOfStates)))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(NumbersOfStates)} is {NumberList.Of(NumbersOfStates)}, but {nameof(InitialParameters)} have {given.NumberOfStates} states."), nameof(NumbersOfStates));
        if (InitialParameters is null && (FixedStart || FixedTransitions || FixedEmissions))
            throw new ArgumentException($"{(FixedStart ? nameof(FixedStart) : FixedTransitions ? nameof(FixedTransitions) : nameof(FixedEmissions))} is true, but there are no {nameof(InitialParameters)} that could stay what they are.", nameof(InitialParameters));
    }

    private IEnumerable<(string? Name, string Option)> Names() =>
    [
        (SequenceColumnName, nameof(SequenceColumnName)), (LabelColumnName, nameof(LabelColumnName)), (PredictedStateColumnName, nameof(PredictedStateColumnName)),
        (StateProbabilitiesColumnName, nameof(StateProbabilitiesColumnName)), (FilteredProbabilitiesColumnName, nameof(FilteredProbabilitiesColumnName)),
        (LogLikelihoodColumnName, nameof(LogLikelihoodColumnName)), (SequenceLogLikelihoodColumnName, nameof(SequenceLogLikelihoodColumnName)),
    ];
}
