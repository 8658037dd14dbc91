namespace MLExtensions.Families.HiddenMarkov;

/// <summary>Receives what is known of the state of an observation.</summary>
/// <param name="position">The observation, from 0.</param>
/// <param name="probabilities">The probabilities of the states.</param>
/// <param name="logLikelihood">The logarithm of the probability of the observation after those before it; NaN where it was not asked for.</param>
internal delegate void StateVisitor(int position, ReadOnlySpan<double> probabilities, double logLikelihood);

/// <summary>
/// The forward-backward algorithm. Long sequences are computed in blocks: the forward values at the beginning of each are kept, the others
/// are computed again on the way back, so that memory does not grow with states times observations.
/// </summary>
internal sealed class ForwardBackward
{
    private const int BlockValues = 1 << 16;
    private const int LeastBlock = 64;
    private const int CheckInterval = 1 << 12;

    private readonly bool _inLogSpace;
    private readonly bool _forgives;
    private readonly Action? _check;
    private readonly int _states;
    private readonly int _blockLength;
    private readonly double[] _backward;
    private readonly double[] _probabilities;
    private readonly List<int> _impossible = [];
    private HiddenMarkovParameters _parameters;
    private StateRecursion _recursion;
    private double[] _forward = [];
    private double[] _densities = [];
    private double[] _scales = [];
    private double[] _offsets = [];
    private double[] _marks = [];

    /// <param name="parameters">The model.</param>
    /// <param name="inLogSpace">Whether to compute in logarithms at once, not only where numbers become too small.</param>
    /// <param name="forgives">Whether an observation that is impossible counts as a missing one; else it is an exception.</param>
    /// <param name="check">Called now and then; throws to stop.</param>
    /// <param name="blockValues">The number of values of a block, for tests.</param>
    public ForwardBackward(HiddenMarkovParameters parameters, bool inLogSpace, bool forgives = false, Action? check = null, int blockValues = BlockValues)
    {
        (_parameters, _inLogSpace, _forgives, _check, _states) = (parameters, inLogSpace, forgives, check, parameters.NumberOfStates);
        _blockLength = Math.Max(blockValues < BlockValues ? 1 : LeastBlock, blockValues / _states);
        _recursion = StateRecursion.Create(parameters, inLogSpace);
        (_backward, _probabilities) = (new double[_states], new double[_states]);
    }

    /// <summary>The observations of the last sequence that no state can emit when they come; they count as missing.</summary>
    public IReadOnlyList<int> Impossible => _impossible;

    /// <summary>Goes on with other parameters of as many states, in the same memory.</summary>
    public void Use(HiddenMarkovParameters parameters) => (_parameters, _recursion) = (parameters, StateRecursion.Create(parameters, _inLogSpace));

    /// <summary>The logarithm of the probability of a sequence, and what is asked for besides.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="filtered">Receives the probabilities of states given the observations so far, in order; null if they are not wanted.</param>
    /// <param name="smoothed">Receives the probabilities of states given all observations, from the last observation to the first; null if they are not wanted.</param>
    /// <param name="transitions">Is added the expected number of each transition if states are smoothed; empty if they are not wanted.</param>
    /// <exception cref="FormatException">An observation is impossible; the message names the row.</exception>
    public double Run(ObservedSequence sequence, StateVisitor? filtered = null, StateVisitor? smoothed = null, Span<double> transitions = default)
    {
        _impossible.Clear();
        Reserve(sequence.Length);
        var (sum, usual) = (0.0, _recursion);
        try
        {
            // Probabilities that are too small for a number: once more, in logarithms.
            if (!TryForward(sequence, out sum))
            {
                _recursion = new LogRecursion(_parameters);
                TryForward(sequence, out sum);
            }
            if (filtered != null)
                Visit(sequence, filtered);
            if (smoothed != null)
                Backward(sequence, smoothed, transitions);
        }
        finally
        {
            _recursion = usual;
        }
        return sum;
    }

    private int Blocks(int length) => (length + _blockLength - 1) / _blockLength;

    private void Reserve(int length)
    {
        var rows = Math.Min(length, _blockLength);
        if (_scales.Length < rows)
        {
            rows = Math.Min(_blockLength, Math.Max(rows, 2 * _scales.Length));
            (_forward, _densities, _scales, _offsets) = (new double[rows * _states], new double[rows * _states], new double[rows], new double[rows]);
        }
        if (_marks.Length < Blocks(length) * _states)
            _marks = new double[Blocks(length) * _states];
    }

    /// <summary>Goes through all blocks; the last one is left in memory, of the others the last forward values.</summary>
    private bool TryForward(ObservedSequence sequence, out double sum)
    {
        sum = 0;
        for (var block = 0; block < Blocks(sequence.Length); block++)
        {
            var count = Compute(sequence, block);
            if (count < 0)
                return false;
            Row(_forward, count - 1).CopyTo(Row(_marks, block));
            sum += LogLikelihood(count);
        }
        sum = _impossible.Count > 0 ? double.NegativeInfinity : sum;
        return true;
    }

    private double LogLikelihood(int count)
    {
        var (sum, product) = (0.0, 1.0);
        for (var i = 0; i < count; i++)
        {
            sum += _offsets[i];
            if (_recursion.IsLog)
            {
                sum += _scales[i];
                continue;
            }
            // A logarithm for each step would be a third of the time.
            product *= _scales[i];
            if (product is > 1e-200 and < 1e200)
                continue;
            sum += Math.Log(product);
            product = 1;
        }
        return sum + Math.Log(product);
    }

    /// <summary>Computes a block; returns the number of its observations, or -1 if probabilities are too small for a number.</summary>
    private int Compute(ObservedSequence sequence, int block)
    {
        var first = block * _blockLength;
        var count = Math.Min(_blockLength, sequence.Length - first);
        for (var i = 0; i < count; i++)
        {
            if (i % CheckInterval == 0)
                _check?.Invoke();
            _offsets[i] = Fill(sequence, first + i, Row(_densities, i));
            _scales[i] = Step(block, first + i, i);
            if (_scales[i] != _recursion.Zero)
                continue;
            if (!_recursion.IsLog)
                return -1;
            if (!_forgives)
                throw new FormatException(FormattableString.Invariant($"Row {sequence.FirstRow + first + i} (the first row is 0): the observation{(sequence.State(first + i) < 0 ? "" : " with its state")} is impossible after those before it, as the initial parameters have it. Parameters that are 0 stay 0: make them larger, or use a floor or pseudo-counts."));
            _impossible.Add(first + i);
            sequence.SetMissing(first + i);
            _offsets[i] = Fill(sequence, first + i, Row(_densities, i));
            _scales[i] = Step(block, first + i, i);
        }
        return count;
    }

    private double Step(int block, int position, int i) => position == 0
        ? _recursion.Begin(Row(_densities, i), Row(_forward, i))
        : _recursion.Advance(i == 0 ? Row(_marks, block - 1) : Row(_forward, i - 1), Row(_densities, i), Row(_forward, i));

    private double Fill(ObservedSequence sequence, int position, Span<double> densities)
    {
        var offset = 0.0;
        if (sequence.IsMissing(position))
            densities.Fill(_recursion.One);
        else
            offset = _parameters.Emissions.Fill(sequence, position, _recursion.IsLog, densities);
        if (sequence.State(position) is var known && known >= 0)
        {
            var density = densities[known];
            densities.Fill(_recursion.Zero);
            densities[known] = density;
        }
        return offset;
    }

    /// <summary>Hands out forward values in order. They were computed once; all blocks but a lone one are computed again.</summary>
    private void Visit(ObservedSequence sequence, StateVisitor filtered)
    {
        var (blocks, next) = (Blocks(sequence.Length), 0);
        var impossible = _impossible.ToArray();
        for (var block = 0; block < blocks; block++)
        {
            var count = blocks == 1 ? sequence.Length : Compute(sequence, block);
            for (var i = 0; i < count; i++)
            {
                var position = (block * _blockLength) + i;
                if (_recursion.IsLog)
                    Exponentiate(Row(_forward, i));
                else
                    Row(_forward, i).CopyTo(_probabilities);
                var scale = _offsets[i] + (_recursion.IsLog ? _scales[i] : Math.Log(_scales[i]));
                var isImpossible = next < impossible.Length && impossible[next] == position;
                filtered(position, _probabilities, isImpossible ? double.NegativeInfinity : scale);
                next += isImpossible ? 1 : 0;
            }
        }
        if (blocks > 1)
            Compute(sequence, blocks - 1);
    }

    private void Exponentiate(ReadOnlySpan<double> logs)
    {
        for (var state = 0; state < logs.Length; state++)
            _probabilities[state] = Math.Exp(logs[state]);
    }

    private void Backward(ObservedSequence sequence, StateVisitor smoothed, Span<double> transitions)
    {
        var counts = transitions.IsEmpty ? [] : new double[transitions.Length];
        _backward.AsSpan().Fill(_recursion.One);
        var last = Blocks(sequence.Length) - 1;
        for (var block = last; block >= 0; block--)
        {
            var first = block * _blockLength;
            var count = block == last ? sequence.Length - first : Compute(sequence, block);
            for (var i = count - 1; i >= 0; i--)
            {
                if (i % CheckInterval == 0)
                    _check?.Invoke();
                _recursion.Combine(Row(_forward, i), _backward, _probabilities);
                smoothed(first + i, _probabilities, double.NaN);
                if (first + i > 0)
                    _recursion.Retreat(i == 0 ? Row(_marks, block - 1) : Row(_forward, i - 1), Row(_densities, i), _scales[i], _backward, counts);
            }
        }
        _recursion.FinishCounts(counts);
        for (var i = 0; i < counts.Length; i++)
            transitions[i] += counts[i];
    }

    private Span<double> Row(double[] values, int row) => values.AsSpan(row * _states, _states);
}
