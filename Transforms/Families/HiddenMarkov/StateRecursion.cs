namespace MLExtensions.Families.HiddenMarkov;

/// <summary>
/// One step of the forward and the backward recursion (Rabiner, 1989). Forward values are conditional on the observations so far and sum up to
/// 1; backward values are divided by the probabilities of the observations that they stand for, so that both can be multiplied as they are.
/// </summary>
internal abstract class StateRecursion
{
    public static StateRecursion Create(HiddenMarkovParameters parameters, bool inLogSpace) => inLogSpace ? new LogRecursion(parameters) : new ScaledRecursion(parameters);

    /// <summary>Whether numbers are logarithms.</summary>
    public abstract bool IsLog { get; }

    /// <summary>A certain event, and an impossible one.</summary>
    public double One => IsLog ? 0 : 1;

    public double Zero => IsLog ? double.NegativeInfinity : 0;

    /// <summary>The first forward values.</summary>
    /// <returns>The probability of the first observation; <see cref="Zero"/> if there is none.</returns>
    public abstract double Begin(ReadOnlySpan<double> densities, Span<double> forward);

    /// <summary>The next forward values.</summary>
    /// <returns>The probability of the observation after those before it; <see cref="Zero"/> if there is none.</returns>
    public abstract double Advance(ReadOnlySpan<double> previous, ReadOnlySpan<double> densities, Span<double> forward);

    /// <summary>Replaces backward values by those one step earlier, and counts transitions.</summary>
    /// <param name="forward">The forward values of the earlier step.</param>
    /// <param name="densities">Those of the later one; they are overwritten.</param>
    /// <param name="scale">What the forward recursion returned for the later one.</param>
    /// <param name="backward">The backward values.</param>
    /// <param name="counts">Receives expected counts for <see cref="FinishCounts"/>; empty if they are not wanted.</param>
    public abstract void Retreat(ReadOnlySpan<double> forward, Span<double> densities, double scale, Span<double> backward, Span<double> counts);

    /// <summary>The probabilities of states from forward and backward values.</summary>
    public abstract void Combine(ReadOnlySpan<double> forward, ReadOnlySpan<double> backward, Span<double> probabilities);

    /// <summary>Completes counts that <see cref="Retreat"/> gathered.</summary>
    public virtual void FinishCounts(Span<double> counts)
    {
    }
}

/// <summary>In probabilities: a division for each step.</summary>
internal sealed class ScaledRecursion(HiddenMarkovParameters parameters) : StateRecursion
{
    private readonly double[] _start = [.. parameters.Start];
    private readonly double[] _transitions = [.. parameters.Transitions];

    public override bool IsLog => false;

    public override double Begin(ReadOnlySpan<double> densities, Span<double> forward)
    {
        for (var state = 0; state < forward.Length; state++)
            forward[state] = _start[state] * densities[state];
        return Normalize(forward);
    }

    public override double Advance(ReadOnlySpan<double> previous, ReadOnlySpan<double> densities, Span<double> forward)
    {
        forward.Clear();
        for (var from = 0; from < previous.Length; from++)
        {
            var share = previous[from];
            var row = _transitions.AsSpan(from * forward.Length, forward.Length);
            for (var state = 0; state < row.Length; state++)
                forward[state] += share * row[state];
        }
        for (var state = 0; state < forward.Length; state++)
            forward[state] *= densities[state];
        return Normalize(forward);
    }

    public override void Retreat(ReadOnlySpan<double> forward, Span<double> densities, double scale, Span<double> backward, Span<double> counts)
    {
        for (var state = 0; state < backward.Length; state++)
            densities[state] *= backward[state] / scale;
        for (var from = 0; from < backward.Length; from++)
        {
            var sum = 0.0;
            var row = _transitions.AsSpan(from * backward.Length, backward.Length);
            for (var state = 0; state < row.Length; state++)
                sum += row[state] * densities[state];
            backward[from] = sum;
            if (counts.IsEmpty)
                continue;
            var share = forward[from];
            var counted = counts.Slice(from * row.Length, row.Length);
            for (var state = 0; state < counted.Length; state++)
                counted[state] += share * densities[state];
        }
    }

    public override void Combine(ReadOnlySpan<double> forward, ReadOnlySpan<double> backward, Span<double> probabilities)
    {
        for (var state = 0; state < probabilities.Length; state++)
            probabilities[state] = forward[state] * backward[state];
    }

    /// <summary>All transitions of a model have one probability, so it is multiplied once.</summary>
    public override void FinishCounts(Span<double> counts)
    {
        for (var i = 0; i < counts.Length; i++)
            counts[i] *= _transitions[i];
    }

    private static double Normalize(Span<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        if (!(sum > 0))
            return 0;
        var factor = 1 / sum;
        if (double.IsInfinity(factor))
            return 0;
        foreach (ref var value in values)
            value *= factor;
        return sum;
    }
}

/// <summary>In logarithms: slow, but no probability is too small.</summary>
internal sealed class LogRecursion : StateRecursion
{
    private readonly double[] _start;
    private readonly double[] _transitions;
    private readonly double[] _terms;

    public LogRecursion(HiddenMarkovParameters parameters)
    {
        _start = Array.ConvertAll(parameters.Start.ToArray(), Math.Log);
        _transitions = Array.ConvertAll(parameters.Transitions.ToArray(), Math.Log);
        _terms = new double[_start.Length];
    }

    public override bool IsLog => true;

    public override double Begin(ReadOnlySpan<double> densities, Span<double> forward)
    {
        for (var state = 0; state < forward.Length; state++)
            forward[state] = _start[state] + densities[state];
        return Normalize(forward);
    }

    public override double Advance(ReadOnlySpan<double> previous, ReadOnlySpan<double> densities, Span<double> forward)
    {
        for (var state = 0; state < forward.Length; state++)
        {
            for (var from = 0; from < previous.Length; from++)
                _terms[from] = previous[from] + _transitions[(from * forward.Length) + state];
            forward[state] = LogSum(_terms) + densities[state];
        }
        return Normalize(forward);
    }

    public override void Retreat(ReadOnlySpan<double> forward, Span<double> densities, double scale, Span<double> backward, Span<double> counts)
    {
        for (var state = 0; state < backward.Length; state++)
            densities[state] += backward[state] - scale;
        for (var from = 0; from < backward.Length; from++)
        {
            for (var state = 0; state < backward.Length; state++)
            {
                _terms[state] = _transitions[(from * backward.Length) + state] + densities[state];
                if (!counts.IsEmpty)
                    counts[(from * backward.Length) + state] += Math.Exp(forward[from] + _terms[state]);
            }
            backward[from] = LogSum(_terms);
        }
    }

    public override void Combine(ReadOnlySpan<double> forward, ReadOnlySpan<double> backward, Span<double> probabilities)
    {
        for (var state = 0; state < probabilities.Length; state++)
            probabilities[state] = Math.Exp(forward[state] + backward[state]);
    }

    public static double LogSum(ReadOnlySpan<double> terms)
    {
        var greatest = double.NegativeInfinity;
        foreach (var term in terms)
            greatest = Math.Max(greatest, term);
        if (double.IsNegativeInfinity(greatest))
            return greatest;
        var sum = 0.0;
        foreach (var term in terms)
            sum += Math.Exp(term - greatest);
        return greatest + Math.Log(sum);
    }

    private static double Normalize(Span<double> values)
    {
        var sum = LogSum(values);
        if (!double.IsNegativeInfinity(sum))
        {
            foreach (ref var value in values)
                value -= sum;
        }
        return sum;
    }
}
