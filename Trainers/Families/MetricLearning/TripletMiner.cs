using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MLExtensions.Families.MetricLearning;

/// <summary>The squared distances of a batch in host memory, with its classes: mining and statistics read them.</summary>
/// <param name="distances">The squared distances of all pairs, row after row.</param>
/// <param name="classes">The class of each row.</param>
internal sealed class BatchDistances(float[] distances, int[] classes)
{
    private readonly int[] _positives = new int[classes.Length];
    private readonly int[] _negatives = new int[classes.Length];
    private readonly float[] _ofNegatives = new float[classes.Length];

    public int Rows => classes.Length;

    /// <summary>The squared distance of two rows.</summary>
    public float this[int row, int other] => distances[(row * classes.Length) + other];

    /// <summary>Sorts the other rows of a batch by whether they have the class of an anchor. Only the last result is valid.</summary>
    public Surroundings Around(int anchor)
    {
        var (positives, negatives) = (0, 0);
        var of = distances.AsSpan(anchor * classes.Length, classes.Length);
        for (var row = 0; row < of.Length; row++)
        {
            if (classes[row] != classes[anchor])
            {
                _ofNegatives[negatives] = of[row];
                _negatives[negatives++] = row;
            }
            else if (row != anchor)
            {
                _positives[positives++] = row;
            }
        }
        return new Surroundings { Positives = _positives.AsSpan(0, positives), Negatives = _negatives.AsSpan(0, negatives), OfNegatives = _ofNegatives.AsSpan(0, negatives) };
    }

    /// <summary>The mean squared distances of pairs, and how many triplets there are and violate a margin.</summary>
    public BatchSpread Measure(double margin)
    {
        var spread = new BatchSpread();
        for (var row = 0; row < Rows; row++)
        {
            var around = Around(row);
            spread.DifferentCount += around.Negatives.Length;
            spread.DifferentSum += TensorPrimitives.Sum(around.OfNegatives);
            spread.Triplets += (long)around.Positives.Length * around.Negatives.Length;
            foreach (var positive in around.Positives)
            {
                spread.SameSum += this[row, positive];
                spread.SameCount++;
                spread.Active += new NegativeRule(this[row, positive], margin).Count(around.OfNegatives);
            }
        }
        return spread;
    }

    /// <summary>The rows around an anchor.</summary>
    internal readonly ref struct Surroundings
    {
        /// <summary>Other rows of its class.</summary>
        public required ReadOnlySpan<int> Positives { get; init; }

        /// <summary>Rows of other classes.</summary>
        public required ReadOnlySpan<int> Negatives { get; init; }

        /// <summary>The squared distances of <see cref="Negatives"/> from the anchor.</summary>
        public required ReadOnlySpan<float> OfNegatives { get; init; }
    }
}

/// <summary>Which negatives are taken: those with a distance above <c>least</c> that exceeds <c>from</c> by less than a margin.</summary>
internal readonly struct NegativeRule
{
    private readonly float _from;
    private readonly float _margin;
    private readonly float _least;

    public NegativeRule(float from, double margin, float least = float.NegativeInfinity)
    {
        // A float is below the margin if it is below the first float that is not.
        (_from, _margin, _least) = (from, (float)margin, least);
        if (_margin < margin)
            _margin = MathF.BitIncrement(_margin);
    }

    /// <summary>How many distances are taken.</summary>
    public int Count(ReadOnlySpan<float> distances)
    {
        var counts = Vector<int>.Zero;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(distances);
        foreach (var vector in vectors)
            counts -= Takes(vector);
        var count = Vector.Sum(counts);
        foreach (var distance in distances[(vectors.Length * Vector<float>.Count)..])
            count += Takes(distance) ? 1 : 0;
        return count;
    }

    /// <summary>The place of one of the distances that are taken, by its number among them.</summary>
    public int Find(ReadOnlySpan<float> distances, int number)
    {
        var place = 0;
        for (; place + Vector<float>.Count <= distances.Length; place += Vector<float>.Count)
        {
            var count = -Vector.Sum(Takes(new Vector<float>(distances[place..])));
            if (count > number)
                break;
            number -= count;
        }
        while (!Takes(distances[place]) || number-- > 0)
            place++;
        return place;
    }

    public bool Takes(float distance) => distance > _least && distance - _from < _margin;

    /// <summary>-1 for each that is taken, 0 for others.</summary>
    private Vector<int> Takes(Vector<float> distances) =>
        Vector.GreaterThan(distances, new Vector<float>(_least)) & Vector.LessThan(distances - new Vector<float>(_from), new Vector<float>(_margin));
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
        var triplets = new Triplets();
        for (var anchor = 0; anchor < batch.Rows; anchor++)
        {
            var around = batch.Around(anchor);
            if (loss.Mining == TripletMining.Hard)
            {
                AddHardest(triplets, batch, anchor, around);
                continue;
            }
            foreach (var positive in around.Positives)
            {
                var rule = RuleOf(loss, batch[anchor, positive]);
                var count = rule.Count(around.OfNegatives);
                if (count == 0)
                    continue;
                if (loss.Mining == TripletMining.All)
                    AddAll(triplets, anchor, positive, around.Negatives);
                else if (loss.Mining == TripletMining.DistanceWeighted)
                    triplets.Add(anchor, positive, around.Negatives[Draw(rule, around.OfNegatives, size, ref random)]);
                else
                    triplets.Add(anchor, positive, around.Negatives[rule.Find(around.OfNegatives, random.Next(count))]);
            }
        }
        return triplets;
    }

    private static NegativeRule RuleOf(TripletLoss loss, float ofPositive) => loss.Mining switch
    {
        TripletMining.SemiHard => new NegativeRule(ofPositive, loss.Margin),
        TripletMining.StrictSemiHard => new NegativeRule(ofPositive, loss.Margin, ofPositive),
        TripletMining.DistanceWeighted => new NegativeRule(0, FarthestWeighted * FarthestWeighted),
        _ => new NegativeRule(0, double.PositiveInfinity),
    };

    private static void AddAll(Triplets triplets, int anchor, int positive, ReadOnlySpan<int> negatives)
    {
        foreach (var negative in negatives)
            triplets.Add(anchor, positive, negative);
    }

    private static void AddHardest(Triplets triplets, BatchDistances batch, int anchor, BatchDistances.Surroundings around)
    {
        if (around.Positives.IsEmpty || around.Negatives.IsEmpty)
            return;
        var farthest = around.Positives[0];
        foreach (var positive in around.Positives)
            farthest = batch[anchor, positive] > batch[anchor, farthest] ? positive : farthest;
        triplets.Add(anchor, farthest, around.Negatives[TensorPrimitives.IndexOfMin(around.OfNegatives)]);
    }

    /// <summary>The place of a negative that a rule takes, all distances equally likely.</summary>
    private static int Draw(NegativeRule rule, ReadOnlySpan<float> distances, int size, ref SplitMix64 random)
    {
        var weights = new double[distances.Length];
        var largest = double.NegativeInfinity;
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = rule.Takes(distances[i]) ? LogWeight(distances[i], size) : double.NegativeInfinity;
            largest = Math.Max(largest, weights[i]);
        }
        var sum = 0.0;
        foreach (ref var weight in weights.AsSpan())
            sum += weight = Math.Exp(weight - largest);
        var drawn = random.NextDouble() * sum;
        var last = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            drawn -= weights[i];
            if (drawn < 0)
                return i;
            last = weights[i] > 0 ? i : last;
        }
        return last;
    }

    /// <summary>The logarithm of the inverse of the density of a distance between random points on the sphere, up to a constant.</summary>
    internal static double LogWeight(double squared, int size)
    {
        squared = Math.Max(squared, NearestWeighted * NearestWeighted);
        return -(((size - 2) * 0.5 * Math.Log(squared)) + ((size - 3) * 0.5 * Math.Log(1 - (squared / 4))));
    }
}
