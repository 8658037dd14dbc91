using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>The range of the values of data.</summary>
/// <param name="Minimum">The smallest value.</param>
/// <param name="Maximum">The largest value.</param>
public sealed record ValueRange(double Minimum, double Maximum)
{
    /// <summary>0 to 1, as NormalizeMinMax makes it.</summary>
    public static ValueRange Unit { get; } = new(0, 1);

    /// <summary>0 to 255: pixels as they are stored.</summary>
    public static ValueRange Pixels { get; } = new(0, 255);

    /// <summary>Returns the range, such as <c>[0, 255]</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"[{Minimum}, {Maximum}]");

    /// <summary>Maps values of this range to another, linearly.</summary>
    internal Tensor MapTo(ValueRange other, Tensor values)
    {
        if (this == other)
            return values;
        var slope = (other.Maximum - other.Minimum) / (Maximum - Minimum);
        return values.mul(Number.Of(slope)).add_(Number.Of(other.Minimum - (slope * Minimum)), Number.One);
    }

    internal void Check(string name)
    {
        if (!(double.IsFinite(Minimum) && double.IsFinite(Maximum) && Minimum < Maximum))
            throw new FormatException(FormattableString.Invariant($"{name} is {this}; both numbers must be finite, and the first one smaller."));
    }
}
