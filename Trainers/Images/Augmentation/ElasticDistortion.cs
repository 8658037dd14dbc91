namespace MLExtensions;

/// <summary>
/// Moves every pixel along a smooth random field, as if the image were drawn on rubber; bilinear, with zeros where there was no
/// image.
/// </summary>
/// <remarks>
/// Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis" (2003): noise
/// that is uniform in [-1, 1], one number a pixel and direction, is smoothed by a Gaussian whose weights sum to 1, and multiplied by
/// <see cref="Alpha"/>. Hence a pixel's displacement in either direction has a root mean square of about
/// 0.163 <see cref="Alpha"/> / <see cref="Sigma"/> pixels, 1.4 for the paper's figures, which are the defaults here. Unlike the
/// paper's, the field is as strong at the image's border as within.
/// </remarks>
public sealed record ElasticDistortion : ImageAugmentation
{
    /// <summary>Amplitude of the noise before it is smoothed, in pixels, in [0, 10000]. Default 34.</summary>
    public double Alpha { get; init; } = 34;

    /// <summary>Standard deviation of the Gaussian in pixels, in [0.1, 1000]; greater is stiffer. Default 4.</summary>
    public double Sigma { get; init; } = 4;

    private protected override void CheckSettings()
    {
        CheckBetween(Alpha, 0, 10000);
        CheckBetween(Sigma, 0.1, 1000);
    }
}
