using Microsoft.ML;

namespace MLExtensions.Examples.RnnMemory;

/// <summary>
/// The adding problem (Hochreiter and Schmidhuber, 1997): a sequence of random numbers, two of which are marked. The network must
/// give their sum at the end. The marks are at random places, one in each half, so a number must be remembered over many time steps.
/// </summary>
internal sealed class AddingProblem
{
    /// <summary>A time step is a number from 0 to 1 and a mark, 1 or 0.</summary>
    public const int StepSize = 2;

    /// <summary>The squared error of always predicting 1, the mean: the variance of the sum of two uniform numbers.</summary>
    public const double Baseline = 1.0 / 6;

    /// <summary>Number, mark, number, mark, and so on.</summary>
    public float[] Features { get; init; } = [];

    /// <summary>The sum of the two marked numbers.</summary>
    public float Label { get; init; }

    /// <summary>Sequences of a length; the same ones for the same seed.</summary>
    public static IDataView Create(MLContext mlContext, int rows, int length, int seed)
    {
        var random = new Random(seed);
        return mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(_ => Draw(length, random)).ToList());
    }

    private static AddingProblem Draw(int length, Random random)
    {
        var features = new float[length * StepSize];
        for (var step = 0; step < length; step++)
            features[step * StepSize] = random.NextSingle();
        var first = random.Next(length / 2) * StepSize;
        var second = random.Next(length / 2, length) * StepSize;
        features[first + 1] = features[second + 1] = 1;
        return new AddingProblem { Features = features, Label = features[first] + features[second] };
    }
}
