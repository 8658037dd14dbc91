using System.Globalization;
using static TorchSharp.torch;

namespace MLExtensions.NativeSearch;

/// <summary>One transposed convolution.</summary>
internal sealed record TransposedCase(int Side, int Stride, int Padding, int OutputPadding, int Inputs, int Outputs, bool ChannelsLast) : WindowCase(Inputs, Outputs, ChannelsLast)
{
    public override int OutputHeight => Length(ImageHeight);

    public override int OutputWidth => Length(ImageWidth);

    public override long[] WeightShape => [Inputs, Outputs, Side, Side];

    public override long[] Terms => [Inputs * Side * Side, Outputs * Side * Side, BatchSize * ImageHeight * ImageWidth, BatchSize * OutputHeight * OutputWidth];

    public override ImageLayer? Layer => new TransposedConvolutionLayer(Outputs, Side) { Stride = Stride, Padding = Padding, OutputPadding = OutputPadding, Bias = Bias };

    /// <summary>All cases, shuffled.</summary>
    public static TransposedCase[] All()
    {
        var random = new Random(1);
        var cases = (
            from side in new[] { 1, 2, 3, 4, 5 }
            from stride in new[] { 1, 2, 3 }
            from padding in new[] { 0, 1, 2 }
            from outputPadding in Enumerable.Range(0, stride)
            from inputs in InputCounts
            from outputs in OutputCounts
            from channelsLast in new[] { false, true }
            select new TransposedCase(side, stride, padding, outputPadding, inputs, outputs, channelsLast).Draw(random)).ToArray();
        random.Shuffle(cases);
        return cases;
    }

    public override Tensor Compute(Tensor input, Tensor weight, Tensor? bias) =>
        nn.functional.conv_transpose2d(input, weight, bias, [Stride, Stride], [Padding, Padding], [OutputPadding, OutputPadding]);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"transposed {Side}x{Side} stride {Stride} padding {Padding} output padding {OutputPadding} {Channels}, {Images}");

    private TransposedCase Draw(Random random)
    {
        var least = Enumerable.Range(1, 10).First(side => Length(side) > 0);
        return Draw<TransposedCase>(random, least, least);
    }

    private int Length(int side) => ((side - 1) * Stride) - (2 * Padding) + Side + OutputPadding;
}
