using MLExtensions.Engine;
using MLExtensions.Families.Recurrent;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Lstm;

/// <summary>
/// Recurrent layers and all their gradients are the cells' equations in float64, whatever kernel the processor gets: sizes around
/// the blocks of 16 and 32 values that kernels work in, and those that oneDNN computes wrongly with AVX-512.
/// </summary>
[TestClass]
public sealed class RecurrentComputationTests
{
    private const double Slack = 1e-5;
    private const double BFloat16Slack = 0.03; // a few roundings of 2^-9; a wrong kernel is off by .05 to NaN

    public TestContext TestContext { get; set; } = null!;

    public static IEnumerable<object[]> Shapes =>
        from cell in Enum.GetValues<RecurrentCell>()
        from shape in new[]
        {
            (1, 1, 1, 2), (1, 9, 20, 3), (5, 2, 33, 4), (3, 4, 5, 7), (16, 17, 3, 8), (9, 17, 20, 5), (2, 16, 1, 1), (47, 5, 40, 5), (31, 31, 8, 5),
            (64, 32, 17, 6), (20, 48, 33, 4), (12, 33, 4, 3), (48, 65, 5, 8), (128, 100, 8, 2), (129, 127, 16, 6), (200, 200, 2, 3), (288, 160, 5, 2), (31, 260, 17, 2),
        }
        select new object[] { cell, shape.Item1, shape.Item2, shape.Item3, shape.Item4 };

    [TestMethod]
    [DynamicData(nameof(Shapes))]
    public void OutputsAndGradients_AreTheEquations(RecurrentCell cell, int inputs, int units, int batch, int steps)
    {
        foreach (var (type, slack) in new[] { (ScalarType.Float32, Slack), (ScalarType.BFloat16, BFloat16Slack) })
        {
            using var scope = NewDisposeScope();
            using var module = Create(cell, inputs, units);
            if (type == ScalarType.BFloat16)
                BFloat16Modules.Convert(module);
            var input = Numbers(1, steps, batch, inputs).to(type).detach();
            var state = Enumerable.Range(0, cell == RecurrentCell.Lstm ? 2 : 1).Select(i => Numbers(i + 2, 1, batch, units).to(type).detach()).ToArray();
            var weights = module.named_parameters().Select(entry => entry.parameter).ToArray();

            var expected = Values(weights, input, state, ScalarType.Float64, (x, s, w) => RunByHand(cell, x, s, w));
            AssertClose(expected, Values(weights, input, state, null, (x, s, _) => Run(module, x, s)), slack, $"{type} with gradients");
            using var plain = no_grad();
            AssertClose(expected[..(state.Length + 1)], Run(module, input, state), slack, $"{type} without gradients");
            var zero = Array.ConvertAll(state, part => zeros_like(part));
            AssertClose(RunByHand(cell, Double(input), Array.ConvertAll(zero, Double), Array.ConvertAll(weights, Double)), Run(module, input, null), slack, $"{type} without a state");
        }
    }

    /// <summary>Every rest of a block, since kernels differ in how they take it.</summary>
    [TestMethod]
    public void Scoring_OfEveryNumberOfUnits()
    {
        using var plain = no_grad();
        for (var units = 1; units <= 97; units++)
        {
            using var scope = NewDisposeScope();
            using var module = Create(RecurrentCell.Lstm, 7, units);
            var input = Numbers(1, 3, 5, 7);
            var state = new[] { zeros(1, 5, units), zeros(1, 5, units) };
            var weights = module.named_parameters().Select(entry => Double(entry.parameter)).ToArray();
            AssertClose(RunByHand(RecurrentCell.Lstm, Double(input), Array.ConvertAll(state, Double), weights), Run(module, input, null), Slack, $"{units} units");
        }
    }

    private static RecurrentModule Create(RecurrentCell cell, int inputs, int units)
    {
        var module = new RecurrentLayers(cell, units).CreateModule(inputs);
        RecurrentInitializer.Initialize(module, WeightInitialization.XavierUniform, 3, cell, scale: null, forgetBias: 0.5); // larger weights make errors grow from step to step
        using var plain = no_grad();
        using var generator = new Generator(1);
        foreach (var (name, parameter) in module.named_parameters().Where(entry => entry.name.Contains("bias")))
            parameter.uniform_(-1, 1, generator);
        return module;
    }

    private static Tensor[] Run(RecurrentModule module, Tensor input, Tensor[]? state)
    {
        var (output, next) = module.Run(input, state);
        return [output, .. next];
    }

    /// <summary>The outputs, and the gradients by the input, the state and the weights of a sum of all of them.</summary>
    private static Tensor[] Values(Tensor[] weights, Tensor input, Tensor[] state, ScalarType? type, Func<Tensor, Tensor[], Tensor[], Tensor[]> run)
    {
        Tensor Leaf(Tensor tensor) => (type == null ? tensor.clone() : tensor.to(type.Value)).detach().requires_grad_(true);
        input = Leaf(input);
        state = Array.ConvertAll(state, Leaf);
        if (type != null)
            weights = Array.ConvertAll(weights, Leaf);
        var outputs = run(input, state, weights);
        var sum = zeros(1, dtype: ScalarType.Float64);
        for (var i = 0; i < outputs.Length; i++)
            sum = sum + (outputs[i].to(ScalarType.Float64) * Numbers(10 + i, outputs[i].shape)).sum();
        sum.backward();
        return [.. outputs.Select(output => output.detach()), input.grad!, .. state.Select(part => part.grad!), .. weights.Select(weight => weight.grad!)];
    }

    private void AssertClose(Tensor[] expected, Tensor[] actual, double slack, string what)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
        {
            var scale = Math.Max(1, expected[i].abs().max().item<double>());
            var error = (actual[i].to(ScalarType.Float64) - expected[i]).abs().max().item<double>() / scale;
            Assert.IsTrue(error <= slack, $"{what}: value {i} of {expected.Length} is off by {error:G2}"); // false for NaN
        }
        TestContext.CancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>One layer in float64; weights in libtorch's order: of the input, of the hidden values, and both biases.</summary>
    private static Tensor[] RunByHand(RecurrentCell cell, Tensor input, Tensor[] state, Tensor[] weights)
    {
        state = Array.ConvertAll(state, part => part[0]);
        var outputs = new List<Tensor>();
        for (long step = 0; step < input.shape[0]; step++)
        {
            var ofInput = (input[step].mm(weights[0].t()) + weights[2]).chunk(RecurrentLayers.GatesOf(cell), 1);
            var ofHidden = (state[0].mm(weights[1].t()) + weights[3]).chunk(RecurrentLayers.GatesOf(cell), 1);
            state = Next(cell, ofInput, ofHidden, state);
            outputs.Add(state[0]);
        }
        return [stack(outputs), .. state.Select(part => part.unsqueeze(0))];
    }

    private static Tensor[] Next(RecurrentCell cell, Tensor[] ofInput, Tensor[] ofHidden, Tensor[] state)
    {
        switch (cell)
        {
            case RecurrentCell.Lstm:
                var memory = ((ofInput[1] + ofHidden[1]).sigmoid() * state[1]) + ((ofInput[0] + ofHidden[0]).sigmoid() * (ofInput[2] + ofHidden[2]).tanh());
                return [(ofInput[3] + ofHidden[3]).sigmoid() * memory.tanh(), memory];
            case RecurrentCell.Gru:
                var update = (ofInput[1] + ofHidden[1]).sigmoid();
                var candidate = (ofInput[2] + ((ofInput[0] + ofHidden[0]).sigmoid() * ofHidden[2])).tanh();
                return [((1 - update) * candidate) + (update * state[0])];
            default:
                return [(ofInput[0] + ofHidden[0]).tanh()];
        }
    }

    private static Tensor Numbers(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return (rand(shape, generator: generator) * 2) - 1;
    }

    private static Tensor Double(Tensor tensor) => tensor.detach().to(ScalarType.Float64);
}
