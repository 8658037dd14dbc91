namespace MLExtensions.Tests.Reinforcement;

/// <summary>
/// Five cells in a row; action 1 goes right, 0 left. The last cell gives 1 and ends the episode; after 20 steps it is cut off. Observations are
/// the cell as a one-hot vector, actions are numbered from <paramref name="firstAction"/>. With masks, the left end does not allow to go left.
/// </summary>
internal sealed class Corridor(int firstAction = 0, bool hasMasks = false) : ICheckpointableEnvironment
{
    public const int Cells = 5;
    private const int Limit = 20;

    private readonly float[] _observation = new float[Cells];
    private readonly bool[] _mask = new bool[2];
    private int _cell;
    private int _steps;

    public string Name => "Corridor";

    public Space ObservationSpace { get; } = new BoxSpace([Cells], 0, 1);

    public DiscreteSpace ActionSpace { get; } = new(2, firstAction);

    /// <summary>The number of actions that were not allowed.</summary>
    public int Wrong { get; private set; }

    public EnvironmentState Reset(int? seed = null)
    {
        (_cell, _steps) = (0, 0);
        return new EnvironmentState(Observe(), Mask());
    }

    public EnvironmentStep Step(int action)
    {
        if (hasMasks && _cell == 0 && action == firstAction)
            Wrong++;
        _cell = Math.Max(0, _cell + (action == firstAction + 1 ? 1 : -1));
        var isEnd = _cell == Cells - 1;
        return new EnvironmentStep(Observe(), isEnd ? 1 : 0, isEnd, !isEnd && ++_steps == Limit, Mask());
    }

    public byte[] SaveState() => [(byte)_cell, (byte)_steps];

    public void LoadState(ReadOnlySpan<byte> state) => (_cell, _steps) = (state[0], state[1]);

    public void Dispose()
    {
    }

    public static float[] At(int cell)
    {
        var state = new float[Cells];
        state[cell] = 1;
        return state;
    }

    private float[] Observe()
    {
        Array.Clear(_observation);
        _observation[_cell] = 1;
        return _observation;
    }

    private ReadOnlyMemory<bool> Mask()
    {
        if (!hasMasks)
            return default;
        (_mask[0], _mask[1]) = (_cell > 0, true);
        return _mask;
    }
}
