using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Triplets of rows of a batch.</summary>
internal sealed class Triplets
{
    private readonly List<(int Anchor, int Positive, int Negative)> _rows = [];

    public int Count => _rows.Count;

    /// <summary>The rows of a triplet.</summary>
    public (int Anchor, int Positive, int Negative) this[int number] => _rows[number];

    public void Add(int anchor, int positive, int negative) => _rows.Add((anchor, positive, negative));
}

/// <summary>
/// The loss of the mined triplets of a batch and its gradient with respect to the outputs of the network. There are a few numbers per
/// triplet, so this is done here at once instead of in thirty operations of libtorch.
/// </summary>
internal static class TripletGradient
{
    /// <summary>Mines the triplets of a batch.</summary>
    /// <param name="loss">The settings.</param>
    /// <param name="outputs">What the network returned, <c>[rows, size]</c>.</param>
    /// <param name="classes">The class of each row.</param>
    /// <param name="random">Draws negatives.</param>
    /// <param name="spread">Receives statistics of the batch; null for none.</param>
    /// <returns>The mean loss, NaN if an output is; and its gradient in the scope of the caller, null with a loss of NaN.</returns>
    public static (double Loss, Tensor? Gradient) Of(TripletLoss loss, Tensor outputs, int[] classes, ref SplitMix64 random, BatchSpread? spread)
    {
        using var noGradient = no_grad();
        var rows = outputs.detach();
        var lengths = UnitRows.Lengths(rows);
        var embeddings = rows.div(lengths);
        var distances = MetricLosses.ToHost(MetricLosses.SquaredDistances(MetricLosses.Cosines(embeddings)), classes);
        var measured = distances.Measure(loss.ActiveMargin);
        spread?.Add(measured);
        if (!double.IsFinite(measured.SameSum + measured.DifferentSum))
            return (double.NaN, null);
        var matrix = new float[classes.Length * classes.Length];
        var value = Compute(loss, distances, TripletMiner.Mine(loss, distances, (int)outputs.shape[1], ref random), matrix);
        var gradient = tensor(matrix, [classes.Length, classes.Length], ScalarType.Float32, CPU).to(outputs.device).mm(embeddings);
        // Only what is at right angles to an embedding moves it: its length is 1 whatever the length of the outputs.
        return (value, gradient.sub(embeddings.mul(gradient.mul(embeddings).sum([1], true))).div(lengths));
    }

    /// <summary>The mean of the triplets' losses over those that are not 0; 0 if all keep the margin.</summary>
    /// <param name="loss">The settings.</param>
    /// <param name="distances">The distances of the batch.</param>
    /// <param name="triplets">The triplets.</param>
    /// <param name="matrix">
    /// Of zeros, <c>[rows, rows]</c>; receives the matrix whose product with the embeddings is the gradient with respect to them.
    /// </param>
    public static double Compute(TripletLoss loss, BatchDistances distances, Triplets triplets, Span<float> matrix)
    {
        var (sum, count, rows) = (0.0, 0, distances.Rows);
        for (var i = 0; i < triplets.Count; i++)
        {
            var value = LossOf(triplets[i], out _);
            sum += value;
            count += value > 0 ? 1 : 0;
        }
        if (count == 0)
            return 0;
        for (var i = 0; i < triplets.Count; i++)
        {
            _ = LossOf(triplets[i], out var slope);
            if (slope == 0)
                continue;
            // A squared distance is 2 - 2 cos, and the gradient of a cosine is the other embedding.
            var (anchor, positive, negative) = triplets[i];
            var change = (float)(2 * slope / count);
            matrix[(anchor * rows) + positive] -= change;
            matrix[(positive * rows) + anchor] -= change;
            matrix[(anchor * rows) + negative] += change;
            matrix[(negative * rows) + anchor] += change;
        }
        return (float)(sum / count);

        double LossOf((int Anchor, int Positive, int Negative) triplet, out double slope)
        {
            var difference = distances[triplet.Anchor, triplet.Positive] - distances[triplet.Anchor, triplet.Negative];
            if (loss.SoftMargin)
            {
                slope = 1 / (1 + Math.Exp(-difference));
                return Math.Log(1 + Math.Exp(difference));
            }
            var value = difference + loss.Margin;
            slope = value > 0 ? 1 : 0;
            return Math.Max(0, value);
        }
    }
}
