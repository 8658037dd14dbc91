using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Transitions that an agent learns from in one training step, or the evaluation of the agent.</summary>
/// <param name="rowCount">The number of transitions.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch.</param>
/// <param name="block">The transitions, which the next batch overwrites; null for an evaluation.</param>
internal sealed class TransitionBatch(int rowCount, double epochFraction, TransitionBlock? block) : Batch(rowCount, epochFraction)
{
    /// <summary>The transitions.</summary>
    public TransitionBlock Block => block ?? throw new InvalidOperationException("An evaluation has no transitions.");

    /// <summary>Whether the target network becomes a copy of the network before this step.</summary>
    public bool CopiesTarget { get; init; }

    /// <summary>Takes how far the value of each transition was from its goal, for its priority; null if there are no priorities.</summary>
    public Action<ReadOnlySpan<float>>? TakeErrors { get; init; }

    public override void Dispose()
    {
    }
}

/// <summary>Where one transition is written.</summary>
internal readonly ref struct TransitionRow(Span<float> state, Span<float> nextState, ref long action, ref float reward, ref float discount, Span<byte> mask, Span<byte> nextMask)
{
    private readonly ref long _action = ref action;
    private readonly ref float _reward = ref reward;
    private readonly ref float _discount = ref discount;

    public Span<float> State { get; } = state;

    public Span<float> NextState { get; } = nextState;

    public Span<byte> Mask { get; } = mask;

    public Span<byte> NextMask { get; } = nextMask;

    public long Action
    {
        set => _action = value;
    }

    public float Reward
    {
        set => _reward = value;
    }

    public float Discount
    {
        set => _discount = value;
    }
}

/// <summary>Tensors for the transitions of a batch, in host memory, that are filled again and again.</summary>
internal sealed unsafe class TransitionBlock : IDisposable
{
    private readonly int _states;
    private readonly int _actions;
    private readonly float* _state;
    private readonly float* _next;
    private readonly long* _action;
    private readonly float* _reward;
    private readonly float* _discount;
    private readonly float* _weight;
    private readonly byte* _mask;
    private readonly byte* _nextMask;

    public TransitionBlock(int rows, ReplayFormat format)
    {
        (Rows, _states, _actions) = (rows, format.StateSize, format.Actions);
        States = Create(ScalarType.Float32, rows, _states);
        NextStates = Create(ScalarType.Float32, rows, _states);
        Actions = Create(ScalarType.Int64, rows);
        Rewards = Create(ScalarType.Float32, rows);
        Discounts = Create(ScalarType.Float32, rows);
        Weights = Create(ScalarType.Float32, rows);
        Masks = Create(ScalarType.Byte, rows, _actions);
        NextMasks = Create(ScalarType.Byte, rows, _actions);
        _state = TensorMemory.Pointer<float>(States);
        _next = TensorMemory.Pointer<float>(NextStates);
        _action = TensorMemory.Pointer<long>(Actions);
        _reward = TensorMemory.Pointer<float>(Rewards);
        _discount = TensorMemory.Pointer<float>(Discounts);
        _weight = TensorMemory.Pointer<float>(Weights);
        _mask = TensorMemory.Pointer<byte>(Masks);
        _nextMask = TensorMemory.Pointer<byte>(NextMasks);
    }

    public int Rows { get; }

    /// <summary><c>[rows, values]</c>.</summary>
    public Tensor States { get; }

    /// <summary>The states at the end of the returns.</summary>
    public Tensor NextStates { get; }

    /// <summary><c>[rows]</c>.</summary>
    public Tensor Actions { get; }

    /// <summary>The discounted rewards up to the next states.</summary>
    public Tensor Rewards { get; }

    /// <summary>What the value of the next state counts; 0 if there is none.</summary>
    public Tensor Discounts { get; }

    /// <summary>The weights of the errors; not used without priorities.</summary>
    public Tensor Weights { get; }

    /// <summary>1 for each allowed action, <c>[rows, actions]</c>; not used if <see cref="HasMasks"/> is false.</summary>
    public Tensor Masks { get; }

    /// <summary>The same of the next states.</summary>
    public Tensor NextMasks { get; }

    /// <summary>Whether some actions are not allowed.</summary>
    public bool HasMasks { get; private set; }

    /// <summary>The weights as a span.</summary>
    public Span<float> WeightValues => new(_weight, Rows);

    /// <summary>Draws transitions, or takes those of given places.</summary>
    /// <param name="buffer">Where from.</param>
    /// <param name="random">The random numbers; null to take the places that are given.</param>
    /// <param name="steps">The number of steps of a return.</param>
    /// <param name="discountFactor">What a reward is worth one step later.</param>
    /// <param name="places">The places of the transitions; receives them if they are drawn.</param>
    /// <returns>False if there are no whole transitions yet.</returns>
    public bool Fill(ReplayBuffer buffer, Random? random, int steps, double discountFactor, int[] places)
    {
        HasMasks = buffer.HasMasks;
        for (var i = 0; i < Rows; i++)
        {
            if (random != null)
                places[i] = buffer.Draw(random, steps, i, Rows);
            if (places[i] < 0)
                return false;
            var row = new TransitionRow(
                new Span<float>(_state + ((long)i * _states), _states),
                new Span<float>(_next + ((long)i * _states), _states),
                ref _action[i],
                ref _reward[i],
                ref _discount[i],
                HasMasks ? new Span<byte>(_mask + ((long)i * _actions), _actions) : [],
                HasMasks ? new Span<byte>(_nextMask + ((long)i * _actions), _actions) : []);
            buffer.Read(places[i], steps, discountFactor, row);
        }
        return true;
    }

    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[States, NextStates, Actions, Rewards, Discounts, Weights, Masks, NextMasks])
            tensor.Dispose();
    }

    private static Tensor Create(ScalarType type, params long[] shape) => zeros(shape, type, CPU).DetachFromDisposeScope();
}
