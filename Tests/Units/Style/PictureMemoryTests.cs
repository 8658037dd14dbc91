using System.Globalization;
using Microsoft.ML;
using MLExtensions.Families.Images;
using MLExtensions.Families.Style;
using MLExtensions.Tests.Loading;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Style;

/// <summary>What pictures take is counted as it is, and no more is taken than is needed at a time.</summary>
[TestClass]
public sealed class PictureMemoryTests
{
    private const int Side = 480;

    /// <summary>Layers of 3x3 that keep the size: 8 channels, half the size, 12 and 12 channels.</summary>
    [TestMethod]
    public void Values_AreThoseOfTheWorstMoment()
    {
        var layers = LayerChain.Place(LossNetworkSample.Network.CreateLayers(), LayerShape.OfImage(3, 40, 20), new LayerSite("", 2));
        const double pixels = 40 * 20;
        // The second copy of 8 channels while their deviations are computed.
        Assert.AreEqual(2 * 8 * pixels, PictureMemory.Passing(layers));
        // Convolutions, a pooling with its places, and three gradients of 8 channels; next to nothing behind them.
        Assert.AreEqual(((8 + ((3 * 8) + 12 + 12) / 4.0) + (3 * 8)) * pixels, PictureMemory.Learning(layers), 100);
    }

    [TestMethod]
    public void ValuesOfThePaintingNetwork_AreThoseOfTheLastDoubling()
    {
        var network = NetworkOf(8, 1);
        // 16 channels at half the size; doubled; with borders. And the picture.
        Assert.AreEqual((4 + 16 + 16 + 8) * 100.0 * 60, network.PassingValues(100, 60));
    }

    /// <summary>Before, all layers lived to the end: 1,040 MB.</summary>
    [TestMethod]
    public void Painting_TakesAboutWhatIsCounted()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("The peak is read from /proc.");
        var numbers = ChildProcess.Run(PaintInChild).AssertSuccess().Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        Assert.IsLessThan(1.6, numbers[0] / numbers[1], FormattableString.Invariant($"{numbers[0]} bytes taken, {numbers[1]} counted"));
    }

    private static void PaintInChild(string[] args)
    {
        var network = NetworkOf(32, 1);
        using var scope = NewDisposeScope();
        using var module = (StyleNetwork)network.CreateModule();
        using var mode = inference_mode();
        Paint(32);
        var before = Kilobytes("VmRSS:");
        Paint(Side);
        Console.WriteLine(FormattableString.Invariant($"{1024 * (Kilobytes("VmHWM:") - before)} {PictureMemory.BytesOf(network.PassingValues(Side, Side))}"));

        void Paint(int side)
        {
            using var inner = NewDisposeScope();
            module.Paint(ones([1, 3, side, side], ScalarType.Float32, CPU), shares: null);
        }
    }

    private static StyleNetworkArchitecture NetworkOf(int width, int blocks) => new()
    {
        InputCount = 3 * 32 * 32,
        OutputCount = 3 * 32 * 32,
        Image = new ImageShape(3, 32, 32),
        Width = width,
        ResidualBlocks = blocks,
        StyleCount = 1,
    };

    private static double Kilobytes(string name) =>
        double.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
}
