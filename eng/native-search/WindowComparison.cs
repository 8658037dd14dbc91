using System.Globalization;
using MLExtensions.Families.Images;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.NativeSearch;

/// <summary>A convolution, transposed or not, and its gradients in float32 or bfloat16, against the same in float64, which no fast library computes.</summary>
internal static class WindowComparison
{
    public static List<string> Run(WindowCase now, bool library)
    {
        using var scope = NewDisposeScope();
        set_num_threads(now.Threads);
        var type = now.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        var input = Arrange(Numbers(type, now.BatchSize, now.Inputs, now.ImageHeight, now.ImageWidth), now.ChannelsLast).requires_grad_(true);
        var weight = Numbers(type, now.WeightShape).requires_grad_(true);
        var bias = now.Bias ? Numbers(type, now.Outputs).requires_grad_(true) : null;
        var slope = Arrange(Numbers(type, now.BatchSize, now.Outputs, now.OutputHeight, now.OutputWidth), now.ChannelsLast);
        var actual = library ? OfLibrary(now, input, weight, bias, slope) : WithGradients(now.Compute(input, weight, bias), slope, input, weight, bias);
        var (exactInput, exactWeight, exactBias) = (Double(input)!, Double(weight)!, Double(bias));
        var expected = WithGradients(now.Compute(exactInput, exactWeight, exactBias), slope.to(ScalarType.Float64), exactInput, exactWeight, exactBias);

        // No sum of n products of numbers in [-1, 1] is further from the truth than n roundings of n (float32: 2^-24), and one of the result.
        var terms = now.Terms;
        string[] names = ["output", "gradient of the input", "gradient of the weights", "gradient of the bias"];
        var findings = new List<string>();
        for (var i = 0; i < actual.Count; i++)
        {
            var error = (actual[i].to(ScalarType.Float64) - expected[i]).abs().max().item<double>();
            var bound = now.BFloat16
                ? (terms[i] + 1) * Math.ScaleB(1, -8) // some sums are in bfloat16
                : (terms[i] + 1) * Math.ScaleB(1, -23);
            if (!(error <= bound))
                findings.Add(string.Create(CultureInfo.InvariantCulture, $"{names[i]} is off by {error:g3}; at most {bound:g3} is rounding"));
        }
        return findings;
    }

    private static List<Tensor> OfLibrary(WindowCase now, Tensor input, Tensor weight, Tensor? bias, Tensor slope)
    {
        var module = now.Layer!.CreateModule(LayerShape.OfImage(now.Inputs, now.ImageHeight, now.ImageWidth), new LayerSite("", now.Outputs)).to(weight.dtype);
        var parameters = module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        using (no_grad())
        {
            parameters["weight"].copy_(weight);
            if (bias is not null)
                parameters["bias"].copy_(bias);
        }
        return WithGradients(module.call(input), slope, input, parameters["weight"], bias is null ? null : parameters["bias"]);
    }

    private static List<Tensor> WithGradients(Tensor output, Tensor slope, Tensor input, Tensor weight, Tensor? bias)
    {
        output.backward([slope]);
        return bias is null ? [output.detach(), input.grad!, weight.grad!] : [output.detach(), input.grad!, weight.grad!, bias.grad!];
    }

    private static Tensor? Double(Tensor? x) => x?.detach().to(ScalarType.Float64).requires_grad_(true);

    private static Tensor Numbers(ScalarType type, params long[] shape) => rand(shape).mul_(2).sub_(1).to(type);

    private static Tensor Arrange(Tensor x, bool channelsLast) => channelsLast ? ChannelsLast.Arrange(x) : x;
}
