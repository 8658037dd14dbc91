using static TorchSharp.torch;

namespace MLExtensions.NativeSearch;

/// <summary>A layer whose windows lie over images, or are laid over them: its channels, the images it gets, and how they lie in memory.</summary>
internal abstract record WindowCase(int Inputs, int Outputs, bool ChannelsLast) : ISearchCase
{
    protected static readonly int[] InputCounts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40];
    protected static readonly int[] OutputCounts = [1, 3, 6, 8, 12, 16, 20, 33, 40];
    private static readonly int[] BatchSizes = [1, 2, 5, 20];

    public int BatchSize { get; private init; }

    public int ImageHeight { get; private init; }

    public int ImageWidth { get; private init; }

    public bool Bias { get; private init; }

    public bool BFloat16 { get; private init; }

    public int Threads { get; private init; }

    public abstract int OutputHeight { get; }

    public abstract int OutputWidth { get; }

    public abstract long[] WeightShape { get; }

    /// <summary>The most products that are added up for a value of the output, of the gradients of input, weights and bias.</summary>
    public abstract long[] Terms { get; }

    /// <summary>The same layer of the library; null if it has none.</summary>
    public abstract ImageLayer? Layer { get; }

    /// <summary>Computes the output with torch.</summary>
    public abstract Tensor Compute(Tensor input, Tensor weight, Tensor? bias);

    public List<string> Compare(bool library) => library && Layer == null ? [] : WindowComparison.Run(this, library);

    protected string Channels => $"channels {Inputs} to {Outputs} {(ChannelsLast ? "side by side" : "in planes")}";

    protected string Images => $"images {BatchSize}x{ImageHeight}x{ImageWidth}, {(Bias ? "bias" : "no bias")}, {(BFloat16 ? "bfloat16" : "float32")}, {Threads} threads";

    /// <summary>What is not enumerated is drawn: no room for the product of everything.</summary>
    protected TCase Draw<TCase>(Random random, int leastHeight, int leastWidth)
        where TCase : WindowCase => (TCase)this with
    {
        BatchSize = BatchSizes[random.Next(BatchSizes.Length)],
        ImageHeight = Math.Max(1, leastHeight) + random.Next(10),
        ImageWidth = Math.Max(1, leastWidth) + random.Next(10),
        Bias = random.Next(2) == 0,
        BFloat16 = random.Next(5) == 0,
        Threads = random.Next(8) == 0 ? 2 : 1,
    };
}
