namespace MLExtensions.Families.Reinforcement;

/// <summary>Counts the table of a Markov decision process from logged rows.</summary>
internal static class CountedTable
{
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public static TransitionTable Of(TransitionLog log, CancellationToken cancellation)
    {
        var actions = log.Actions.Count;
        var pairs = new SortedDictionary<(long Pair, int NextState, bool Terminated), (long Count, double Reward)>();
        ActionTable.CheckSize(log.States.Count, actions);
        var counts = new long[log.States.Count * actions];
        foreach (var row in log.Read(cancellation))
        {
            var pair = ((long)row.State * actions) + row.Action;
            // Where the next state is missing, any state does: nothing comes after it.
            var key = (pair, row.NextState < 0 ? row.State : row.NextState, row.Terminated);
            var (count, reward) = pairs.GetValueOrDefault(key);
            pairs[key] = (count + 1, reward + row.Reward);
            counts[pair]++;
        }
        if (pairs.Count == 0)
            throw new ArgumentException("There are no rows with a state and an action to learn from.");
        var first = new int[counts.Length + 1];
        var transitions = new StateTransition[pairs.Count];
        var place = 0;
        foreach (var (key, (count, reward)) in pairs)
        {
            transitions[place++] = new StateTransition(key.NextState, (double)count / counts[key.Pair], reward / count, key.Terminated);
            first[key.Pair + 1] = place;
        }
        for (var pair = 1; pair < first.Length; pair++)
            first[pair] = Math.Max(first[pair], first[pair - 1]);
        log.CountUnknownEnds(pairs.Where(pair => !pair.Key.Terminated && Begins(pair.Key.NextState) == 0).Sum(pair => pair.Value.Count));
        return new TransitionTable(log.States.Count, actions, first, transitions, counts, []);

        int Begins(int state) => first[(state + 1) * actions] - first[state * actions];
    }
}
