using System.Globalization;
using MLExtensions.Families.Recurrent;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.NativeSearch;

/// <summary>A layer and its gradients in float32 or bfloat16, against the same in float64, which no fast library computes.</summary>
internal static class RecurrentComparison
{
    private static readonly string[] Names = ["output", "hidden", "cell"];

    public static List<string> Run(RecurrentCase now, bool library)
    {
        using var scope = NewDisposeScope();
        set_num_threads(now.Threads);
        manual_seed(1);
        var type = now.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        using var grad = set_grad_enabled(now.Gradient);
        var fast = library ? new RecurrentLayers(now.Cell, now.Units).CreateModule(now.Inputs) : Create(now);
        fast.to(type);
        var slow = Create(now).to(ScalarType.Float64);
        foreach (var ((_, target), (_, source)) in slow.named_parameters().Zip(fast.named_parameters()))
        {
            using var none = no_grad();
            target.copy_(source);
        }
        var input = Numbers(type, now.Steps, now.Batch, now.Inputs);
        var states = now.State ? Enumerable.Range(0, now.Cell == RecurrentCell.Lstm ? 2 : 1).Select(_ => Numbers(type, 1, now.Batch, now.Units)).ToArray() : [];
        var (names, actual) = Values(now, fast, input, states);
        var (_, expected) = Values(now, slow, Double(input), Array.ConvertAll(states, Double));
        var findings = new List<string>();
        for (var i = 0; i < actual.Count; i++)
        {
            var scale = Math.Max(1, expected[i].abs().max().item<double>());
            var error = (actual[i].to(ScalarType.Float64) - expected[i]).abs().max().item<double>() / scale;
            if (!(error <= (now.BFloat16 ? 3e-2 : 1e-5)))
                findings.Add(string.Create(CultureInfo.InvariantCulture, $"{names[i]} {error:G2}"));
        }
        return findings;
    }

    private static (List<string>, List<Tensor>) Values(RecurrentCase now, nn.Module module, Tensor input, Tensor[] states)
    {
        if (now.Gradient)
        {
            input = input.detach().requires_grad_(true);
            states = Array.ConvertAll(states, state => state.detach().requires_grad_(true));
        }
        var outputs = Call(module, input, states);
        var names = Names[..outputs.Length].ToList();
        var values = outputs.ToList();
        if (now.Gradient)
        {
            var random = new Random(3);
            var loss = zeros(1, dtype: ScalarType.Float64);
            foreach (var output in outputs)
                loss = loss + (output.to(ScalarType.Float64) * Slopes(output.shape)).sum();
            loss.backward();
            names.AddRange(["d input", .. states.Select((_, i) => $"d state {i}"), .. module.named_parameters().Select(p => $"d {p.name}")]);
            values.AddRange([input.grad!, .. states.Select(state => state.grad!), .. module.parameters().Select(p => p.grad!)]);
        }
        return (names, values);
    }

    private static Tensor[] Call(nn.Module module, Tensor input, Tensor[] states)
    {
        switch (module)
        {
            case RecurrentModule recurrent:
                var (y0, s0) = recurrent.Run(input, states.Length == 0 ? null : states);
                return [y0, .. s0];
            case LSTM lstm:
                var (y, h, c) = lstm.call(input, states.Length == 0 ? null : (states[0], states[1]));
                return [y, h, c];
            case GRU gru:
                var (y1, h1) = gru.call(input, states.Length == 0 ? null! : states[0]);
                return [y1, h1];
            default:
                var (y2, h2) = ((RNN)module).call(input, states.Length == 0 ? null : states[0]);
                return [y2, h2];
        }
    }

    private static nn.Module Create(RecurrentCase now) => now.Cell switch
    {
        RecurrentCell.Lstm => nn.LSTM(now.Inputs, now.Units),
        RecurrentCell.Gru => nn.GRU(now.Inputs, now.Units),
        _ => nn.RNN(now.Inputs, now.Units),
    };

    private static Tensor Slopes(long[] shape)
    {
        using var generator = new Generator(5);
        return rand(shape, dtype: ScalarType.Float64, generator: generator) - 0.5;
    }

    private static Tensor Numbers(ScalarType type, params long[] shape) => ((rand(shape) * 2) - 1).to(type);

    private static Tensor Double(Tensor tensor) => tensor.detach().to(ScalarType.Float64);
}
