using System.Globalization;

namespace MLExtensions.NativeSearch;

/// <summary>One recurrent layer and the sequences that it gets.</summary>
internal sealed record RecurrentCase(RecurrentCell Cell, int Inputs, int Units, int Batch, int Steps, bool Gradient, bool State, bool BFloat16, int Threads) : ISearchCase
{
    private static readonly int[] Sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 100, 127, 128, 129, 200, 256, 260];
    private static readonly int[] Batches = [1, 2, 3, 4, 5, 8, 15, 16, 17, 20, 32, 33, 64, 65, 128, 130];
    private static readonly int[] Lengths = [1, 2, 3, 5, 8, 20, 40];

    public List<string> Compare(bool library) => RecurrentComparison.Run(this, library);

    /// <summary>An endless sample, the same one each time.</summary>
    public static IEnumerable<RecurrentCase> Sample()
    {
        var random = new Random(1);
        while (true)
        {
            var cell = (RecurrentCell)Math.Max(0, random.Next(5) - 2); // most are LSTMs: the others are made of plain operations
            var units = Coin() ? Pick(Sizes) : 1 + random.Next(260);
            yield return new RecurrentCase(cell, Pick(Sizes), units, Pick(Batches), Pick(Lengths), Coin(), Coin(), random.Next(4) == 0, 1 + random.Next(2));
        }

        int Pick(int[] values) => values[random.Next(values.Length)];
        bool Coin() => random.Next(2) == 0;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cell} {Inputs} to {Units}, batch {Batch}, {Steps} steps, {(Gradient ? "gradient" : "no gradient")}, {(State ? "state" : "no state")}, {(BFloat16 ? "bfloat16" : "float32")}, {Threads} threads");
}
