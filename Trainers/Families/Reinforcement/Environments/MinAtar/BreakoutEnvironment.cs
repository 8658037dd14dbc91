using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>MinAtar's Breakout: a paddle keeps a ball in the game, which breaks bricks.</summary>
/// <remarks>
/// <inheritdoc cref="MinAtarEnvironment" path="/remarks/node()"/>
/// Planes are paddle, ball, where the ball was, and bricks. Action 0 does nothing, 1 and 2 move the paddle to the left and to the right. A
/// brick gives 1 and throws the ball back; the wall is built anew when it is gone and the ball comes down. A ball right above the paddle is
/// reflected; one that comes to the paddle from the side goes back where it came from; any other terminates the game, which has no limit.
/// </remarks>
public sealed class BreakoutEnvironment : MinAtarEnvironment
{
    private const int PaddleRow = Size - 1;
    private const int FirstBrickRow = 1;
    private const int BrickRows = 3;

    private readonly bool[] _bricks = new bool[Size * Size];
    private (int Row, int Column) _ball;
    private (int Row, int Column) _trail;
    private (int Down, int Right) _direction;
    private int _paddle;
    private bool _struck;

    /// <summary>Creates the game.</summary>
    /// <param name="stickyActionProbability">The probability that the last action is repeated, at least 0 and below 1. Default 0.1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is out of range.</exception>
    public BreakoutEnvironment(double stickyActionProbability = DefaultSticky)
        : base("MinAtar/Breakout-v1", actions: 3, stickyActionProbability, [('=', Canvas.Green), ('o', Canvas.White), ('\'', Canvas.Gray), ('#', Canvas.Red)])
    {
    }

    private protected override void Start()
    {
        var fromLeft = Random.Next(2) == 0;
        _ball = _trail = (FirstBrickRow + BrickRows - 1, fromLeft ? 0 : Size - 1);
        _direction = (1, fromLeft ? 1 : -1);
        (_paddle, _struck) = (4, false);
        BuildWall();
    }

    private protected override (double Reward, bool Terminated) Play(int action)
    {
        if (action > 0)
            _paddle = Math.Clamp(_paddle + (action == 1 ? -1 : 1), 0, Size - 1);
        _trail = _ball;
        var (row, column) = (_ball.Row + _direction.Down, _ball.Column + _direction.Right);
        if (column is < 0 or >= Size)
        {
            column = Math.Clamp(column, 0, Size - 1);
            _direction.Right = -_direction.Right;
        }
        var (reward, terminated, touches) = (0.0, false, false);
        if (row < 0)
        {
            row = 0;
            _direction.Down = -_direction.Down;
        }
        else if (_bricks[(row * Size) + column])
        {
            // A ball that is thrown back by one brick passes the next one: it strikes once per contact.
            touches = true;
            if (!_struck)
            {
                (reward, _struck) = (1, true);
                _bricks[(row * Size) + column] = false;
                (row, _direction.Down) = (_trail.Row, -_direction.Down);
            }
        }
        else if (row == PaddleRow)
        {
            if (!_bricks.Contains(true))
                BuildWall();
            if (_trail.Column == _paddle)
                (row, _direction.Down) = (_trail.Row, -_direction.Down);
            else if (column == _paddle)
                (row, _direction) = (_trail.Row, (-_direction.Down, -_direction.Right));
            else
                terminated = true;
        }
        if (!touches)
            _struck = false;
        _ball = (row, column);
        return (reward, terminated);
    }

    private protected override void Draw()
    {
        Show(0, PaddleRow, _paddle);
        Show(1, _ball.Row, _ball.Column);
        Show(2, _trail.Row, _trail.Column);
        Show(3, _bricks);
    }

    private protected override void SaveGame(BinaryWriter writer)
    {
        foreach (var number in (int[])[_ball.Row, _ball.Column, _trail.Row, _trail.Column, _direction.Down, _direction.Right, _paddle])
            writer.Write(number);
        writer.Write(_struck);
        Write(writer, _bricks);
    }

    private protected override void LoadGame(BinaryReader reader)
    {
        (_ball, _trail) = ((reader.ReadInt32(), reader.ReadInt32()), (reader.ReadInt32(), reader.ReadInt32()));
        (_direction, _paddle, _struck) = ((reader.ReadInt32(), reader.ReadInt32()), reader.ReadInt32(), reader.ReadBoolean());
        Read(reader, _bricks);
    }

    private void BuildWall() => Array.Fill(_bricks, true, FirstBrickRow * Size, BrickRows * Size);
}
