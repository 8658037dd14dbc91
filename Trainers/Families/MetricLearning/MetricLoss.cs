using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Which triplets of a batch a <see cref="TripletLoss"/> learns from: an anchor, a positive of its class, a negative of another one.</summary>
/// <remarks>d is the squared Euclidean distance on the unit sphere, from 0 to 4. Every ordered pair of different examples of a class is an anchor and its positive.</remarks>
public enum TripletMining
{
    /// <summary>
    /// For each anchor and positive one negative, drawn at random among those that violate the margin: d(a, n) - d(a, p) &lt; margin. The rule
    /// of FaceNet's well-known implementation (Schroff, Kalenichenko and Philbin, 2015). Pairs without such a negative are left out.
    /// </summary>
    SemiHard,

    /// <summary>
    /// As <see cref="SemiHard"/>, but only negatives that are farther away than the positive: d(a, p) &lt; d(a, n) &lt; d(a, p) + margin, as the
    /// text of the paper has it. It cannot collapse, but it learns nothing from the worst mistakes.
    /// </summary>
    StrictSemiHard,

    /// <summary>All triplets. Those that keep the margin add nothing.</summary>
    All,

    /// <summary>For each anchor its farthest positive and its nearest negative. Hermans, Beyer and Leibe, 2017. Collapses most easily.</summary>
    Hard,

    /// <summary>
    /// For each anchor and positive one negative, drawn so that all distances are equally likely: by the inverse of the density of distances
    /// on the sphere, distances below 0.5 counting as 0.5, negatives farther than 1.4 left out (Euclidean). Wu, Manmatha, Smola and
    /// Krähenbühl, 2017.
    /// </summary>
    DistanceWeighted,
}

/// <summary>What a network of embeddings minimizes. Embeddings have length 1.</summary>
public abstract record MetricLoss
{
    private protected MetricLoss()
    {
    }

    /// <summary>The margin by which triplets are counted as active.</summary>
    internal virtual double ActiveMargin => TripletLoss.DefaultMargin;

    /// <summary>Whether the loss learns a center for each class besides the network.</summary>
    internal virtual bool HasCenters => false;

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> for the first setting that is out of range.</summary>
    internal abstract void Check();

    private protected static string NameOf(string setting) => $"Loss.{setting}";

    /// <summary>Returns the values as text.</summary>
    public sealed override string ToString() => RecordText.Of(GetType().Name, PrintMembers);
}

/// <summary>
/// Triplet loss: the mean of max(0, d(a, p) - d(a, n) + margin) over the mined triplets for which it is not 0; d is the squared Euclidean
/// distance.
/// </summary>
/// <remarks>Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering" (2015).</remarks>
public sealed record TripletLoss : MetricLoss
{
    internal const double DefaultMargin = 0.2;

    /// <summary>
    /// By how much the squared distance of the negative must exceed that of the positive, greater than 0 and below 4. With
    /// <see cref="SoftMargin"/> it only decides which negatives are semi-hard. Default 0.2.
    /// </summary>
    public double Margin { get; init; } = DefaultMargin;

    /// <summary>
    /// Whether log(1 + exp(d(a, p) - d(a, n))) replaces the margin: it never becomes 0, and pulls classes together for as long as training
    /// lasts (Hermans, Beyer and Leibe, 2017). Default false.
    /// </summary>
    public bool SoftMargin { get; init; }

    /// <summary>Which triplets of a batch are learned from. Default <see cref="TripletMining.SemiHard"/>.</summary>
    public TripletMining Mining { get; init; }

    internal override double ActiveMargin => Margin;

    internal override void Check()
    {
        OptionCheck.Above(Margin, 0, MetricSettings.LargestDistance, NameOf(nameof(Margin)));
        OptionCheck.Defined(Mining, NameOf(nameof(Mining)));
    }
}

/// <summary>
/// Contrastive loss: the mean of D² over pairs of a class, plus the mean of (margin - D)² over the pairs of different classes that are
/// nearer than the margin; D is the Euclidean distance.
/// </summary>
/// <remarks>Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping" (2006).</remarks>
public sealed record ContrastiveLoss : MetricLoss
{
    /// <summary>The Euclidean distance that examples of different classes should have at least, greater than 0 and below 2. Default 1.</summary>
    public double Margin { get; init; } = 1;

    internal override void Check() => OptionCheck.Above(Margin, 0, MetricSettings.LargestEuclidean, NameOf(nameof(Margin)));
}

/// <summary>
/// Multi-similarity loss: log(1 + sum exp(-alpha (s - base))) / alpha over the positives of an anchor, plus log(1 + sum exp(beta (s - base))) /
/// beta over its negatives, mean over the anchors; s is the cosine. Pairs count only if they are harder, within <see cref="Epsilon"/>, than
/// the hardest pair of the other kind.
/// </summary>
/// <remarks>Wang, Han, Huang, Dong and Scott, "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning" (2019).</remarks>
public sealed record MultiSimilarityLoss : MetricLoss
{
    /// <summary>How much the hardest positives count more than others. Default 2.</summary>
    public double Alpha { get; init; } = 2;

    /// <summary>How much the hardest negatives count more than others. Default 50.</summary>
    public double Beta { get; init; } = 50;

    /// <summary>The cosine between positives and negatives, from -1 to 1. Default 0.5.</summary>
    public double Base { get; init; } = 0.5;

    /// <summary>The tolerance of the mining, a difference of cosines. Default 0.1.</summary>
    public double Epsilon { get; init; } = 0.1;

    internal override void Check()
    {
        OptionCheck.Positive(Alpha, NameOf(nameof(Alpha)));
        OptionCheck.Positive(Beta, NameOf(nameof(Beta)));
        OptionCheck.Between(Base, -1, 1, NameOf(nameof(Base)));
        OptionCheck.Between(Epsilon, 0, 2, NameOf(nameof(Epsilon)));
    }
}

/// <summary>
/// ArcFace: the cross entropy of a softmax over scale * cos(angle to the center of each class), with <see cref="Margin"/> added to the angle
/// of the right class. The centers are learned with the network and thrown away afterwards.
/// </summary>
/// <remarks>
/// Deng, Guo, Xue and Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition" (2019). Where angle and margin would exceed
/// a half turn, cos(angle) - margin * sin(margin) is used, which goes on falling.
/// </remarks>
public sealed record ArcFaceLoss : MetricLoss
{
    /// <summary>The factor of the cosines. Default 64; 16 to 32 for few classes.</summary>
    public double Scale { get; init; } = 64;

    /// <summary>The angle in radians, from 0 to 1.5. Default 0.5.</summary>
    public double Margin { get; init; } = 0.5;

    internal override bool HasCenters => true;

    internal override void Check()
    {
        OptionCheck.Positive(Scale, NameOf(nameof(Scale)));
        OptionCheck.Between(Margin, 0, MetricSettings.LargestAngle, NameOf(nameof(Margin)));
    }
}

/// <summary>
/// Normalized temperature-scaled cross entropy (NT-Xent): the mean, over all anchors and their positives, of the cross entropy that tells the
/// positive from all negatives of the anchor by cosine / temperature.
/// </summary>
/// <remarks>Sohn, 2016; Chen, Kornblith, Norouzi and Hinton, "A Simple Framework for Contrastive Learning of Visual Representations" (2020).</remarks>
public sealed record NormalizedTemperatureLoss : MetricLoss
{
    /// <summary>The temperature; small ones look at the hardest negatives only. Default 0.1.</summary>
    public double Temperature { get; init; } = 0.1;

    internal override void Check() => OptionCheck.Above(Temperature, 0, MetricSettings.LargestTemperature, NameOf(nameof(Temperature)));
}

/// <summary>Limits of the settings of losses.</summary>
internal static class MetricSettings
{
    /// <summary>The largest squared distance on the unit sphere.</summary>
    public const double LargestDistance = 4;

    public const double LargestEuclidean = 2;

    public const double LargestAngle = 1.5;

    public const double LargestTemperature = 100;
}
