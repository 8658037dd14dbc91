using MLExtensions.Families.Images;

namespace MLExtensions;

/// <summary>Mirrors images: left to right, top to bottom, or both, each direction independently.</summary>
public sealed record RandomFlip : ImageAugmentation
{
    /// <summary>Mirrors half of the images left to right; <see cref="ImageAugmentation.Probability"/> is 0.5.</summary>
    public RandomFlip() => Probability = 0.5;

    /// <summary>Whether to flip left and right. Default true.</summary>
    public bool Horizontal { get; init; } = true;

    /// <summary>Whether to flip top and bottom. Default false.</summary>
    public bool Vertical { get; init; }

    internal override IImageOperation CreateOperation() => new PixelSelection(new FlipStep(this));

    private protected override void CheckSettings()
    {
        if (!Horizontal && !Vertical)
        {
            throw new ArgumentOutOfRangeException(
                NameOf(nameof(Horizontal)),
                Horizontal,
                $"{NameOf(nameof(Horizontal))} and {NameOf(nameof(Vertical))} are both false; one must be true.");
        }
    }
}

internal sealed class FlipStep(RandomFlip settings) : ISelectionStep
{
    public void Apply(int count, AxisMap rows, AxisMap columns, ref SplitMix64 random)
    {
        for (var i = 0; i < count; i++)
        {
            if (settings.Horizontal && random.Chance(settings.Probability))
                columns.Reverse(i);
            if (settings.Vertical && random.Chance(settings.Probability))
                rows.Reverse(i);
        }
    }
}
