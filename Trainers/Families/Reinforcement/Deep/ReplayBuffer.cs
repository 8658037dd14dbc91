using System.Globalization;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>What a replay buffer keeps of a step.</summary>
/// <param name="FrameSize">The values of an observation, or of its newest frame if frames are stacked.</param>
/// <param name="FrameCount">The number of frames that an observation consists of, oldest first; 1 if they are not stacked.</param>
/// <param name="Storage">How values are kept: bytes or float32.</param>
/// <param name="ArePixels">Whether they are pixels from 0 to 255, which may be rounded.</param>
/// <param name="Actions">The number of actions.</param>
/// <param name="IsPrioritized">Whether transitions are drawn by priority.</param>
internal sealed record ReplayFormat(int FrameSize, int FrameCount, ReplayStorage Storage, bool ArePixels, int Actions, bool IsPrioritized)
{
    /// <summary>The values of an observation.</summary>
    public int StateSize => FrameSize * FrameCount;

    /// <summary>The bytes of the transitions of a batch: two states, masks, and a few numbers.</summary>
    public double BatchBytes(int rows) => (double)rows * ((2.0 * StateSize * sizeof(float)) + (2.0 * Actions) + sizeof(long) + (3 * sizeof(float)));

    /// <summary>The bytes of a buffer.</summary>
    public double Bytes(double capacity) => (capacity * (((double)FrameSize * (Storage == ReplayStorage.Byte ? 1 : sizeof(float))) + Actions + sizeof(int) + sizeof(float) + sizeof(byte) + sizeof(int)))
        + (IsPrioritized ? SumTree.Bytes(capacity) : 0);
}

/// <summary>
/// The last steps of an agent, in order, in native memory of a fixed size; each observation, and each frame of stacked ones, is kept once.
/// Returns over several steps and the observations that follow are put together when a transition is drawn. The last observation of an
/// episode takes a place, too. Lin, "Self-improving reactive agents", 1992; Mnih et al., 2015.
/// </summary>
internal sealed class ReplayBuffer : IDisposable
{
    private const int None = -1;
    private const int Counters = 2;
    private const byte GoesOn = 0;
    private const byte Terminated = 1;
    private const byte Truncated = 2;

    private readonly HostTensor<byte>? _bytes;
    private readonly HostTensor<float>? _floats;
    private readonly HostTensor<int> _action;
    private readonly HostTensor<float> _reward;
    private readonly HostTensor<byte> _end;
    private readonly HostTensor<int> _offset;
    private readonly HostTensor<byte> _mask;
    private readonly HostTensor<long> _counters;
    private readonly string _owner;

    /// <param name="format">What is kept.</param>
    /// <param name="capacity">The number of places.</param>
    /// <param name="owner">What the observations come from, for messages.</param>
    public ReplayBuffer(ReplayFormat format, int capacity, string owner)
    {
        (Format, Capacity, _owner) = (format, capacity, owner);
        var inBytes = format.Storage == ReplayStorage.Byte;
        _bytes = inBytes ? new HostTensor<byte>(capacity, format.FrameSize) : null;
        _floats = inBytes ? null : new HostTensor<float>(capacity, format.FrameSize);
        _action = new HostTensor<int>(capacity);
        _reward = new HostTensor<float>(capacity);
        _end = new HostTensor<byte>(capacity);
        _offset = new HostTensor<int>(capacity);
        _mask = new HostTensor<byte>(capacity, format.Actions);
        _counters = new HostTensor<long>(Counters);
        Priorities = format.IsPrioritized ? new SumTree(capacity) : null;
    }

    public ReplayFormat Format { get; }

    public int Capacity { get; }

    /// <summary>The priorities of the places; null if all count the same.</summary>
    public SumTree? Priorities { get; }

    /// <summary>The number of places that are used.</summary>
    public int Count => (int)Math.Min(Written, Capacity);

    /// <summary>Whether some actions were not allowed somewhere.</summary>
    public bool HasMasks => HasMask != 0;

    /// <summary>The priority of new transitions: they are drawn soon.</summary>
    public float NewPriority { get; set; } = 1;

    /// <summary>All that is kept, for checkpoints.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> State =>
    [
        ("observations", _bytes?.Tensor ?? _floats!.Tensor), ("actions", _action.Tensor), ("rewards", _reward.Tensor), ("ends", _end.Tensor),
        ("offsets", _offset.Tensor), ("masks", _mask.Tensor), ("written", _counters.Tensor),
        .. Priorities == null ? [] : new[] { ("priorities", Priorities.Leaves) },
    ];

    private ref long Written => ref _counters[0];

    private ref long HasMask => ref _counters[1];

    private long Oldest => Math.Max(0, Written - Capacity);

    /// <summary>Begins an episode.</summary>
    /// <param name="observation">Its first observation.</param>
    /// <param name="mask">The allowed actions by their places; empty if all are.</param>
    public void Begin(ReadOnlySpan<float> observation, ReadOnlySpan<bool> mask) => Append(observation, mask, 0);

    /// <summary>Adds what came of an action in the last observation.</summary>
    /// <param name="action">The place of the action.</param>
    /// <param name="reward">The reward.</param>
    /// <param name="terminated">Whether nothing comes after.</param>
    /// <param name="truncated">Whether the episode was cut off.</param>
    /// <param name="next">The observation that followed.</param>
    /// <param name="nextMask">The actions that are allowed next; empty if all are.</param>
    public void Add(int action, double reward, bool terminated, bool truncated, ReadOnlySpan<float> next, ReadOnlySpan<bool> nextMask)
    {
        var place = PlaceOf(Written - 1);
        _reward[place] = (float)reward;
        _end[place] = terminated ? Terminated : truncated ? Truncated : GoesOn;
        _action[place] = action;
        if (Priorities != null)
            Priorities[place] = NewPriority;
        Append(next, nextMask, _offset[place] + 1);
    }

    /// <summary>Nobody knows what came after the last observation: returns end in it.</summary>
    public void CutOff()
    {
        if (_offset[PlaceOf(Written - 1)] > 0)
            _end[PlaceOf(Written - 2)] = Truncated;
    }

    /// <summary>The observation that was added last.</summary>
    public void CopyLast(Span<float> state, Span<bool> mask)
    {
        CopyState(Written - 1, state);
        var allowed = MaskAt(PlaceOf(Written - 1));
        for (var action = 0; action < mask.Length; action++)
            mask[action] = allowed[action] != 0;
    }

    /// <summary>Draws a place evenly, or by priority, that a whole transition begins at; -1 if none was found.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="steps">The number of steps of a return.</param>
    /// <param name="share">From 0 to 1: which part of the priorities to draw from, of <paramref name="shares"/> parts.</param>
    /// <param name="shares">The number of parts.</param>
    public int Draw(Random random, int steps, int share, int shares)
    {
        const int Tries = 1000;
        for (var attempt = 0; attempt < Tries && Count > 1; attempt++)
        {
            // A part without whole transitions must not be tried for ever.
            var place = Priorities == null
                ? PlaceOf(Oldest + random.Next(Count))
                : Priorities.Find((attempt == 0 ? (share + random.NextDouble()) / shares : random.NextDouble()) * Priorities.Total);
            if (IsWhole(StepAt(place), steps))
                return place;
        }
        return None;
    }

    /// <summary>The places that whole transitions begin at, oldest first.</summary>
    /// <param name="steps">The number of steps of a return.</param>
    public IEnumerable<int> WholePlaces(int steps)
    {
        for (var step = Oldest; step < Oldest + Count; step++)
        {
            if (IsWhole(step, steps))
                yield return PlaceOf(step);
        }
    }

    /// <summary>Puts a transition together.</summary>
    /// <param name="place">What <see cref="Draw"/> gave.</param>
    /// <param name="steps">The number of steps of a return; an episode that ends before makes it shorter.</param>
    /// <param name="discountFactor">What a reward is worth one step later.</param>
    /// <param name="row">Where to write it.</param>
    public void Read(int place, int steps, double discountFactor, in TransitionRow row)
    {
        var (first, step) = (StepAt(place), StepAt(place));
        var (sum, factor, end) = (0.0, 1.0, GoesOn);
        for (var count = 0; count < steps && end == GoesOn; count++, step++)
        {
            var at = PlaceOf(step);
            sum += factor * _reward[at];
            factor *= discountFactor;
            end = _end[at];
        }
        CopyState(first, row.State);
        CopyState(step, row.NextState);
        row.Action = _action[place];
        row.Reward = (float)sum;
        row.Discount = end == Terminated ? 0 : (float)factor;
        if (row.Mask.IsEmpty)
            return;
        MaskAt(place).CopyTo(row.Mask);
        // Nothing comes after a terminated episode, so a mask there may be anything; but a network must have a value to multiply by 0.
        if (end == Terminated)
            row.NextMask.Fill(1);
        else
            MaskAt(PlaceOf(step)).CopyTo(row.NextMask);
    }

    public void Dispose()
    {
        foreach (var (_, value) in State)
            value.Dispose();
    }

    private Span<byte> MaskAt(int place) => _mask.Slice((long)place * Format.Actions, Format.Actions);

    private int PlaceOf(long step) => (int)(step % Capacity);

    /// <summary>The number of the step at a place.</summary>
    private long StepAt(int place)
    {
        var last = Written - 1;
        return last - ((PlaceOf(last) - place + Capacity) % Capacity);
    }

    private bool IsWhole(long step, int steps)
    {
        if (step < Oldest || step - Math.Min(_offset[PlaceOf(step)], Format.FrameCount - 1) < Oldest)
            return false;
        for (var count = 0; count < steps; count++, step++)
        {
            var place = PlaceOf(step);
            if (_action[place] == None)
                return false;
            if (_end[place] != GoesOn)
                return true;
        }
        return true;
    }

    private void Append(ReadOnlySpan<float> observation, ReadOnlySpan<bool> mask, int offset)
    {
        var place = PlaceOf(Written);
        (_action[place], _end[place], _offset[place]) = (None, GoesOn, offset);
        if (Priorities != null)
            Priorities[place] = 0;
        Store(observation[^Format.FrameSize..], place);
        var allowed = MaskAt(place);
        allowed.Fill(1);
        for (var action = 0; action < mask.Length; action++)
            allowed[action] = mask[action] ? (byte)1 : (byte)0;
        if (allowed.Contains((byte)0))
            HasMask = 1;
        ++Written;
    }

    private void Store(ReadOnlySpan<float> frame, int place)
    {
        var first = (long)place * Format.FrameSize;
        if (_floats != null)
        {
            frame.CopyTo(_floats.Slice(first, Format.FrameSize));
            return;
        }
        for (var i = 0; i < frame.Length; i++)
        {
            var value = Format.ArePixels ? MathF.Round(frame[i]) : frame[i];
            if (value is not (>= 0 and <= 255) || value != MathF.Floor(value))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{_owner}: value {i} of the observation is {frame[i]}; with {nameof(DqnEstimator.Options.ReplayStorage)} = {ReplayStorage.Byte} it must be a whole number from 0 to 255. {ReplayStorage.Single} keeps any number."));
            _bytes![first + i] = (byte)value;
        }
    }

    /// <summary>Puts frames together; before the beginning of an episode its first frame is repeated, as <see cref="FrameStack"/> does.</summary>
    private void CopyState(long step, Span<float> destination)
    {
        var offset = _offset[PlaceOf(step)];
        for (var frame = 0; frame < Format.FrameCount; frame++)
        {
            var back = Math.Min(Format.FrameCount - 1 - frame, offset);
            var first = (long)PlaceOf(step - back) * Format.FrameSize;
            var part = destination.Slice(frame * Format.FrameSize, Format.FrameSize);
            if (_floats != null)
            {
                _floats.Slice(first, Format.FrameSize).CopyTo(part);
                continue;
            }
            for (var i = 0; i < part.Length; i++)
                part[i] = _bytes![first + i];
        }
    }
}
