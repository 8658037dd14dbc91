namespace MLExtensions.Families.Reinforcement;

/// <summary>Chooses among actions by their values.</summary>
internal static class GreedyChoice
{
    /// <summary>
    /// The best allowed action, one of them at random if there are ties; any allowed one if none was ever tried.
    /// </summary>
    /// <param name="values">The values of the actions, NaN where an action was never tried; empty if the state is unknown.</param>
    /// <param name="count">The number of actions.</param>
    /// <param name="mask">Which actions are allowed, by the numbers of the environment; empty if all are.</param>
    /// <param name="keys">The numbers that the environment has for the actions; null if they are the same.</param>
    /// <param name="random">Breaks ties.</param>
    public static int Choose(ReadOnlySpan<double> values, int count, ReadOnlySpan<bool> mask, PolicyKeys? keys, Random random)
    {
        var (best, ties, greatest) = (-1, 0, double.NegativeInfinity);
        for (var tried = !values.IsEmpty; best < 0; tried = false)
        {
            for (var action = 0; action < count; action++)
            {
                if (!IsAllowed(mask, action, keys))
                    continue;
                var value = tried ? values[action] : 0;
                if (value > greatest)
                    (best, ties, greatest) = (action, 1, value);
                else if (value == greatest && random.Next(++ties) == 0)
                    best = action;
            }
            if (!tried && best < 0)
                throw new ArgumentException("No action that the policy knows is allowed.", nameof(mask));
        }
        return best;
    }

    /// <summary>Whether a mask of an environment allows the action at a place.</summary>
    public static bool IsAllowed(ReadOnlySpan<bool> mask, int action, PolicyKeys? keys)
    {
        if (mask.IsEmpty)
            return true;
        var place = keys?.NumberOf(action) - (keys?.Start ?? 0) ?? action;
        return (uint)place < (uint)mask.Length && mask[place];
    }
}
