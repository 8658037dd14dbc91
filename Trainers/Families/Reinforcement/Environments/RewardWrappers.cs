using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>Clips rewards to a range, so that games with points of different size can be learned with the same settings.</summary>
public sealed class RewardClip : EnvironmentWrapper
{
    /// <summary>Wraps an environment.</summary>
    /// <param name="inner">The environment inside.</param>
    /// <param name="least">The least reward. Default -1.</param>
    /// <param name="greatest">The greatest reward. Default 1.</param>
    /// <exception cref="ArgumentException">The first is not below the second.</exception>
    public RewardClip(IEnvironment inner, double least = -1, double greatest = 1)
        : base(inner)
    {
        if (!(least < greatest))
            throw new ArgumentException(FormattableString.Invariant($"Rewards are to be clipped to {least} to {greatest}; the first must be below the second."), nameof(least));
        (Least, Greatest) = (least, greatest);
    }

    /// <summary>The least reward.</summary>
    public double Least { get; }

    /// <summary>The greatest reward.</summary>
    public double Greatest { get; }

    /// <inheritdoc/>
    public override EnvironmentStep Step(int action)
    {
        var step = Inner.Step(action);
        // NaN stays what it is, for the check that follows.
        return step.Reward < Least ? step with { Reward = Least } : step.Reward > Greatest ? step with { Reward = Greatest } : step;
    }
}

/// <summary>An episode that is over.</summary>
/// <param name="Return">The sum of its rewards.</param>
/// <param name="Length">The number of its steps.</param>
/// <param name="Truncated">Whether it was cut off, rather than terminated.</param>
public readonly record struct EpisodeSummary(double Return, int Length, bool Truncated)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(EpisodeSummary), PrintMembers);
}

/// <summary>Keeps return and length of the last episodes.</summary>
public sealed class EpisodeStatistics : EnvironmentWrapper
{
    private readonly Queue<EpisodeSummary> _episodes = [];
    private readonly int _capacity;
    private double _return;
    private int _length;

    /// <summary>Wraps an environment.</summary>
    /// <param name="inner">The environment inside.</param>
    /// <param name="capacity">The number of episodes that are kept, at least 1. Default 100.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1.</exception>
    public EpisodeStatistics(IEnvironment inner, int capacity = 100)
        : base(inner)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _capacity = capacity;
    }

    /// <summary>The last episodes that are over, oldest first.</summary>
    public IReadOnlyList<EpisodeSummary> Episodes => [.. _episodes];

    /// <summary>The number of episodes that are over.</summary>
    public long EpisodeCount { get; private set; }

    /// <summary>The number of steps in all.</summary>
    public long StepCount { get; private set; }

    /// <summary>The mean return of <see cref="Episodes"/>; NaN if there are none.</summary>
    public double MeanReturn => _episodes.Count == 0 ? double.NaN : _episodes.Average(episode => episode.Return);

    /// <summary>The mean length of <see cref="Episodes"/>; NaN if there are none.</summary>
    public double MeanLength => _episodes.Count == 0 ? double.NaN : _episodes.Average(episode => episode.Length);

    internal override bool KeepsModel => true;

    /// <inheritdoc/>
    public override EnvironmentState Reset(int? seed = null)
    {
        (_return, _length) = (0, 0);
        return Inner.Reset(seed);
    }

    /// <inheritdoc/>
    public override EnvironmentStep Step(int action)
    {
        var step = Inner.Step(action);
        _return += step.Reward;
        _length++;
        StepCount++;
        if (!step.IsEnd)
            return step;
        EpisodeCount++;
        if (_episodes.Count == _capacity)
            _episodes.Dequeue();
        _episodes.Enqueue(new EpisodeSummary(_return, _length, !step.Terminated));
        return step;
    }

    /// <inheritdoc/>
    protected override void SaveCore(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_return);
        writer.Write(_length);
        writer.Write(EpisodeCount);
        writer.Write(StepCount);
        writer.Write(_episodes.Count);
        foreach (var episode in _episodes)
        {
            writer.Write(episode.Return);
            writer.Write(episode.Length);
            writer.Write(episode.Truncated);
        }
    }

    /// <inheritdoc/>
    protected override void LoadCore(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        (_return, _length, EpisodeCount, StepCount) = (reader.ReadDouble(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt64());
        _episodes.Clear();
        for (var rest = reader.ReadInt32(); rest > 0; rest--)
            _episodes.Enqueue(new EpisodeSummary(reader.ReadDouble(), reader.ReadInt32(), reader.ReadBoolean()));
    }
}
