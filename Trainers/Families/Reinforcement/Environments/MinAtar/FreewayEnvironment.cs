using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>MinAtar's Freeway: a chicken crosses eight lanes. The games of <c>MinAtar/Freeway-v1</c> end after 2,500 frames.</summary>
/// <remarks>
/// <inheritdoc cref="MinAtarEnvironment" path="/remarks/node()"/>
/// Planes are chicken, cars, and five for the speeds: the field behind a car that moves in each of 1 to 5 frames. Action 0 does nothing, 1 and
/// 2 go up and down, once in three frames. The other side gives 1; the chicken is back then, and cars get new speeds. A car throws the chicken
/// back.
/// </remarks>
public sealed class FreewayEnvironment : MinAtarEnvironment
{
    private const int Lanes = 8;
    private const int SlowestCar = 5;
    private const int Home = Size - 1;
    private const int ChickenColumn = 4;
    private const int Pause = 3;

    private readonly int[] _columns = new int[Lanes];
    private readonly int[] _timers = new int[Lanes];

    // The number of frames per move, negative to the left.
    private readonly int[] _speeds = new int[Lanes];
    private int _row;
    private int _pause;

    /// <summary>Creates the game, without a limit.</summary>
    /// <param name="stickyActionProbability">The probability that the last action is repeated, at least 0 and below 1. Default 0.1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is out of range.</exception>
    public FreewayEnvironment(double stickyActionProbability = DefaultSticky)
        : base("MinAtar/Freeway-v1", actions: 3, stickyActionProbability,
            [('^', Canvas.White), ('#', Canvas.Red), ('1', Canvas.Orange), ('2', Canvas.Green), ('3', Canvas.Blue), ('4', Canvas.Ice), ('5', Canvas.Gray)])
    {
    }

    private protected override void Start()
    {
        Array.Clear(_columns);
        (_row, _pause) = (Home, Pause);
        DrawSpeeds();
    }

    private protected override (double Reward, bool Terminated) Play(int action)
    {
        var reward = 0.0;
        if (action > 0 && _pause == 0)
        {
            _pause = Pause;
            _row = Math.Clamp(_row + (action == 1 ? -1 : 1), 0, Home);
        }
        if (_row == 0)
        {
            (reward, _row) = (1, Home);
            DrawSpeeds();
        }
        for (var lane = 0; lane < Lanes; lane++)
        {
            // Hit by a car that it walks into, or that comes.
            var isHit = IsHit(lane);
            if (--_timers[lane] < 0)
            {
                _timers[lane] = Math.Abs(_speeds[lane]) - 1;
                _columns[lane] = (_columns[lane] + Math.Sign(_speeds[lane]) + Size) % Size;
            }
            if (isHit || IsHit(lane))
                _row = Home;
        }
        _pause = Math.Max(0, _pause - 1);
        return (reward, false);
    }

    private protected override void Draw()
    {
        Show(0, _row, ChickenColumn);
        for (var lane = 0; lane < Lanes; lane++)
        {
            Show(1, lane + 1, _columns[lane]);
            Show(1 + Math.Abs(_speeds[lane]), lane + 1, (_columns[lane] - Math.Sign(_speeds[lane]) + Size) % Size);
        }
    }

    private protected override void SaveGame(BinaryWriter writer)
    {
        writer.Write(_row);
        writer.Write(_pause);
        foreach (var number in _columns.Concat(_timers).Concat(_speeds))
            writer.Write(number);
    }

    private protected override void LoadGame(BinaryReader reader)
    {
        (_row, _pause) = (reader.ReadInt32(), reader.ReadInt32());
        foreach (var numbers in (int[][])[_columns, _timers, _speeds])
        {
            for (var lane = 0; lane < Lanes; lane++)
                numbers[lane] = reader.ReadInt32();
        }
    }

    private bool IsHit(int lane) => _row == lane + 1 && _columns[lane] == ChickenColumn;

    private void DrawSpeeds()
    {
        for (var lane = 0; lane < Lanes; lane++)
        {
            _speeds[lane] = (1 + Random.Next(SlowestCar)) * (Random.Next(2) == 0 ? 1 : -1);
            _timers[lane] = Math.Abs(_speeds[lane]) - 1;
        }
    }
}
