using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>The formulas of the losses of style transfer.</summary>
public enum StyleLossForm
{
    /// <summary>
    /// Relative to the targets: |F - P|^2 / |P|^2 for the content and |G - A|^2 / |A|^2 for each style layer. The same weights then suit every
    /// network, layer and size.
    /// </summary>
    Relative,

    /// <summary>
    /// As Gatys et al. (2016): half the sum of (F - P)^2 for the content, and the sum of (G - A)^2 / (4 N^2 M^2) for each style layer with N
    /// channels and M positions.
    /// </summary>
    Absolute,
}

/// <summary>The picture that style transfer starts with.</summary>
public enum StyleTransferStart
{
    /// <summary>The content picture.</summary>
    Content,

    /// <summary>Noise: each value between 0 and 255 with the same probability.</summary>
    Noise,

    /// <summary>The picture in <see cref="StyleTransferEstimator.Options.StartColumnName"/>.</summary>
    Column,
}

/// <summary>The progress of one picture, reported after each step.</summary>
public sealed record StyleTransferProgress
{
    /// <summary>The row of the picture, from 0.</summary>
    public required long Row { get; init; }

    /// <summary>The number of finished steps.</summary>
    public required int Iteration { get; init; }

    /// <summary>The number of steps of each picture.</summary>
    public required int Iterations { get; init; }

    /// <summary>The weighted sum of the three losses before this step.</summary>
    public required double Loss { get; init; }

    /// <summary>The content loss without its weight.</summary>
    public required double ContentLoss { get; init; }

    /// <summary>The style loss without its weight: the weighted sum of <see cref="StyleLossByLayer"/>.</summary>
    public required double StyleLoss { get; init; }

    /// <summary>The total variation without its weight: the mean squared difference of neighboring pixels from 0 to 1.</summary>
    public required double TotalVariation { get; init; }

    /// <summary>The style loss of each layer, without weights, by the name of the layer.</summary>
    public required IReadOnlyDictionary<string, double> StyleLossByLayer { get; init; }

    /// <summary>
    /// The best picture so far, every <see cref="StyleTransferEstimator.Options.PictureInterval"/> steps; otherwise null. Whoever gets it may
    /// dispose it.
    /// </summary>
    public Microsoft.ML.Data.MLImage? Picture { get; init; }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(StyleTransferProgress), PrintMembers);
}
