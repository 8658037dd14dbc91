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

    public TokenStepper CreateStepper() => new Stepper(CreateBeams(1));

    /// <summary>Creates something that reads several texts side by side.</summary>
    /// <param name="capacity">The maximum number of texts.</param>
    public TokenBeams CreateBeams(int capacity) => new(this, capacity);

    private sealed class Stepper(TokenBeams beams) : TokenStepper
    {
        public override void Read(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            for (var i = 0; i < tokens.Length; i++)
                beams.Advance([0], tokens.Slice(i, 1), predicts: i == tokens.Length - 1);
            beams.Logits(0)[..logits.Length].CopyTo(logits);
        }
    }

    /// <summary>
    /// Reads several texts side by side, which may branch: each step says which text is continued and by which token. What is computed of a
    /// text does not depend on the others. For one thread.
    /// </summary>
    internal sealed class TokenBeams
    {
        private readonly ManagedLanguageModel _model;
        private readonly float[] _inputs;
        private readonly float[][] _states;
        private readonly float[] _spare;
        private readonly float[] _scratch;
        private readonly float[] _projected;
        private readonly float[] _logits;

        public TokenBeams(ManagedLanguageModel model, int capacity)
        {
            _model = model;
            _inputs = new float[capacity * model._embedding.Columns];
            _states = Array.ConvertAll(model._cells, cell => new float[capacity * cell.StateSize]);
            _spare = new float[capacity * model._cells.Max(cell => cell.StateSize)];
            _scratch = new float[capacity * model._cells.Max(cell => cell.ScratchSize)];
            _projected = new float[capacity * (model._projection?.Rows ?? 0)];
            _logits = new float[capacity * model._output.Rows];
        }

        /// <summary>Goes back to the beginning.</summary>
        public void Clear()
        {
            foreach (var states in _states)
                Array.Clear(states);
        }

        /// <param name="parents">Which text each new one continues.</param>
        /// <param name="tokens">The next token of each new text.</param>
        /// <param name="predicts">Whether <see cref="Logits"/> are computed.</param>
        public void Advance(ReadOnlySpan<int> parents, ReadOnlySpan<int> tokens, bool predicts = true)
        {
            var (count, width) = (tokens.Length, _model._embedding.Columns);
            for (var i = 0; i < count; i++)
                _model._embedding.Row(tokens[i]).CopyTo(_inputs.AsSpan(i * width));
            ReadOnlySpan<float> inputs = _inputs;
            for (var layer = 0; layer < _states.Length; layer++)
            {
                var cell = _model._cells[layer];
                Branch(_states[layer], cell.StateSize, parents);
                cell.Step(inputs, width, _states[layer], _scratch, count);
                inputs = _states[layer];
                width = cell.StateSize;
            }
            if (!predicts)
                return;
            if (_model._projection is { } projection)
            {
                _projected.AsSpan(0, count * projection.Rows).Clear();
                projection.AddProducts(inputs, width, _projected, count);
                inputs = _projected;
                width = projection.Rows;
            }
            for (var i = 0; i < count; i++)
                _model._outputBias.CopyTo(_logits.AsSpan(i * _model._output.Rows));
            _model._output.AddProducts(inputs, width, _logits, count);
        }

        /// <summary>The outputs for a text, one per token and padding.</summary>
        public Span<float> Logits(int text) => _logits.AsSpan(text * _model._output.Rows, _model._output.Rows);

        private void Branch(float[] states, int size, ReadOnlySpan<int> parents)
        {
            if (parents.Length == 1 && parents[0] == 0)
                return;
            states.AsSpan(0, Math.Min(states.Length, _spare.Length)).CopyTo(_spare);
            for (var i = 0; i < parents.Length; i++)
                _spare.AsSpan(parents[i] * size, size).CopyTo(states.AsSpan(i * size));
        }
    }
}
