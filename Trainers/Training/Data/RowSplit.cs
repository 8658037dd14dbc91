namespace MLExtensions.Training.Data;

/// <summary>Divides rows into those that train and those that validate.</summary>
internal static class RowSplit
{
    /// <summary>Sets a fraction aside, the same share of each class where there are classes.</summary>
    public static (int[] Training, int[] Validation) Stratified(TrainingRows rows, double fraction, int classCount, int seed)
    {
        var all = Enumerable.Range(0, rows.Count).ToArray();
        if (fraction == 0)
            return (all, []);
        var random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.ValidationSplit));
        random.Shuffle(all);
        var groups = all.GroupBy(row => classCount > 0 ? (int)rows.Labels[row][0] : 0);
        var training = new List<int>();
        var validation = new List<int>();
        foreach (var group in groups)
        {
            var members = group.ToArray();
            var aside = (int)Math.Round(members.Length * fraction, MidpointRounding.AwayFromZero);
            validation.AddRange(members.AsSpan(0, aside));
            training.AddRange(members.AsSpan(aside));
        }
        // In the data's own order: the epochs are shuffled anyway.
        training.Sort();
        validation.Sort();
        return (training.ToArray(), validation.ToArray());
    }

    /// <summary>Whether a row of a stream validates; the same in every pass.</summary>
    public static bool IsValidation(long row, double fraction, int seed) =>
        fraction > 0 && new SplitMix64(SeedSequence.Derive(seed, SeedSequence.ValidationSplit) ^ (ulong)row).NextDouble() < fraction;
}
