using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions;

/// <summary>What the states of a hidden Markov model emit: <see cref="DiscreteEmissions"/> or <see cref="GaussianEmissions"/>. Immutable.</summary>
public abstract class HiddenMarkovEmissions
{
    private protected HiddenMarkovEmissions(int numberOfStates) => NumberOfStates = numberOfStates;

    /// <summary>The number of states.</summary>
    public int NumberOfStates { get; }

    /// <summary>The number of values that can be chosen freely, for information criteria.</summary>
    internal abstract long FreeParameters { get; }

    /// <summary>The probabilities or densities of observations in all states. Missing observations are not asked for.</summary>
    /// <param name="sequence">The observations.</param>
    /// <param name="position">Which of them.</param>
    /// <param name="asLogs">Whether logarithms are wanted.</param>
    /// <param name="densities">Receives a number for each state, divided by a common factor.</param>
    /// <returns>The logarithm of that factor.</returns>
    internal abstract double Fill(ObservedSequence sequence, int position, bool asLogs, Span<double> densities);

    /// <summary>The same emissions with states in another order.</summary>
    internal abstract HiddenMarkovEmissions Reorder(ReadOnlySpan<int> states);

    /// <summary>Draws what a state emits, and appends it.</summary>
    internal abstract void Draw(int state, Random random, ObservedSequence sequence);
}

/// <summary>Each state has a probability for each symbol.</summary>
public sealed class DiscreteEmissions : HiddenMarkovEmissions
{
    private readonly double[] _probabilities;
    private readonly double[] _bySymbol;
    private double[]? _logsBySymbol;

    /// <summary>Creates emissions.</summary>
    /// <param name="probabilities">The probability of each symbol (column) in each state (row). Rows sum up to 1.</param>
    /// <exception cref="ArgumentException">There are none, one is negative or not finite, or a sum is not 1; the message says where.</exception>
    public DiscreteEmissions(double[,] probabilities)
        : this(Check(probabilities), probabilities.GetLength(0))
    {
    }

    internal DiscreteEmissions(double[] probabilities, int states)
        : base(states)
    {
        _probabilities = probabilities;
        NumberOfSymbols = probabilities.Length / states;
        _bySymbol = new double[probabilities.Length];
        for (var i = 0; i < probabilities.Length; i++)
            _bySymbol[(i % NumberOfSymbols * states) + (i / NumberOfSymbols)] = probabilities[i];
    }

    /// <summary>The number of symbols.</summary>
    public int NumberOfSymbols { get; }

    /// <summary>The probability of each symbol (column) in each state (row), a copy.</summary>
    public double[,] Probabilities => HiddenMarkovParameters.Square(_probabilities, NumberOfStates, NumberOfSymbols);

    internal ReadOnlySpan<double> Values => _probabilities;

    internal override long FreeParameters => (long)NumberOfStates * (NumberOfSymbols - 1);

    internal override double Fill(ObservedSequence sequence, int position, bool asLogs, Span<double> densities)
    {
        var table = asLogs ? _logsBySymbol ??= Array.ConvertAll(_bySymbol, Math.Log) : _bySymbol;
        table.AsSpan(sequence.Symbols[position] * NumberOfStates, NumberOfStates).CopyTo(densities);
        return 0;
    }

    internal override HiddenMarkovEmissions Reorder(ReadOnlySpan<int> states)
    {
        var values = new List<double>();
        foreach (var state in states)
            values.AddRange(_probabilities.AsSpan(state * NumberOfSymbols, NumberOfSymbols));
        return new DiscreteEmissions([.. values], states.Length);
    }

    internal override void Draw(int state, Random random, ObservedSequence sequence) =>
        sequence.Add(SequenceSampler.Choose(_probabilities.AsSpan(state * NumberOfSymbols, NumberOfSymbols), random));

    private static double[] Check(double[,] probabilities)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        if (probabilities.Length == 0)
            throw new ArgumentException("There are no probabilities; there must be at least one state and one symbol.", nameof(probabilities));
        return HiddenMarkovParameters.Normalized(HiddenMarkovParameters.Flat(probabilities), probabilities.GetLength(1), "Emissions", nameof(probabilities));
    }
}
