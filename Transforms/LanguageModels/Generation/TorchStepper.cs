using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.LanguageModels;

/// <summary>Steps with the network itself.</summary>
internal sealed class TorchStepper(LanguageModelArchitecture architecture, LanguageModelNetwork network) : TokenStepper
{
    private const int MaximumSteps = 256;

    private readonly CarriedState _state = new();

    public override void Read(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        using var mode = inference_mode();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(architecture.MultiplyAdds));
        for (var first = 0; first < tokens.Length; first += MaximumSteps)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(MaximumSteps, tokens.Length - first);
            var ids = new long[count];
            for (var i = 0; i < count; i++)
                ids[i] = tokens[first + i];
            var (hidden, next) = network.Run(network.Embed(tensor(ids, [count, 1])), _state.Value);
            _state.Keep(next);
            if (first + count == tokens.Length)
                TensorMemory.Floats(network.Logits(hidden.narrow(0, count - 1, 1))).CopyTo(logits);
        }
    }

    public override void Dispose() => _state.Dispose();
}
