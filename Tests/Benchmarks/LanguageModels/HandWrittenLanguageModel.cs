using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>What a TorchSharp user writes for the Penn Treebank's small network: windows of ready tensors, carried state, clipping, SGD.</summary>
internal sealed class HandWrittenLanguageModel : IDisposable
{
    private readonly Embedding _embedding;
    private readonly LSTM _lstm;
    private readonly Linear _output;
    private readonly Parameter[] _parameters;
    private readonly optim.Optimizer _optimizer;
    private readonly (Tensor Inputs, Tensor Targets)[] _windows;

    /// <param name="tokens">The text.</param>
    /// <param name="options">Sizes, lanes, steps, learning rate and clipping.</param>
    /// <param name="vocabulary">The number of tokens.</param>
    public HandWrittenLanguageModel(long[] tokens, LanguageModelEstimator.Options options, int vocabulary)
    {
        _embedding = nn.Embedding(vocabulary, options.HiddenUnits);
        _lstm = nn.LSTM(options.HiddenUnits, options.HiddenUnits, options.NumberOfLayers);
        _output = nn.Linear(options.HiddenUnits, vocabulary);
        _parameters = [.. _embedding.parameters(), .. _lstm.parameters(), .. _output.parameters()];
        _optimizer = optim.SGD(_parameters, options.LearningRate);
        ClipNorm = options.GradientClipNorm!.Value;
        using var scope = NewDisposeScope();
        var length = tokens.Length / options.BatchSize;
        var lanes = tensor(tokens).narrow(0, 0, length * options.BatchSize).view(options.BatchSize, length).t().contiguous();
        var windows = new List<(Tensor, Tensor)>();
        for (var at = 0; at + 1 < length; at += options.WindowLength)
        {
            var steps = Math.Min(options.WindowLength, length - 1 - at);
            windows.Add((lanes.narrow(0, at, steps).clone().DetachFromDisposeScope(), lanes.narrow(0, at + 1, steps).reshape(-1).clone().DetachFromDisposeScope()));
        }
        _windows = [.. windows];
    }

    private double ClipNorm { get; }

    /// <summary>An epoch.</summary>
    public void Run(int threads)
    {
        var before = get_num_threads();
        set_num_threads(threads);
        (Tensor H, Tensor C)? state = null;
        foreach (var (inputs, targets) in _windows)
        {
            using var scope = NewDisposeScope();
            _optimizer.zero_grad();
            var (outputs, h, c) = _lstm.call(_embedding.call(inputs), state);
            var loss = nn.functional.cross_entropy(_output.call(outputs).view(targets.shape[0], -1), targets);
            loss.backward();
            nn.utils.clip_grad_norm_(_parameters, ClipNorm);
            _optimizer.step();
            loss.item<float>();
            state?.H.Dispose();
            state?.C.Dispose();
            state = (h.detach().DetachFromDisposeScope(), c.detach().DetachFromDisposeScope());
        }
        state?.H.Dispose();
        state?.C.Dispose();
        set_num_threads(before);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _embedding.Dispose();
        _lstm.Dispose();
        _output.Dispose();
        foreach (var (inputs, targets) in _windows)
        {
            inputs.Dispose();
            targets.Dispose();
        }
    }
}
