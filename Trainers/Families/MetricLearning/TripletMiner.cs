namespace MLExtensions.Families.MetricLearning;

/// <summary>The squared distances of a batch in host memory, with its classes: mining and statistics read them.</summary>
/// <param name="distances">The squared distances of all pairs, row after row.</param>
/// <param name="classes">The class of each row.</param>
internal sealed class BatchDistances(float[] distances, int[] classes)
{
    public int Rows => classes.Length;

    /// <summary>The squared distance of two rows.</summary>
    public float this[int row, int other] => distances[(row * classes.Length) + other];

    public bool IsSame(int row, int other) => classes[row] == classes[other];

    /// <summary>The positives of a row: other rows of its class.</summary>
    public IEnumerable<int> Positives(int row) => Enumerable.Range(0, Rows).Where(other => other != row && IsSame(row, other));

    /// <summary>The mean squared distances of pairs, and how many triplets there are and violate a margin.</summary>
    public BatchSpread Measure(double margin)
    {
        var spread = new BatchSpread();
        var negatives = new float[Rows];
        for (var row = 0; row < Rows; row++)
        {
            var count = 0;
            for (var other = 0; other < Rows; other++)
            {
                if (IsSame(row, other))
                    continue;
                negatives[count++] = this[row, other];
                spread.DifferentSum += this[row, other];
            }
            spread.DifferentCount += count;
            var sorted = negatives.AsSpan(0, count);
            sorted.Sort();
            for (var other = 0; other < Rows; other++)
            {
                if (other == row || !IsSame(row, other))
                    continue;
                spread.SameSum += this[row, other];
                spread.SameCount++;
                spread.Triplets += count;
                spread.Active += SortedValues.Below<float>(sorted, (float)(this[row, other] + margin));
            }
        }
        return spread;
    }
}

/// <summary>Sums over the pairs and triplets of batches.</summary>
internal sealed class BatchSpread
{
    public double SameSum { get; set; }

    public double DifferentSum { get; set; }

    public long SameCount { get; set; }

    public long DifferentCount { get; set; }

    public long Triplets { get; set; }

    /// <summary>The triplets that violate the margin.</summary>
    public long Active { get; set; }

    /// <summary>The mean squared distance of pairs of a class.</summary>
    public double MeanSame => SameSum / Math.Max(1, SameCount);

    /// <summary>The mean squared distance of pairs of different classes.</summary>
    public double MeanDifferent => DifferentSum / Math.Max(1, DifferentCount);

    /// <summary>The share of triplets that violate the margin.</summary>
    public double ActiveShare => (double)Active / Math.Max(1, Triplets);

    public void Add(BatchSpread other)
    {
        SameSum += other.SameSum;
        DifferentSum += other.DifferentSum;
        SameCount += other.SameCount;
        DifferentCount += other.DifferentCount;
        Triplets += other.Triplets;
        Active += other.Active;
    }
}

/// <summary>Finds the triplets of a batch to learn from.</summary>
internal static class TripletMiner
{
    // Wu et al., 2017: Euclidean distances below the first count as it, and negatives beyond the second are left out.
    private const double NearestWeighted = 0.5;
    private const double FarthestWeighted = 1.4;

    /// <param name="loss">The settings.</param>
    /// <param name="batch">The distances of the batch.</param>
    /// <param name="size">The number of values of an embedding.</param>
    /// <param name="random">Draws negatives.</param>
    public static Triplets Mine(TripletLoss loss, BatchDistances batch, int size, ref SplitMix64 random)
    {
        var (anchors, positives, negatives) = (new List<int>(), new List<int>(), new List<int>());
        var candidates = new List<int>();
        for (var anchor = 0; anchor < batch.Rows; anchor++)
        {
            if (loss.Mining == TripletMining.Hard)
            {
                AddHardest(anchor);
                continue;
            }
            foreach (var positive in batch.Positives(anchor))
            {
                candidates.Clear();
                var distance = batch[anchor, positive];
                for (var negative = 0; negative < batch.Rows; negative++)
                {
                    if (!batch.IsSame(anchor, negative) && IsCandidate(loss, distance, batch[anchor, negative]))
                        candidates.Add(negative);
                }
                if (candidates.Count == 0)
                    continue;
                if (loss.Mining == TripletMining.All)
                    candidates.ForEach(negative => Add(anchor, positive, negative));
                else if (loss.Mining == TripletMining.DistanceWeighted)
                    Add(anchor, positive, Draw(candidates, batch, anchor, size, ref random));
                else
                    Add(anchor, positive, candidates[random.Next(candidates.Count)]);
            }
        }
        return new Triplets(anchors, positives, negatives);

        void Add(int anchor, int positive, int negative)
        {
            anchors.Add(anchor);
            positives.Add(positive);
            negatives.Add(negative);
        }

        void AddHardest(int anchor)
        {
            var (positive, negative) = (-1, -1);
            for (var row = 0; row < batch.Rows; row++)
            {
                if (row == anchor)
                    continue;
                if (!batch.IsSame(anchor, row))
                    negative = negative < 0 || batch[anchor, row] < batch[anchor, negative] ? row : negative;
                else
                    positive = positive < 0 || batch[anchor, row] > batch[anchor, positive] ? row : positive;
            }
            if (positive >= 0 && negative >= 0)
                Add(anchor, positive, negative);
        }
    }

    private static bool IsCandidate(TripletLoss loss, float ofPositive, float ofNegative) => loss.Mining switch
    {
        TripletMining.SemiHard => ofNegative - ofPositive < loss.Margin,
        TripletMining.StrictSemiHard => ofNegative > ofPositive && ofNegative - ofPositive < loss.Margin,
        TripletMining.DistanceWeighted => ofNegative < FarthestWeighted * FarthestWeighted,
        _ => true,
    };

    private static int Draw(List<int> candidates, BatchDistances batch, int anchor, int size, ref SplitMix64 random)
    {
        var weights = candidates.ConvertAll(negative => LogWeight(batch[anchor, negative], size));
        var largest = weights.Max();
        var sum = 0.0;
        for (var i = 0; i < weights.Count; i++)
            sum += weights[i] = Math.Exp(weights[i] - largest);
        var drawn = random.NextDouble() * sum;
        for (var i = 0; i < weights.Count; i++)
        {
            drawn -= weights[i];
            if (drawn < 0)
                return candidates[i];
        }
        return candidates[^1];
    }

    /// <summary>The logarithm of the inverse of the density of a distance between random points on the sphere, up to a constant.</summary>
    internal static double LogWeight(double squared, int size)
    {
        squared = Math.Max(squared, NearestWeighted * NearestWeighted);
        return -(((size - 2) * 0.5 * Math.Log(squared)) + ((size - 3) * 0.5 * Math.Log(1 - (squared / 4))));
    }
}
