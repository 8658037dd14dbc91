using Microsoft.ML;
using MLExtensions.Examples.Digits;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>The digits, each also moved by one pixel up, down, left and right: five times as many.</summary>
internal static class NudgedDigits
{
    private static readonly (int Down, int Right)[] Directions = [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)];

    public static IDataView Load(MLContext mlContext)
    {
        var data = mlContext.Data.LoadFromTextFile<DigitImage>(ShippedData.PathOf("digits.csv"), separatorChar: ',', hasHeader: true);
        var digits = mlContext.Data.CreateEnumerable<DigitImage>(data, reuseRowObject: false).ToArray();
        return mlContext.Data.LoadFromEnumerable(Directions.SelectMany(direction => digits.Select(digit => Move(digit, direction))).ToArray());
    }

    /// <summary>Zeros come in at the border.</summary>
    private static DigitImage Move(DigitImage digit, (int Down, int Right) by)
    {
        const int Side = DigitImage.Side;
        var moved = new float[Side * Side];
        for (var row = Math.Max(0, by.Down); row < Math.Min(Side, Side + by.Down); row++)
        {
            for (var column = Math.Max(0, by.Right); column < Math.Min(Side, Side + by.Right); column++)
                moved[(row * Side) + column] = digit.Features[((row - by.Down) * Side) + column - by.Right];
        }
        return new DigitImage { Label = digit.Label, Features = moved };
    }
}
