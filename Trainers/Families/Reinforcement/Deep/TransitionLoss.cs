using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// The loss of a batch of transitions and its gradient with respect to the values of the network. There are a few numbers per row, so this is
/// done here at once instead of in twenty operations of libtorch.
/// </summary>
internal sealed class TransitionLoss : IDisposable
{
    private const float Half = 0.5f;

    private readonly DqnEstimator.Options _options;
    private readonly bool _isCloning;
    private readonly float _conservativeWeight;
    private readonly int _rows;
    private readonly int _actions;
    private readonly float[] _values;
    private readonly float[] _nextValues;
    private readonly float[] _targetValues;
    private readonly float[] _errors;

    /// <param name="options">The options.</param>
    /// <param name="isLog">Whether transitions are logged.</param>
    /// <param name="actions">The number of actions.</param>
    public TransitionLoss(DqnEstimator.Options options, bool isLog, int actions)
    {
        (_options, _rows, _actions) = (options, options.RowsOfRank, actions);
        _isCloning = isLog && options.LogLearning == LogLearning.Cloning;
        _conservativeWeight = isLog ? (float)options.ConservativeWeight : 0;
        _errors = new float[_rows];
        (_values, _nextValues, _targetValues) = (new float[_rows * actions], new float[_rows * actions], new float[_rows * actions]);
        Gradients = new HostTensor<float>(_rows, actions);
    }

    /// <summary>Whether the actions of a log are predicted, so that there are no values of next states.</summary>
    public bool IsCloning => _isCloning;

    /// <summary>The values that the network gives to the actions, <c>[rows, actions]</c>.</summary>
    public Span<float> Values => _values;

    /// <summary>The same in the next states; needed for double learning.</summary>
    public Span<float> NextValues => _nextValues;

    /// <summary>What the target network says of the next states.</summary>
    public Span<float> TargetValues => _targetValues;

    /// <summary>The gradients of the loss with respect to <see cref="Values"/>.</summary>
    public HostTensor<float> Gradients { get; }

    /// <summary>How far the value of the action taken was from its goal.</summary>
    public ReadOnlySpan<float> Errors => _errors;

    /// <summary>The mean value of the actions taken.</summary>
    public double MeanValue { get; private set; }

    /// <summary>The number of rows whose action is the best to the network.</summary>
    public int Agreements { get; private set; }

    /// <summary>The sum of the squared <see cref="Errors"/>.</summary>
    public double SquaredError { get; private set; }

    /// <summary>Computes the mean loss, and what belongs to it, from the values. Rows of the block beyond those of the batch do not count.</summary>
    public double Compute(TransitionBatch batch)
    {
        var (block, rows) = (batch.Block, batch.RowCount);
        var (loss, sum) = (0.0, 0.0);
        (Agreements, SquaredError) = (0, 0);
        for (var row = 0; row < rows; row++)
        {
            var values = RowOf(_values, row);
            var gradients = Gradients.Slice((long)row * _actions, _actions);
            var taken = (int)block.Actions[row];
            gradients.Clear();
            sum += values[taken];
            Agreements += Best(values, block.MaskOf(row)) == taken ? 1 : 0;
            if (_isCloning)
            {
                loss += HoldDown(values, taken, block.MaskOf(row), 1, gradients);
                continue;
            }
            _errors[row] = values[taken] - Goal(block, row);
            SquaredError += (double)_errors[row] * _errors[row];
            var weight = batch.TakeErrors == null ? 1 : block.Weights[row];
            loss += weight * LossOf(_errors[row], out var slope);
            gradients[taken] = weight * slope / _rows;
            if (_conservativeWeight > 0)
                loss += HoldDown(values, taken, block.MaskOf(row), _conservativeWeight, gradients);
        }
        MeanValue = sum / rows;
        return (float)(loss / rows);
    }

    public void Dispose() => Gradients.Dispose();

    private Span<float> RowOf(float[] values, int row) => values.AsSpan(row * _actions, _actions);

    /// <summary>The rewards and the value of what followed.</summary>
    private float Goal(TransitionBlock block, int row) => (NextValue(row, block.NextMaskOf(row)) * block.Discounts[row]) + block.Rewards[row];

    /// <summary>What the target network says of the action that is taken in the next state: the best one.</summary>
    private float NextValue(int row, ReadOnlySpan<byte> mask)
    {
        var values = RowOf(_targetValues, row);
        return values[Best(_options.DoubleLearning ? RowOf(_nextValues, row) : values, mask)];
    }

    /// <summary>The first of the greatest allowed values. What is no number wins, so that the training ends.</summary>
    private static int Best(ReadOnlySpan<float> values, ReadOnlySpan<byte> mask)
    {
        var best = -1;
        for (var action = 0; action < values.Length; action++)
        {
            if (!mask.IsEmpty && mask[action] == 0)
                continue;
            if (float.IsNaN(values[action]))
                return action;
            if (best < 0 || values[action] > values[best])
                best = action;
        }
        return Math.Max(best, 0);
    }

    private float LossOf(float error, out float slope)
    {
        var isSquare = _options.Loss == ValueLoss.Squared || Math.Abs(error) < 1;
        slope = isSquare ? error : MathF.CopySign(1, error);
        return isSquare ? Half * error * error : Math.Abs(error) - Half;
    }

    /// <summary>How much all allowed actions together are above the one taken: the logarithm of the sum of exponentials, less its value.</summary>
    private float HoldDown(ReadOnlySpan<float> values, int taken, ReadOnlySpan<byte> mask, float factor, Span<float> gradients)
    {
        var greatest = values[Best(values, mask)];
        var sum = 0f;
        for (var action = 0; action < values.Length; action++)
        {
            if (mask.IsEmpty || mask[action] != 0)
                sum += MathF.Exp(values[action] - greatest);
        }
        for (var action = 0; action < values.Length; action++)
        {
            if (mask.IsEmpty || mask[action] != 0)
                gradients[action] += factor * MathF.Exp(values[action] - greatest) / sum / _rows;
        }
        gradients[taken] -= factor / _rows;
        return factor * (greatest + MathF.Log(sum) - values[taken]);
    }
}
