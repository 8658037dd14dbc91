namespace MLExtensions.Families.HiddenMarkov;

/// <summary>Draws sequences from a model.</summary>
internal static class SequenceSampler
{
    /// <summary>Draws a sequence with its states.</summary>
    public static ObservedSequence Draw(HiddenMarkovParameters parameters, int length, int width, Random random)
    {
        var sequence = new ObservedSequence(width);
        var (states, state) = (parameters.NumberOfStates, 0);
        for (var position = 0; position < length; position++)
        {
            state = Choose(position == 0 ? parameters.Start : parameters.Transitions.Slice(state * states, states), random);
            parameters.Emissions.Draw(state, random, sequence);
            sequence.AddState(state);
        }
        return sequence;
    }

    public static int Choose(ReadOnlySpan<double> probabilities, Random random)
    {
        var left = random.NextDouble();
        var choice = -1;
        for (var i = 0; i < probabilities.Length && left >= 0; i++)
        {
            if (probabilities[i] == 0)
                continue;
            choice = i;
            left -= probabilities[i];
        }
        return choice;
    }

    /// <summary>A standard normal number (Box and Muller, 1958).</summary>
    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>Probabilities of which every mixture is as probable as every other: a Dirichlet distribution of ones.</summary>
    public static void Uniform(Span<double> probabilities, Random random)
    {
        foreach (ref var value in probabilities)
            value = -Math.Log(1 - random.NextDouble()) + 1e-300;
        HiddenMarkovParameters.Normalize(probabilities);
    }
}
