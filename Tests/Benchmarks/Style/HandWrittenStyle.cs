using MLExtensions.Persistence;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLExtensions.Benchmarks;

/// <summary>
/// The procedure of the program neural-style as one would write it by hand: SqueezeNet's layers one after the other, the same relative losses, Adam
/// or L-BFGS of torch on the pixels without bounds, cut off at the end.
/// </summary>
internal sealed class HandWrittenStyle : IDisposable
{
    private const int ContentLayer = 4;
    private static readonly int[] StyleLayers = [1, 4, 5, 7];

    private readonly Dictionary<string, Tensor> _weights = [];
    private readonly Tensor _mean = tensor(new[] { .485f, .456f, .406f }).view(1, 3, 1, 1);
    private readonly Tensor _deviation = tensor(new[] { .229f, .224f, .225f }).view(1, 3, 1, 1);
    private readonly Tensor _content;
    private readonly Tensor _target;
    private readonly Tensor[] _style;
    private readonly double _styleWeight;
    private readonly double _variationWeight;

    /// <param name="weightsPath">SqueezeNet's weights.</param>
    /// <param name="content">The content <c>[1, 3, height, width]</c> from 0 to 1.</param>
    /// <param name="style">The style picture.</param>
    /// <param name="styleWeight">The factor of the style loss.</param>
    /// <param name="variationWeight">The factor of the total variation.</param>
    public HandWrittenStyle(string weightsPath, Tensor content, Tensor style, double styleWeight, double variationWeight)
    {
        using (var stream = File.OpenRead(weightsPath))
        {
            foreach (var (name, value) in SafeTensorsReader.Open(stream, weightsPath).ReadAll())
                _weights[name] = value.requires_grad_(false);
        }
        (_content, _styleWeight, _variationWeight) = (content, styleWeight, variationWeight);
        using var noGradient = no_grad();
        _target = Layers(content)[ContentLayer];
        var seen = Layers(style);
        _style = StyleLayers.Select(layer => Gram(seen[layer])).ToArray();
    }

    /// <summary>Paints, and returns the picture from 0 to 1.</summary>
    public Tensor Paint(int iterations, bool lbfgs)
    {
        var picture = new Parameter(_content.clone());
        if (lbfgs)
        {
            using var optimizer = optim.LBFGS([picture], lr: 1, max_iter: iterations, max_eval: iterations, tolerange_grad: 0, tolerance_change: 0, history_size: 20);
            optimizer.step(() =>
            {
                using var scope = NewDisposeScope();
                optimizer.zero_grad();
                var loss = Loss(picture);
                loss.backward();
                return loss.detach().MoveToOuterDisposeScope();
            });
        }
        else
        {
            // neural-style's 10 for pixels from 0 to 255, and PyTorch's other defaults.
            using var optimizer = optim.Adam([picture], 10 / 255.0, .9, .999);
            for (var i = 0; i < iterations; i++)
            {
                using var scope = NewDisposeScope();
                optimizer.zero_grad();
                Loss(picture).backward();
                optimizer.step();
            }
        }
        using var noGradient = no_grad();
        return picture.clamp(0, 1);
    }

    /// <summary>The total loss of a picture.</summary>
    public double LossOf(Tensor picture)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return Loss(picture).item<float>();
    }

    public void Dispose()
    {
        foreach (var weight in _weights.Values)
            weight.Dispose();
    }

    private static Tensor Gram(Tensor x)
    {
        var flat = x.reshape(x.shape[1], -1);
        return flat.matmul(flat.t()) / (double)flat.shape[1];
    }

    private Tensor Loss(Tensor picture)
    {
        var seen = Layers(picture);
        var loss = (seen[ContentLayer] - _target).pow(2).sum() / _target.pow(2).sum();
        for (var i = 0; i < StyleLayers.Length; i++)
            loss = loss + (_styleWeight * (Gram(seen[StyleLayers[i]]) - _style[i]).pow(2).sum() / _style[i].pow(2).sum());
        var (h, w) = (picture.shape[2], picture.shape[3]);
        var down = (picture.narrow(2, 1, h - 1) - picture.narrow(2, 0, h - 1)).pow(2).mean();
        var right = (picture.narrow(3, 1, w - 1) - picture.narrow(3, 0, w - 1)).pow(2).mean();
        return loss + (_variationWeight * (down + right));
    }

    private Tensor[] Layers(Tensor picture)
    {
        var x = (picture - _mean) / _deviation;
        var outputs = new Tensor[StyleLayers[^1] + 1];
        for (var i = 0; i < outputs.Length; i++)
        {
            x = i switch
            {
                0 => Convolution(x, "features.0", 2, 0),
                1 => F.relu(x),
                2 or 6 => F.max_pool2d(x, [3, 3], [2, 2], ceil_mode: true),
                _ => Fire(x, FormattableString.Invariant($"features.{i}")),
            };
            outputs[i] = x;
        }
        return outputs;
    }

    private Tensor Fire(Tensor x, string name)
    {
        var squeezed = F.relu(Convolution(x, name + ".squeeze", 1, 0));
        return cat([F.relu(Convolution(squeezed, name + ".expand1x1", 1, 0)), F.relu(Convolution(squeezed, name + ".expand3x3", 1, 1))], 1);
    }

    private Tensor Convolution(Tensor x, string name, long stride, long padding) =>
        F.conv2d(x, _weights[name + ".weight"], _weights[name + ".bias"], strides: [stride, stride], padding: [padding, padding]);
}
