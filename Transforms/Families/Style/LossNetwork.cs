using MLExtensions.Families.Images;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>A pretrained image network that is not trained any more: what its layers see in pictures is compared.</summary>
internal sealed class LossNetwork
{
    private readonly ImageInput _input;
    private readonly (LossLayer Layer, nn.Module<Tensor, Tensor> Module)[] _layers;
    private readonly int _padding;

    /// <param name="model">The network. The caller keeps a lease on it.</param>
    /// <param name="padding">The pixels by which pictures are reflected at each border before the first layer.</param>
    public LossNetwork(NetworkModelParameters model, int padding)
    {
        var architecture = (ImageArchitecture)model.Architecture;
        var modules = model.Network.named_modules().ToDictionary(entry => entry.name, entry => entry.module);
        _input = architecture.Image;
        _layers = LossLayers.Of(architecture).Select(layer => (layer, (nn.Module<Tensor, Tensor>)modules[layer.Path])).ToArray();
        _padding = padding;
    }

    /// <summary>Returns the outputs of some layers.</summary>
    /// <param name="pictures">Pictures <c>[rows, 3, height, width]</c> from 0 to 255.</param>
    /// <param name="paths">The full names of the layers.</param>
    public Tensor[] Outputs(Tensor pictures, IReadOnlyList<string> paths) => Measure(pictures, paths, measure: null);

    /// <summary>Returns what is measured of the outputs of some layers. Without a gradient, an output is freed as soon as it is not needed any more.</summary>
    /// <param name="pictures">Pictures <c>[rows, 3, height, width]</c> from 0 to 255.</param>
    /// <param name="paths">The full names of the layers.</param>
    /// <param name="measure">Measures the output of a layer, given its place in <paramref name="paths"/>; null for the outputs themselves.</param>
    public Tensor[] Measure(Tensor pictures, IReadOnlyList<string> paths, Func<int, Tensor, Tensor>? measure)
    {
        var results = new Tensor[paths.Count];
        var left = paths.Distinct().Count();
        var x = TensorMemory.WithoutIntermediates(() => _input.Scaling.Apply(_padding == 0 ? pictures : nn.functional.pad(pictures, [_padding, _padding, _padding, _padding], PaddingModes.Reflect)));
        var isOwned = !ReferenceEquals(x, pictures);
        foreach (var (layer, module) in _layers)
        {
            if (left == 0)
                break;
            var next = TensorMemory.WithoutIntermediates(() => module.call(ChannelsLast.Arrange(x)));
            if (!ReferenceEquals(next, x))
            {
                if (isOwned)
                    x.Dispose();
                (x, isOwned) = (next, true);
            }
            if (!paths.Contains(layer.Path))
                continue;
            left--;
            var output = (measure == null || x.requires_grad) && layer.MayBeOverwritten && left > 0 ? x.clone() : x;
            for (var i = 0; i < results.Length; i++)
            {
                if (paths[i] == layer.Path)
                    results[i] = measure == null ? output : TensorMemory.WithoutIntermediates(() => measure(i, output));
            }
            if (measure == null)
                isOwned &= !ReferenceEquals(output, x);
            else if (!ReferenceEquals(output, x))
                output.Dispose();
        }
        if (isOwned)
            x.Dispose();
        return results;
    }
}

/// <summary>What a style is made of: statistics of a layer's outputs that do not tell where something is.</summary>
internal static class StyleStatistics
{
    /// <summary>The Gram matrix: how often two channels respond together, in the mean over the positions. <c>[rows, channels, channels]</c></summary>
    public static Tensor Gram(Tensor outputs)
    {
        var (rows, channels, positions) = (outputs.shape[0], outputs.shape[1], outputs.shape[2] * outputs.shape[3]);
        return TensorMemory.WithoutIntermediates(() =>
        {
            var values = outputs.permute(0, 2, 3, 1).reshape(rows, positions, channels);
            return values.transpose(1, 2).bmm(values).div(Number.Of(positions));
        });
    }

    /// <summary>The values of a symmetric matrix <c>[1, n, n]</c> on and above its diagonal, row by row.</summary>
    public static Tensor UpperTriangle(Tensor matrix) => matrix[0][ones_like(matrix[0], ScalarType.Bool).triu()];

    /// <summary>The mean and the standard deviation of each channel over the positions, each <c>[rows, channels]</c>.</summary>
    public static Tensor[] MeanAndDeviation(Tensor outputs)
    {
        var mean = outputs.mean([2, 3], keepdim: true);
        return [mean.flatten(1), TensorMemory.WithoutIntermediates(() => Squares(outputs.sub(mean)).mean([2, 3]).sqrt())];

        // In place where no gradient needs the differences: they are as large as the outputs.
        static Tensor Squares(Tensor differences) => differences.requires_grad ? differences.pow(Number.Of(2)) : differences.pow_(Number.Of(2));
    }
}
