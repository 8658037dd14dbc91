namespace MLExtensions.Tests.Reinforcement;

/// <summary>Plays episodes by rules.</summary>
internal static class Play
{
    public static (double Return, int Length) Episode(IEnvironment environment, int? seed, Func<float[], int> act)
    {
        var (sum, length) = (0.0, 0);
        var observation = environment.Reset(seed).Observation.ToArray();
        while (true)
        {
            var step = environment.Step(act(observation));
            sum += step.Reward;
            length++;
            if (step.IsEnd)
                return (sum, length);
            observation = step.Observation.ToArray();
        }
    }

    /// <summary>A rule that keeps the pole of CartPole up.</summary>
    public static int Balance(ReadOnlySpan<float> o) => (3 * o[2]) + o[3] + (.1 * o[0]) + (.3 * o[1]) > 0 ? 1 : 0;
}
