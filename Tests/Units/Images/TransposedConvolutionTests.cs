using MLExtensions.Families.Images;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>
/// Transposed convolutions that oneDNN computes wrongly (eng/native-search), so that the library computes them another way: a window of one pixel
/// with a stride, and in bfloat16 an output narrower than the stride. They must be transposed convolutions all the same.
/// </summary>
[TestClass]
public sealed class TransposedConvolutionTests
{
    public static IEnumerable<object[]> Cases =>
        from kernel in new[] { 1, 2, 3 }
        from stride in new[] { 1, 2, 3 }
        from padding in new[] { 0, 1 }
        from outputPadding in Enumerable.Range(0, stride)
        from size in new[] { (Height: 4, Width: 5), (Height: 4, Width: 1) }
        where ((size.Width - 1) * stride) - (2 * padding) + kernel + outputPadding > 0
        select new object[] { kernel, stride, padding, outputPadding, size.Height, size.Width };

    /// <summary>Against float64, which oneDNN does not compute.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void OutputAndGradients_AreThoseOfFloat64(int kernel, int stride, int padding, int outputPadding, int height, int width)
    {
        var layer = new TransposedConvolutionLayer(6, kernel) { Stride = stride, Padding = padding, OutputPadding = outputPadding };
        var shape = LayerShape.OfImage(3, height, width);
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            foreach (var channelsLast in new[] { false, true })
            {
                using var scope = NewDisposeScope();
                var module = ImageSample.Module(layer, shape).to(type);
                var x = ImageSample.Random(2, 3, height, width).to(type);
                x = (channelsLast ? ChannelsLast.Arrange(x) : x).detach().requires_grad_(true);
                var output = module.call(x);
                Assert.AreEqual(layer.OutputShape(shape, new LayerSite("", 6)), LayerShape.OfImage((int)output.shape[1], (int)output.shape[2], (int)output.shape[3]));
                var slope = ImageSample.Random(output.shape).to(type);
                output.backward([slope]);
                var parameters = module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
                var (input, weight, bias) = (Exact(x), Exact(parameters["weight"]), Exact(parameters["bias"]));
                var expected = nn.functional.conv_transpose2d(input, weight, bias, [stride, stride], [padding, padding], [outputPadding, outputPadding]);
                expected.backward([slope.to(ScalarType.Float64)]);
                // At most 240 terms of about 1 are added here; in bfloat16 some sums are, too.
                var tolerance = type == ScalarType.Float32 ? 1e-5 : 0.05;
                AssertClose(expected.detach(), output.detach(), tolerance, "output");
                AssertClose(input.grad!, x.grad!, tolerance, "gradient of the input");
                AssertClose(weight.grad!, parameters["weight"].grad!, tolerance, "gradient of the weights");
                AssertClose(bias.grad!, parameters["bias"].grad!, tolerance, "gradient of the bias");
            }
        }
    }

    private static Tensor Exact(Tensor x) => x.detach().to(ScalarType.Float64).requires_grad_(true);

    /// <param name="expected">The values.</param>
    /// <param name="actual">What is compared.</param>
    /// <param name="tolerance">Relative to the largest value, and to 1.</param>
    /// <param name="what">What they are.</param>
    private static void AssertClose(Tensor expected, Tensor actual, double tolerance, string what)
    {
        var error = (actual.to(ScalarType.Float64) - expected).abs().max().item<double>();
        Assert.IsLessThanOrEqualTo(tolerance * Math.Max(1, expected.abs().max().item<double>()), error, what);
    }
}
