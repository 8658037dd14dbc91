using System.Globalization;
using static TorchSharp.torch;

namespace MLExtensions.NativeSearch;

/// <summary>One convolution.</summary>
internal sealed record ConvolutionCase(int Height, int Width, int Stride, int Dilation, int Padding, int Groups, int Inputs, int Outputs, bool ChannelsLast) : WindowCase(Inputs, Outputs, ChannelsLast)
{
    public override int OutputHeight => ((ImageHeight + (2 * Padding) - Reach(Height)) / Stride) + 1;

    public override int OutputWidth => ((ImageWidth + (2 * Padding) - Reach(Width)) / Stride) + 1;

    public override long[] WeightShape => [Outputs, Inputs / Groups, Height, Width];

    public override long[] Terms
    {
        get
        {
            long positions = BatchSize * OutputHeight * OutputWidth;
            return [Inputs / Groups * Height * Width, Outputs / Groups * Height * Width, positions, positions];
        }
    }

    /// <summary>The library's windows are squares.</summary>
    public override ImageLayer? Layer => Height == Width ? new ConvolutionLayer(Outputs, Height) { Stride = Stride, Padding = Padding, Dilation = Dilation, Groups = Groups, Bias = Bias } : null;

    /// <summary>All cases, shuffled, so that a search that runs out of time has seen a sample of everything.</summary>
    public static ConvolutionCase[] All()
    {
        var random = new Random(1);
        var cases = (
            from window in new (int Height, int Width)[] { (1, 1), (3, 3), (5, 5), (1, 3) }
            from stride in new[] { 1, 2, 3 }
            from dilation in window == (1, 1) ? new[] { 1 } : [1, 2]
            from padding in new[] { 0, 1, 2 }
            from channels in GroupsOfChannels()
            from channelsLast in new[] { false, true }
            select new ConvolutionCase(window.Height, window.Width, stride, dilation, padding, channels.Groups, channels.Inputs, channels.Outputs, channelsLast).Draw(random)).ToArray();
        random.Shuffle(cases);
        return cases;
    }

    public override Tensor Compute(Tensor input, Tensor weight, Tensor? bias) =>
        nn.functional.conv2d(input, weight, bias, [Stride, Stride], [Padding, Padding], [Dilation, Dilation], Groups);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Height}x{Width} stride {Stride} dilation {Dilation} padding {Padding} groups {Groups} {Channels}, {Images}");

    private static IEnumerable<(int Groups, int Inputs, int Outputs)> GroupsOfChannels()
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

    private ConvolutionCase Draw(Random random) => Draw<ConvolutionCase>(random, Reach(Height) - (2 * Padding), Reach(Width) - (2 * Padding));

    private int Reach(int side) => (Dilation * (side - 1)) + 1;
}
