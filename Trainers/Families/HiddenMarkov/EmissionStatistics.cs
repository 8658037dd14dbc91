namespace MLExtensions.Families.HiddenMarkov;

/// <summary>What the M step needs of emissions: sums over observations, weighted by the probabilities of states.</summary>
internal abstract class EmissionStatistics
{
    /// <summary>Adds an observation that is not missing.</summary>
    public abstract void Add(ObservedSequence sequence, int position, ReadOnlySpan<double> probabilities);

    /// <summary>The emissions that explain the sums best, with floors; those of states without observations stay what they are.</summary>
    public abstract HiddenMarkovEmissions Estimate();

    /// <summary>Emissions in which a state is like another one, but for noise.</summary>
    public abstract HiddenMarkovEmissions Split(HiddenMarkovEmissions emissions, int dead, int model, Random random);
}

/// <summary>Counts of symbols.</summary>
internal sealed class DiscreteStatistics(DiscreteEmissions emissions, double pseudoCount, double floor) : EmissionStatistics
{
    private const double Noise = 0.3;

    private readonly int _states = emissions.NumberOfStates;
    private readonly double[] _counts = new double[emissions.Values.Length];

    public override void Add(ObservedSequence sequence, int position, ReadOnlySpan<double> probabilities)
    {
        var counts = _counts.AsSpan(sequence.Symbols[position] * _states, _states);
        for (var state = 0; state < counts.Length; state++)
            counts[state] += probabilities[state];
    }

    public override HiddenMarkovEmissions Estimate()
    {
        var symbols = emissions.NumberOfSymbols;
        var result = emissions.Values.ToArray();
        for (var state = 0; state < _states; state++)
        {
            var row = result.AsSpan(state * symbols, symbols);
            var sum = 0.0;
            for (var symbol = 0; symbol < symbols; symbol++)
                sum += _counts[(symbol * _states) + state] + pseudoCount;
            if (sum < BaumWelch.LeastCount)
                continue;
            for (var symbol = 0; symbol < symbols; symbol++)
                row[symbol] = (_counts[(symbol * _states) + state] + pseudoCount) / sum;
            Raise(row, floor);
        }
        return new DiscreteEmissions(result, _states);
    }

    public override HiddenMarkovEmissions Split(HiddenMarkovEmissions estimated, int dead, int model, Random random)
    {
        var (values, symbols) = (((DiscreteEmissions)estimated).Values.ToArray(), emissions.NumberOfSymbols);
        var row = values.AsSpan(dead * symbols, symbols);
        values.AsSpan(model * symbols, symbols).CopyTo(row);
        foreach (ref var value in row)
            value *= Math.Exp(Noise * SequenceSampler.Normal(random));
        HiddenMarkovParameters.Normalize(row);
        Raise(row, floor);
        return new DiscreteEmissions(values, _states);
    }

    /// <summary>Raises probabilities to a floor: those above it share what is left, so that no others with this floor are more likely.</summary>
    internal static void Raise(Span<double> probabilities, double floor)
    {
        if (floor == 0)
            return;
        for (var raised = -1; ;)
        {
            var (count, above) = (0, 0.0);
            foreach (var value in probabilities)
            {
                if (value > floor)
                    above += value;
                else
                    count++;
            }
            if (count == raised || count == probabilities.Length)
                return;
            raised = count;
            var factor = (1 - (count * floor)) / above;
            foreach (ref var value in probabilities)
                value = value > floor ? value * factor : floor;
        }
    }
}
