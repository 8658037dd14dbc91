namespace MLExtensions;

/// <summary>What discriminator and generator of a generative adversarial network minimize. D is the discriminator's output, a logit.</summary>
public enum AdversarialLoss
{
    /// <summary>
    /// Cross entropy; the generator maximizes log sigmoid(D(generated)), whose gradient does not vanish when the discriminator wins.
    /// Goodfellow et al., 2014.
    /// </summary>
    NonSaturating,

    /// <summary>Cross entropy; the generator minimizes log(1 - sigmoid(D(generated))), the game as it is defined. Goodfellow et al., 2014.</summary>
    Minimax,

    /// <summary>Squared distance of D from 1 for real and 0 for generated samples. Mao et al., "Least Squares GANs", 2017.</summary>
    LeastSquares,

    /// <summary>max(0, 1 - D(real)) + max(0, 1 + D(generated)); the generator maximizes D. Lim and Ye, 2017; Miyato et al., 2018.</summary>
    Hinge,

    /// <summary>
    /// D(generated) - D(real), with a penalty on gradients of D that are not 1 in length. Arjovsky et al., 2017; Gulrajani et al., 2017.
    /// </summary>
    WassersteinGradientPenalty,
}

/// <summary>
/// Random changes of images through which gradients flow, so that the generator learns in spite of them. Zhao et al., "Differentiable
/// Augmentation for Data-Efficient GAN Training", 2020.
/// </summary>
[Flags]
public enum DifferentiableAugmentation
{
    /// <summary>No changes.</summary>
    None = 0,

    /// <summary>Brightness, saturation (of 3 channels) and contrast.</summary>
    Color = 1,

    /// <summary>Shifts by up to an eighth of the size; zeros come in.</summary>
    Translation = 2,

    /// <summary>A square of half the size is set to zero.</summary>
    Cutout = 4,

    /// <summary>All of them.</summary>
    All = Color | Translation | Cutout,
}
