using System.Globalization;

namespace MLExtensions.NativeSearch;

/// <summary>One convolution: its window, its channels, the images it gets, and how they lie in memory.</summary>
internal sealed record ConvolutionCase(int Height, int Width, int Stride, int Dilation, int Padding, int Groups, int Inputs, int Outputs, bool ChannelsLast) : ISearchCase
{
    private static readonly int[] InputCounts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40];
    private static readonly int[] OutputCounts = [1, 3, 6, 8, 12, 16, 20, 33, 40];
    private static readonly int[] BatchSizes = [1, 2, 5, 20];

    public int BatchSize { get; private init; }

    public int ImageHeight { get; private init; }

    public int ImageWidth { get; private init; }

    public bool Bias { get; private init; }

    public bool BFloat16 { get; private init; }

    public int Threads { get; private init; }

    public int OutputHeight => ((ImageHeight + (2 * Padding) - Reach(Height)) / Stride) + 1;

    public int OutputWidth => ((ImageWidth + (2 * Padding) - Reach(Width)) / Stride) + 1;

    public List<string> Compare(bool library) => library && Height != Width
        ? [] // the library's windows are squares
        : ConvolutionComparison.Run(this, library);

    /// <summary>All cases, shuffled, so that a search that runs out of time has seen a sample of everything.</summary>
    public static ConvolutionCase[] All()
    {
        var random = new Random(1);
        var cases = (
            from window in new (int Height, int Width)[] { (1, 1), (3, 3), (5, 5), (1, 3) }
            from stride in new[] { 1, 2, 3 }
            from dilation in window == (1, 1) ? new[] { 1 } : [1, 2]
            from padding in new[] { 0, 1, 2 }
            from channels in Channels()
            from channelsLast in new[] { false, true }
            select new ConvolutionCase(window.Height, window.Width, stride, dilation, padding, channels.Groups, channels.Inputs, channels.Outputs, channelsLast).Draw(random)).ToArray();
        random.Shuffle(cases);
        return cases;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Height}x{Width} stride {Stride} dilation {Dilation} padding {Padding} groups {Groups} channels {Inputs} to {Outputs} {(ChannelsLast ? "side by side" : "in planes")}, images {BatchSize}x{ImageHeight}x{ImageWidth}, {(Bias ? "bias" : "no bias")}, {(BFloat16 ? "bfloat16" : "float32")}, {Threads} threads");

    private static IEnumerable<(int Groups, int Inputs, int Outputs)> Channels()
    {
        foreach (var inputs in InputCounts)
        {
            foreach (var outputs in OutputCounts)
            {
                yield return (1, inputs, outputs);
                if (inputs > 2 && inputs % 2 == 0 && outputs % 2 == 0)
                    yield return (2, inputs, outputs);
            }
            if (inputs > 1)
            {
                yield return (inputs, inputs, inputs);
                yield return (inputs, inputs, 2 * inputs);
            }
        }
    }

    /// <summary>What is not enumerated is drawn: no room for the product of everything.</summary>
    private ConvolutionCase Draw(Random random) => this with
    {
        BatchSize = BatchSizes[random.Next(BatchSizes.Length)],
        ImageHeight = Math.Max(1, Reach(Height) - (2 * Padding)) + random.Next(10),
        ImageWidth = Math.Max(1, Reach(Width) - (2 * Padding)) + random.Next(10),
        Bias = random.Next(2) == 0,
        BFloat16 = random.Next(5) == 0,
        Threads = random.Next(8) == 0 ? 2 : 1,
    };

    private int Reach(int side) => (Dilation * (side - 1)) + 1;
}
