using Microsoft.ML.Data;

namespace MLExtensions.Examples.Digits;

/// <summary>A line of digits.csv.</summary>
internal sealed class DigitImage
{
    public const int Side = 8;

    [LoadColumn(0)]
    public uint Label { get; set; }

    /// <summary>The image, row by row: 0 is white, 16 black.</summary>
    [LoadColumn(1, Side * Side)]
    [VectorType(Side * Side)]
    public float[] Features { get; set; } = [];
}

/// <summary>What the model says about an image.</summary>
internal sealed class DigitPrediction
{
    public uint PredictedLabel { get; set; }

    /// <summary>The probability of each digit.</summary>
    public float[] Score { get; set; } = [];
}
