using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Computes losses of the embeddings of a batch: all distances come from one matrix product.</summary>
internal static class MetricLosses
{
    // Below it the root of a squared distance has no gradient, instead of an infinite one.
    private const double LeastSquare = 1e-12;

    // exp of it is 0, and its gradient is a number, which that of minus infinity is not.
    private const double Never = -1e9;

    /// <summary>The cosines of all pairs, <c>[rows, rows]</c>.</summary>
    /// <param name="embeddings"><c>[rows, size]</c> of length 1.</param>
    public static Tensor Cosines(Tensor embeddings) => embeddings.mm(embeddings.t());

    /// <summary>The squared Euclidean distances of all pairs on the unit sphere, 2 - 2 cos; rounding makes none negative.</summary>
    public static Tensor SquaredDistances(Tensor cosines) => cosines.mul(Number.Of(-2)).add(Number.Of(2), Number.One).clamp_min(Number.Of(0));

    /// <summary>Distances in host memory.</summary>
    /// <param name="distances">The squared distances of all pairs, <c>[rows, rows]</c>.</param>
    /// <param name="classes">The class of each row.</param>
    public static BatchDistances ToHost(Tensor distances, int[] classes) => new(TensorMemory.Floats(distances.detach().cpu().contiguous()).ToArray(), classes);

    /// <param name="loss">The loss, which needs neither centers nor triplets.</param>
    /// <param name="cosines">The cosines of all pairs.</param>
    /// <param name="distances">Their squared distances.</param>
    /// <param name="labels">The class of each row, Int64 on the same device.</param>
    public static Tensor Of(MetricLoss loss, Tensor cosines, Tensor distances, Tensor labels) => loss switch
    {
        ContrastiveLoss contrastive => Contrastive(contrastive, distances, new Pairs(labels)),
        MultiSimilarityLoss similarity => MultiSimilarity(similarity, cosines, new Pairs(labels)),
        NormalizedTemperatureLoss temperature => NormalizedTemperature(temperature, cosines, new Pairs(labels)),
        _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, "Unknown loss."),
    };

    /// <summary>ArcFace's cross entropy.</summary>
    /// <param name="loss">The settings.</param>
    /// <param name="embeddings"><c>[rows, size]</c> of length 1.</param>
    /// <param name="centers"><c>[classes, size]</c>, of any length.</param>
    /// <param name="labels">The class of each row, Int64.</param>
    public static Tensor ArcFace(ArcFaceLoss loss, Tensor embeddings, Tensor centers, Tensor labels)
    {
        var cosines = embeddings.mm(UnitRows.Of(centers).t());
        var target = labels.unsqueeze(1);
        var right = cosines.gather(1, target);
        var sines = right.pow(Number.Of(2)).mul(Number.Of(-1)).add(Number.Of(1), Number.One).clamp_min(Number.Of(LeastSquare)).sqrt();
        var (cosine, sine) = (Math.Cos(loss.Margin), Math.Sin(loss.Margin));
        var turned = right.mul(Number.Of(cosine)).sub(sines.mul(Number.Of(sine)));
        // cos(angle + margin) rises again beyond a half turn.
        var beyond = right.lt(Number.Of(-cosine));
        var penalized = where(beyond, right.sub(Number.Of(loss.Margin * sine)), turned);
        var logits = cosines.scatter(1, target, penalized).mul(Number.Of(loss.Scale));
        return nn.functional.cross_entropy(logits, labels);
    }

    private static Tensor Contrastive(ContrastiveLoss loss, Tensor distances, Pairs pairs)
    {
        var lengths = distances.clamp_min(Number.Of(LeastSquare)).sqrt();
        var short_ = lengths.mul(Number.Of(-1)).add(Number.Of(loss.Margin), Number.One).relu();
        return MeanOf(distances, pairs.Same).add(MeanOf(short_.pow(Number.Of(2)), pairs.Different.logical_and(short_.gt(Number.Of(0)))), Number.One);
    }

    private static Tensor MultiSimilarity(MultiSimilarityLoss loss, Tensor cosines, Pairs pairs)
    {
        Tensor same, different;
        using (no_grad())
        {
            var found = cosines.detach();
            var hardestPositive = found.masked_fill(pairs.Same.logical_not(), Number.Of(double.PositiveInfinity)).amin([1], true);
            var hardestNegative = found.masked_fill(pairs.Different.logical_not(), Number.Of(double.NegativeInfinity)).amax([1], true);
            same = pairs.Same.logical_and(found.sub(Number.Of(loss.Epsilon)).lt(hardestNegative));
            different = pairs.Different.logical_and(found.add(Number.Of(loss.Epsilon), Number.One).gt(hardestPositive));
        }
        var centered = cosines.sub(Number.Of(loss.Base));
        return Soft(centered.mul(Number.Of(-loss.Alpha)), same, loss.Alpha).add(Soft(centered.mul(Number.Of(loss.Beta)), different, loss.Beta), Number.One).mean();

        // log(1 + sum exp) / scale for each row.
        static Tensor Soft(Tensor exponents, Tensor counted, double scale) =>
            Softplus(exponents.masked_fill(counted.logical_not(), Number.Of(Never)).logsumexp(1)).div(Number.Of(scale));
    }

    private static Tensor NormalizedTemperature(NormalizedTemperatureLoss loss, Tensor cosines, Pairs pairs)
    {
        var logits = cosines.div(Number.Of(loss.Temperature));
        var negatives = logits.masked_fill(pairs.Different.logical_not(), Number.Of(Never)).logsumexp(1, true);
        return MeanOf(Softplus(negatives.sub(logits)), pairs.Same);
    }

    /// <summary>log(1 + exp x). TorchSharp's own hands over numbers that nobody keeps alive.</summary>
    private static Tensor Softplus(Tensor x) => nn.functional.logsigmoid(x.neg()).neg();

    /// <summary>The mean of some values; 0 if there are none.</summary>
    private static Tensor MeanOf(Tensor values, Tensor counted)
    {
        var weights = counted.to(values.dtype);
        return values.mul(weights).sum().div(weights.sum().clamp_min(Number.One));
    }

    /// <summary>Which pairs of a batch have the same class, and which have different ones; no row is paired with itself.</summary>
    private sealed class Pairs
    {
        public Pairs(Tensor labels)
        {
            var alike = labels.unsqueeze(0).eq(labels.unsqueeze(1));
            Different = alike.logical_not();
            Same = alike.logical_and(eye(labels.shape[0], dtype: ScalarType.Bool, device: labels.device).logical_not());
        }

        public Tensor Same { get; }

        public Tensor Different { get; }
    }
}
