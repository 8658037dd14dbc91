using MLExtensions.Engine;
using MLExtensions.Tensors;

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

/// <summary>The transitions of a batch, in host memory that is filled again and again.</summary>
internal sealed class TransitionBlock : IDisposable
{
    private readonly int _states;
    private readonly int _actions;

    public TransitionBlock(int rows, ReplayFormat format)
    {
        (Rows, _states, _actions) = (rows, format.StateSize, format.Actions);
        (States, NextStates) = (new HostTensor<float>(rows, _states), new HostTensor<float>(rows, _states));
        (Actions, Rewards) = (new HostTensor<long>(rows), new HostTensor<float>(rows));
        (Discounts, Weights) = (new HostTensor<float>(rows), new HostTensor<float>(rows));
        (Masks, NextMasks) = (new HostTensor<byte>(rows, _actions), new HostTensor<byte>(rows, _actions));
    }

    public int Rows { get; }

    /// <summary><c>[rows, values]</c>.</summary>
    public HostTensor<float> States { get; }

    /// <summary>The states at the end of the returns.</summary>
    public HostTensor<float> NextStates { get; }

    /// <summary><c>[rows]</c>.</summary>
    public HostTensor<long> Actions { get; }

    /// <summary>The discounted rewards up to the next states.</summary>
    public HostTensor<float> Rewards { get; }

    /// <summary>What the value of the next state counts; 0 if there is none.</summary>
    public HostTensor<float> Discounts { get; }

    /// <summary>The weights of the errors; not used without priorities.</summary>
    public HostTensor<float> Weights { get; }

    /// <summary>1 for each allowed action, <c>[rows, actions]</c>; not used if <see cref="HasMasks"/> is false.</summary>
    public HostTensor<byte> Masks { get; }

    /// <summary>The same of the next states.</summary>
    public HostTensor<byte> NextMasks { get; }

    /// <summary>Whether some actions are not allowed.</summary>
    public bool HasMasks { get; private set; }

    /// <summary>Draws transitions, or takes those of given places.</summary>
    /// <param name="buffer">Where from.</param>
    /// <param name="random">The random numbers; null to take the places that are given.</param>
    /// <param name="steps">The number of steps of a return.</param>
    /// <param name="discountFactor">What a reward is worth one step later.</param>
    /// <param name="places">The places of the transitions, also of those before and after this block; receives them if they are drawn.</param>
    /// <param name="first">The place that the first row of this block is at.</param>
    /// <returns>False if there are no whole transitions yet.</returns>
    public bool Fill(ReplayBuffer buffer, Random? random, int steps, double discountFactor, int[] places, int first = 0)
    {
        for (var i = 0; random != null && i < places.Length; i++)
        {
            places[i] = buffer.Draw(random, steps, i, places.Length);
            if (places[i] < 0)
                return false;
        }
        HasMasks = buffer.HasMasks;
        for (var i = 0; i < Rows; i++)
        {
            var row = new TransitionRow(
                States.Slice((long)i * _states, _states),
                NextStates.Slice((long)i * _states, _states),
                ref Actions[i],
                ref Rewards[i],
                ref Discounts[i],
                HasMasks ? Masks.Slice((long)i * _actions, _actions) : [],
                HasMasks ? NextMasks.Slice((long)i * _actions, _actions) : []);
            buffer.Read(places[first + i], steps, discountFactor, row);
        }
        return true;
    }

    /// <summary>Which actions are allowed in the state of a row, 1 for each; empty if all are.</summary>
    public ReadOnlySpan<byte> MaskOf(int row) => HasMasks ? Masks.Slice((long)row * _actions, _actions) : [];

    /// <summary>The same of the next state.</summary>
    public ReadOnlySpan<byte> NextMaskOf(int row) => HasMasks ? NextMasks.Slice((long)row * _actions, _actions) : [];

    public void Dispose()
    {
        foreach (var tensor in (IDisposable[])[States, NextStates, Actions, Rewards, Discounts, Weights, Masks, NextMasks])
            tensor.Dispose();
    }
}
