using Microsoft.ML;
using MLExtensions.Families.Style;
using MLExtensions.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Style;

/// <summary>The losses and their gradients are those of the papers' formulas, computed by plain operations.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class TransferLossTests
{
    private static readonly double[] LayerWeights = [.5, 2, 1];

    [TestMethod]
    [DataRow(StyleLossForm.Absolute, 0)]
    [DataRow(StyleLossForm.Absolute, 3)]
    [DataRow(StyleLossForm.Relative, 0)]
    [DataRow(StyleLossForm.Relative, 3)]
    public void LossAndGradient_AreTheFormulas(StyleLossForm form, int padding)
    {
        using var sample = new StyleSample();
        using var file = new LossNetworkFile(sample.WeightsPath, "WeightsPath", StyleSample.Network);
        string[] styleLayers = ["features.1", "features.3", "features.6"];
        string[] contentLayers = ["features.4", "features.6"];
        using var network = file.Load(new MLContext(1), [.. styleLayers, .. contentLayers], LossPooling.AsTrained, "WeightsPath");
        var loss = new TransferLoss(new LossNetwork(network, padding), new TransferLossSettings(contentLayers, styleLayers, LayerWeights, .7, 3, 1.3, form));
        using var scope = NewDisposeScope();
        var generator = new Generator((ulong)TestSeed.Of(8));
        Tensor Random(int height, int width) => rand([1, 3, height, width], generator: generator).mul(255);
        var (picture, content, style) = (Random(20, 28), Random(20, 28), Random(16, 24));
        var leaf = picture.detach().clone().requires_grad_(true);
        var losses = loss.Of(leaf, loss.ContentOf(content), loss.StyleOf(style));
        losses.Total.backward();

        var plain = new Plain(network, padding);
        var other = picture.to(ScalarType.Float64).detach().clone().requires_grad_(true);
        var expected = plain.Total(other, content.to(ScalarType.Float64), style.to(ScalarType.Float64), form);
        expected.backward();
        Assert.AreEqual(expected.item<double>(), losses.Total.item<float>(), 1e-5 * Math.Abs(expected.item<double>()));
        var distance = leaf.grad!.to(ScalarType.Float64).sub(other.grad!).norm().item<double>() / other.grad!.norm().item<double>();
        Assert.IsLessThan(1e-5, distance, "relative distance of the gradients");
    }

    [TestMethod]
    public void Gram_IsTheMeanOverPositions()
    {
        using var scope = NewDisposeScope();
        // Two channels of 1 x 3 positions.
        var outputs = tensor(new float[] { 1, 2, 3, 0, 1, -1 }, [1, 2, 1, 3]);
        var gram = StyleStatistics.Gram(outputs).flatten().data<float>().ToArray();
        float[] expected = [14f / 3, -1f / 3, -1f / 3, 2f / 3];
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], gram[i], 1e-6f);
    }

    /// <summary>The same in float64 with the plainest operations, from the network's weights.</summary>
    private sealed class Plain(NetworkModelParameters network, int padding)
    {
        private readonly Dictionary<string, Tensor> _weights = network.Network.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.to(ScalarType.Float64));

        public Tensor Total(Tensor picture, Tensor content, Tensor style, StyleLossForm form)
        {
            var (x, p, a) = (Outputs(picture), Outputs(content), Outputs(style));
            var total = zeros(1, ScalarType.Float64).squeeze();
            foreach (var layer in new[] { 4, 6 })
            {
                var squares = (x[layer] - p[layer]).pow(2).sum();
                total = total + (.7 * (form == StyleLossForm.Absolute ? squares / 2 : squares / p[layer].pow(2).sum()));
            }
            foreach (var (layer, weight) in new[] { 1, 3, 6 }.Zip(LayerWeights))
            {
                // The book's matrix is a sum over positions; pictures of different sizes can only be compared by the mean.
                var (g, t) = (Gram(x[layer]), Gram(a[layer]));
                var channels = (double)g.shape[0];
                var squares = (g - t).pow(2).sum();
                total = total + (3 * weight * (form == StyleLossForm.Absolute ? squares / (4 * channels * channels) : squares / t.pow(2).sum()));
            }
            var unit = picture / 255;
            var (h, w) = (unit.shape[2], unit.shape[3]);
            var down = unit[.., .., 1.., ..] - unit[.., .., ..(int)(h - 1), ..];
            var right = unit[.., .., .., 1..] - unit[.., .., .., ..(int)(w - 1)];
            return total + (1.3 * (down.pow(2).mean() + right.pow(2).mean()));
        }

        private static Tensor Gram(Tensor outputs)
        {
            var flat = outputs.reshape(outputs.shape[1], -1);
            return flat.matmul(flat.t()) / (double)flat.shape[1];
        }

        private Tensor[] Outputs(Tensor picture)
        {
            var x = padding == 0 ? picture : nn.functional.pad(picture, [padding, padding, padding, padding], PaddingModes.Reflect);
            var mean = tensor(new[] { .485, .456, .406 }).view(1, 3, 1, 1);
            var deviation = tensor(new[] { .229, .224, .225 }).view(1, 3, 1, 1);
            x = ((x / 255) - mean) / deviation;
            var outputs = new Tensor[7];
            for (var layer = 0; layer < outputs.Length; layer++)
            {
                x = layer switch
                {
                    0 or 3 or 5 => nn.functional.conv2d(x, _weights[$"features.{layer}.weight"], _weights[$"features.{layer}.bias"], padding: [1, 1]),
                    2 => nn.functional.max_pool2d(x, [2, 2], [2, 2]),
                    _ => nn.functional.relu(x),
                };
                outputs[layer] = x;
            }
            return outputs;
        }
    }
}
