using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>Changes training examples at random, so that a network sees more than there are.</summary>
internal interface IFeatureAugmenter
{
    /// <summary>Changes a batch; the results belong to the caller's dispose scope.</summary>
    /// <param name="features"><c>[rows, width]</c>; stays as it is.</param>
    /// <param name="random">Where all random numbers come from.</param>
    AugmentedFeatures Apply(Tensor features, ref SplitMix64 random);
}

/// <summary>Features as training sees them.</summary>
/// <param name="Features">What goes into the network.</param>
/// <param name="Partner">The row that each one is blended with, Int64 <c>[rows]</c>; null where rows stay apart.</param>
/// <param name="PartnerShare">The partner's share in the blend, in [0, 1]; null where rows stay apart.</param>
internal sealed record AugmentedFeatures(Tensor Features, Tensor? Partner = null, float? PartnerShare = null);
