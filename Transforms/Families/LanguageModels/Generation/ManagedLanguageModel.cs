using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// A copy of a small network's weights that computes time steps in managed code: calls of libtorch cost more than a step of such a network.
/// Immutable.
/// </summary>
internal sealed class ManagedLanguageModel
{
    private readonly PaddedMatrix _embedding;
    private readonly ManagedCell[] _cells;
    private readonly PaddedMatrix? _projection;
    private readonly PaddedMatrix _output;
    private readonly float[] _outputBias;

    public ManagedLanguageModel(LanguageModelArchitecture architecture, LanguageModelNetwork network)
    {
        using var scope = NewDisposeScope();
        var weights = network.state_dict();
        using var noGradient = no_grad();
        var vectors = network.Vectors();
        _embedding = PaddedMatrix.Of(vectors);
        _cells = new ManagedCell[architecture.Recurrent.NumberOfLayers];
        for (var layer = 0; layer < _cells.Length; layer++)
            _cells[layer] = ManagedCell.Create(architecture.Recurrent.Cell, weights, FormattableString.Invariant($"recurrent.{layer}."));
        _projection = architecture.HasProjection ? PaddedMatrix.Of(weights["projection.weight"]) : null;
        _output = architecture.TieEmbeddings ? _embedding : PaddedMatrix.Of(network.OutputWeight(vectors));
        _outputBias = PaddedMatrix.PadVector(network.OutputBias);
    }

    public TokenStepper CreateStepper() => new Stepper(this);

    private sealed class Stepper(ManagedLanguageModel model) : TokenStepper
    {
        private readonly float[][] _states = Array.ConvertAll(model._cells, cell => new float[cell.StateSize]);
        private readonly float[] _scratch = new float[model._cells.Max(cell => cell.ScratchSize)];
        private readonly float[] _projected = new float[model._projection?.Rows ?? 0];
        private readonly float[] _logits = new float[model._output.Rows];

        public override void Read(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            foreach (var token in tokens)
            {
                ReadOnlySpan<float> input = model._embedding.Row(token);
                for (var layer = 0; layer < _states.Length; layer++)
                {
                    model._cells[layer].Step(input, _states[layer], _scratch);
                    input = _states[layer].AsSpan(0, model._cells[layer].Width);
                }
            }
            model._outputBias.CopyTo(_logits.AsSpan());
            model._output.AddProduct(Hidden(), _logits);
            _logits.AsSpan(0, logits.Length).CopyTo(logits);
        }

        private ReadOnlySpan<float> Hidden()
        {
            var last = _states[^1].AsSpan(0, model._cells[^1].Width);
            if (model._projection == null)
                return last;
            _projected.AsSpan().Clear();
            model._projection.AddProduct(last, _projected);
            return _projected;
        }
    }
}
