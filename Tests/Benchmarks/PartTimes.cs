namespace MLExtensions.Benchmarks;

/// <summary>Adds up how long each part of a repeated step takes.</summary>
internal sealed class PartTimes
{
    private readonly List<string> _parts = [];
    private readonly Dictionary<string, List<double>> _rounds = [];
    private double _last;
    private int _steps;

    public IReadOnlyList<string> Parts => _parts;

    public double Sum => _parts.Sum(Median);

    /// <summary>Starts a round of so many steps.</summary>
    public void Begin(int steps)
    {
        _steps = steps;
        foreach (var times in _rounds.Values)
            times.Add(0);
        _last = ThreadClock.Microseconds();
    }

    /// <summary>What has passed since the last call belongs to this part.</summary>
    public void Lap(string part)
    {
        if (!_rounds.TryGetValue(part, out var times))
        {
            _parts.Add(part);
            _rounds[part] = times = [0];
        }
        var now = ThreadClock.Microseconds();
        times[^1] += (now - _last) / _steps;
        _last = now;
    }

    /// <summary>Forgets the rounds so far: those in which code was compiled.</summary>
    public void Forget()
    {
        foreach (var times in _rounds.Values)
            times.Clear();
    }

    /// <summary>Microseconds a step, the median of the rounds.</summary>
    public double Median(string part) => new Samples(part, _rounds[part]).Median;
}
