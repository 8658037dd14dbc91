using static TorchSharp.torch;

namespace MLExtensions.Images;

/// <summary>A batch on its way through the augmentations.</summary>
/// <param name="Images">Float32 [N, C, H, W]; the very tensor that was given where nothing is to be done.</param>
/// <param name="Partner">The image that each one is blended with, Int64 [N], on the images' device; null without mixup.</param>
/// <param name="PartnerShare">The partner's share in the blend, in [0, 1]; null without mixup.</param>
internal sealed record AugmentedBatch(Tensor Images, Tensor? Partner = null, float? PartnerShare = null);
