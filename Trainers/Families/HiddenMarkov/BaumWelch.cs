using System.Diagnostics;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>How a start ended.</summary>
internal sealed record BaumWelchResult(HiddenMarkovParameters Parameters, EpochRecord Before, IReadOnlyList<EpochRecord> Records, double LogLikelihood, bool HasConverged, int Recovered);

/// <summary>The EM algorithm for hidden Markov models (Baum et al., 1970): one start.</summary>
/// <param name="data">The sequences.</param>
/// <param name="summary">What is known of them.</param>
/// <param name="options">The options.</param>
/// <param name="labels">The number of states that have labels; they are never split.</param>
/// <param name="check">Called now and then; throws to stop.</param>
internal sealed class BaumWelch(SequenceData data, DataSummary summary, HiddenMarkovOptions options, int labels, Action check)
{
    /// <summary>Below this expected count nothing can be said: parameters stay what they are.</summary>
    public const double LeastCount = 1e-8;

    private const double DeadCount = 1e-3;
    private const int MostRecoveries = 3; // of a state; one that dies again and again is not needed

    private readonly Stopwatch _watch = new();

    /// <summary>Runs EM.</summary>
    /// <param name="parameters">The parameters to start from.</param>
    /// <param name="random">Random numbers for states that are split.</param>
    /// <param name="report">Receives each iteration; null for none.</param>
    public BaumWelchResult Run(HiddenMarkovParameters parameters, Random random, Action<EpochRecord>? report)
    {
        // Parameters that are only taken may hold rows for impossible, as in scoring.
        var recursion = new ForwardBackward(parameters, options.ComputeInLogSpace, forgives: options.MaximumIterations == 0, check);
        _watch.Restart();
        var counts = Expect(parameters, recursion);
        var before = Record(0, counts, 0);
        var (records, recovered, converged) = (new List<EpochRecord>(), 0, false);
        for (var iteration = 1; iteration <= options.MaximumIterations && !converged; iteration++)
        {
            _watch.Restart();
            var next = Maximize(parameters, counts);
            var split = recovered < MostRecoveries * parameters.NumberOfStates ? Recover(ref next, counts, random) : 0;
            var following = Expect(next, recursion);
            records.Add(Record(iteration, following, split));
            report?.Invoke(records[^1]);
            var gain = Objective(next, following) - Objective(parameters, counts);
            converged = options.Tolerance > 0 && split == 0 && gain < options.Tolerance;
            (parameters, counts, recovered) = (next, following, recovered + split);
        }
        return new BaumWelchResult(parameters, before, records, counts.LogLikelihood, converged, recovered);
    }

    /// <summary>The first step of partly labelled data: parameters that are counted in what is known, with random ones as if they had been counted once.</summary>
    public HiddenMarkovParameters CountLabels(HiddenMarkovParameters parameters)
    {
        var (states, certain) = (parameters.NumberOfStates, new double[parameters.NumberOfStates]);
        var counts = new ExpectedCounts(states, options.CreateStatistics(parameters.Emissions, summary));
        parameters.Start.CopyTo(counts.Start);
        parameters.Transitions.CopyTo(counts.Transitions);
        foreach (var sequence in data.Read().Where(sequence => sequence.HasStates))
        {
            for (var position = 0; position < sequence.Length; position++)
            {
                var state = sequence.State(position);
                if (state < 0)
                    continue;
                if (position == 0)
                    counts.Start[state]++;
                else if (sequence.State(position - 1) is var last && last >= 0)
                    counts.Transitions[(last * states) + state]++;
                if (sequence.IsMissing(position))
                    continue;
                certain[state] = 1;
                counts.Emissions.Add(sequence, position, certain);
                certain[state] = 0;
            }
        }
        var counted = counts.Emissions.Estimate();
        // Symbols that only other rows have must stay possible.
        if (counted is DiscreteEmissions discrete && parameters.Emissions is DiscreteEmissions initial)
            counted = new DiscreteEmissions(discrete.Values.ToArray().Zip(initial.Values.ToArray(), (known, guess) => (0.9 * known) + (0.1 * guess)).ToArray(), states);
        return Maximize(parameters, counts, counted);
    }

    private ExpectedCounts Expect(HiddenMarkovParameters parameters, ForwardBackward recursion)
    {
        recursion.Use(parameters);
        var counts = new ExpectedCounts(parameters.NumberOfStates, options.CreateStatistics(parameters.Emissions, summary));
        ObservedSequence? current = null;
        StateVisitor visitor = (position, probabilities, _) => counts.Add(current!, position, probabilities);
        foreach (var sequence in data.Read())
        {
            check();
            current = sequence;
            counts.LogLikelihood += recursion.Run(sequence, smoothed: visitor, transitions: counts.Transitions);
        }
        return counts;
    }

    private HiddenMarkovParameters Maximize(HiddenMarkovParameters parameters, ExpectedCounts counts, HiddenMarkovEmissions? emissions = null)
    {
        var (start, transitions, states) = (parameters.Start.ToArray(), parameters.Transitions.ToArray(), parameters.NumberOfStates);
        if (!options.FixedStart)
            Estimate(start, counts.Start, options.StartPseudoCount);
        for (var state = 0; state < states && !options.FixedTransitions; state++)
            Estimate(transitions.AsSpan(state * states, states), counts.Transitions.AsSpan(state * states, states), options.TransitionPseudoCount);
        return new HiddenMarkovParameters(start, transitions, options.FixedEmissions ? parameters.Emissions : emissions ?? counts.Emissions.Estimate());
    }

    private static void Estimate(Span<double> probabilities, ReadOnlySpan<double> counts, double pseudoCount)
    {
        var sum = pseudoCount * counts.Length;
        foreach (var count in counts)
            sum += count;
        if (sum < LeastCount)
            return;
        for (var i = 0; i < counts.Length; i++)
            probabilities[i] = (counts[i] + pseudoCount) / sum;
    }

    /// <summary>Gives dead states half of what the busiest one does: that changes no likelihood but for the noise that tells them apart.</summary>
    private int Recover(ref HiddenMarkovParameters parameters, ExpectedCounts counts, Random random)
    {
        if (!options.RecoverDeadStates || options.FixedTransitions || options.FixedEmissions)
            return 0;
        var states = parameters.NumberOfStates;
        var dead = Enumerable.Range(0, states).Where(state => state >= labels && counts.States[state] < DeadCount).ToArray();
        var model = Enumerable.Range(labels, states - labels).DefaultIfEmpty(-1).MaxBy(state => state < 0 ? 0 : counts.States[state]);
        if (dead.Length == 0 || dead.Contains(model))
            return 0;
        foreach (var state in dead)
        {
            var (start, transitions) = (parameters.Start.ToArray(), parameters.Transitions.ToArray());
            transitions.AsSpan(model * states, states).CopyTo(transitions.AsSpan(state * states, states));
            for (var from = 0; from < states; from++)
                Halve(transitions.AsSpan(from * states, states), state);
            if (!options.FixedStart)
                Halve(start, state);
            parameters = new HiddenMarkovParameters(start, transitions, counts.Emissions.Split(parameters.Emissions, state, model, random));
        }
        return dead.Length;

        void Halve(Span<double> probabilities, int state)
        {
            probabilities[state] = probabilities[model] /= 2;
            HiddenMarkovParameters.Normalize(probabilities);
        }
    }

    /// <summary>What EM makes larger: pseudo-counts are a prior.</summary>
    private double Objective(HiddenMarkovParameters parameters, ExpectedCounts counts)
    {
        var prior = Sum(parameters.Start, options.FixedStart ? 0 : options.StartPseudoCount) + Sum(parameters.Transitions, options.FixedTransitions ? 0 : options.TransitionPseudoCount)
            + (parameters.Emissions is DiscreteEmissions discrete ? Sum(discrete.Values, options.FixedEmissions ? 0 : options.SymbolPseudoCount) : 0);
        // What began with zeros has no prior probability, and no gain to compare.
        return counts.LogLikelihood + Math.Max(prior, -1e300);

        static double Sum(ReadOnlySpan<double> probabilities, double pseudoCount)
        {
            var sum = 0.0;
            for (var i = 0; i < probabilities.Length && pseudoCount > 0; i++)
                sum += pseudoCount * Math.Log(probabilities[i]);
            return sum;
        }
    }

    private EpochRecord Record(int iteration, ExpectedCounts counts, int recovered)
    {
        var metrics = new Dictionary<string, double> { ["loss"] = -counts.LogLikelihood / data.NumberOfObservations, ["log-likelihood"] = counts.LogLikelihood };
        if (recovered > 0)
            metrics["recovered states"] = recovered;
        return new EpochRecord { Epoch = iteration, LearningRate = 0, Seconds = _watch.Elapsed.TotalSeconds, Examples = data.NumberOfObservations, Training = metrics };
    }
}

/// <summary>The expected counts of an E step.</summary>
internal sealed class ExpectedCounts(int states, EmissionStatistics emissions)
{
    public double LogLikelihood { get; set; }

    public double[] Start { get; } = new double[states];

    public double[] Transitions { get; } = new double[states * states];

    /// <summary>The expected number of observations of each state.</summary>
    public double[] States { get; } = new double[states];

    public EmissionStatistics Emissions => emissions;

    public void Add(ObservedSequence sequence, int position, ReadOnlySpan<double> probabilities)
    {
        for (var state = 0; state < states; state++)
            States[state] += probabilities[state];
        if (position == 0)
        {
            for (var state = 0; state < states; state++)
                Start[state] += probabilities[state];
        }
        if (!sequence.IsMissing(position))
            emissions.Add(sequence, position, probabilities);
    }
}
