namespace MLExtensions.Families.HiddenMarkov;

/// <summary>What is computed of a sequence; only what is asked for.</summary>
[Flags]
internal enum ScoreParts
{
    None = 0,
    Path = 1,
    Smoothed = 2,
    Filtered = 4,
    LogLikelihoods = 8,
}

/// <summary>Scores sequences, one at a time: 4 bytes for each number that is asked for.</summary>
internal sealed class MarkovScorer
{
    private readonly int _states;
    private readonly ScoreParts _parts;
    private readonly ForwardBackward _recursion;
    private readonly ViterbiDecoder _decoder;
    private int[] _path = [];
    private float[] _smoothed = [];
    private float[] _filtered = [];
    private double[] _logLikelihoods = [];

    public MarkovScorer(HiddenMarkovParameters parameters, ScoreParts parts)
    {
        (_states, _parts) = (parameters.NumberOfStates, parts);
        _recursion = new ForwardBackward(parameters, inLogSpace: false, forgives: true);
        _decoder = new ViterbiDecoder(parameters);
    }

    public double LogLikelihood { get; private set; }

    public double PathLogProbability { get; private set; }

    /// <summary>The number of observations that no state could emit.</summary>
    public int NumberOfImpossible => _recursion.Impossible.Count;

    /// <summary>Computes a sequence.</summary>
    /// <exception cref="InvalidOperationException">What is computed of it fits into no array.</exception>
    public void Score(ObservedSequence sequence)
    {
        if ((long)sequence.Length * _states > Array.MaxLength / 2)
            throw new InvalidOperationException(FormattableString.Invariant($"The sequence from row {sequence.FirstRow} on (the first row is 0) has {sequence.Length} rows; with {_states} states, sequences of up to {Array.MaxLength / 2 / _states} rows can be scored. Divide it."));
        Reserve(sequence.Length);
        var online = (_parts & (ScoreParts.Filtered | ScoreParts.LogLikelihoods)) == 0 ? (StateVisitor?)null : (position, probabilities, logLikelihood) =>
        {
            if (_parts.HasFlag(ScoreParts.LogLikelihoods))
                _logLikelihoods[position] = logLikelihood;
            if (_parts.HasFlag(ScoreParts.Filtered))
                Keep(probabilities, _filtered.AsSpan(position * _states, _states));
        };
        var smoothed = !_parts.HasFlag(ScoreParts.Smoothed) ? (StateVisitor?)null : (position, probabilities, _) => Keep(probabilities, _smoothed.AsSpan(position * _states, _states));
        LogLikelihood = _recursion.Run(sequence, online, smoothed);
        if (_parts.HasFlag(ScoreParts.Path))
            PathLogProbability = _decoder.Decode(sequence, _path);
    }

    public int State(int position) => _path[position];

    public double LogLikelihoodOf(int position) => _logLikelihoods[position];

    public ReadOnlySpan<float> Smoothed(int position) => _smoothed.AsSpan(position * _states, _states);

    public ReadOnlySpan<float> Filtered(int position) => _filtered.AsSpan(position * _states, _states);

    private void Reserve(int length)
    {
        Grow(ref _path, ScoreParts.Path, length);
        Grow(ref _smoothed, ScoreParts.Smoothed, checked(length * _states));
        Grow(ref _filtered, ScoreParts.Filtered, checked(length * _states));
        Grow(ref _logLikelihoods, ScoreParts.LogLikelihoods, length);
    }

    private void Grow<T>(ref T[] values, ScoreParts part, int length)
    {
        if (_parts.HasFlag(part) && values.Length < length)
            values = new T[length];
    }

    private static void Keep(ReadOnlySpan<double> probabilities, Span<float> destination)
    {
        for (var state = 0; state < probabilities.Length; state++)
            destination[state] = (float)probabilities[state];
    }
}
