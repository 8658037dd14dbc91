using static TorchSharp.torch;

namespace MLExtensions.Rbm;

/// <summary>What a machine's own questions draw and check.</summary>
internal static class RbmRows
{
    public static void CheckPositive(int value, string name)
    {
        if (value < 1)
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; it must be at least 1.");
    }

    /// <summary>A unit for each row, int64.</summary>
    public static Tensor DrawUnits(Tensor rows, ref SplitMix64 random)
    {
        var units = new long[rows.shape[0]];
        for (var row = 0; row < units.Length; row++)
            units[row] = random.Next((int)rows.shape[1]);
        return tensor(units, device: rows.device);
    }
}
