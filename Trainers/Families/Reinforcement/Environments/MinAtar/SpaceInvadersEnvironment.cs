using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>MinAtar's Space Invaders: a cannon shoots at aliens that come nearer and shoot back.</summary>
/// <remarks>
/// <inheritdoc cref="MinAtarEnvironment" path="/remarks/node()"/>
/// Planes are cannon, aliens, aliens that go to the left, aliens that go to the right, bullets of the cannon, and bullets of the aliens. Action
/// 0 does nothing, 1 and 2 move the cannon to the left and to the right, 3 shoots, once in five frames. An alien that is shot gives 1. Aliens
/// are faster the fewer they are, and each new wave is faster until the sixth. The game terminates when the cannon is hit or an alien reaches
/// the ground.
/// </remarks>
public sealed class SpaceInvadersEnvironment : MinAtarEnvironment
{
    private const int CannonRow = Size - 1;
    private const int Rows = 4;
    private const int FirstColumn = 2;
    private const int LastColumn = 7;
    private const int ShotPause = 5;
    private const int EnemyShotPause = 10;
    private const int SlowestMove = 12;
    private const int FastestMove = 6;
    private const int Shoot = 3;

    private readonly bool[] _aliens = new bool[Size * Size];
    private readonly bool[] _shots = new bool[Size * Size];
    private readonly bool[] _enemyShots = new bool[Size * Size];
    private int _cannon;
    private int _direction;
    private int _interval;
    private int _moveTimer;
    private int _shotTimer;
    private int _enemyTimer;

    /// <summary>Creates the game.</summary>
    /// <param name="stickyActionProbability">The probability that the last action is repeated, at least 0 and below 1. Default 0.1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is out of range.</exception>
    public SpaceInvadersEnvironment(double stickyActionProbability = DefaultSticky)
        : base("MinAtar/SpaceInvaders-v1", actions: 4, stickyActionProbability,
            [('^', Canvas.Green), ('W', Canvas.Red), ('<', Canvas.Red), ('>', Canvas.Red), ('\'', Canvas.White), ('!', Canvas.Orange)])
    {
    }

    private int AlienCount => _aliens.AsSpan().Count(true);

    private protected override void Start()
    {
        Array.Clear(_aliens);
        Array.Clear(_shots);
        Array.Clear(_enemyShots);
        (_cannon, _direction, _interval) = (Size / 2, -1, SlowestMove);
        (_moveTimer, _shotTimer, _enemyTimer) = (SlowestMove, 0, EnemyShotPause);
        NewWave();
    }

    private protected override (double Reward, bool Terminated) Play(int action)
    {
        if (action == Shoot && _shotTimer == 0)
            (_shots[(CannonRow * Size) + _cannon], _shotTimer) = (true, ShotPause);
        else if (action is 1 or 2)
            _cannon = Math.Clamp(_cannon + (action == 1 ? -1 : 1), 0, Size - 1);
        Shift(_shots, -1, 0);
        Shift(_enemyShots, 1, 0);
        var place = (CannonRow * Size) + _cannon;
        var terminated = _enemyShots[place] || _aliens[place];
        // Aliens are shot where they are, before they move on, and where they come to.
        var reward = Hit();
        if (_moveTimer == 0)
        {
            terminated |= MoveAliens() || _aliens[place];
            reward += Hit();
        }
        if (_enemyTimer == 0 && AlienCount > 0)
        {
            _enemyTimer = EnemyShotPause;
            ShootBack();
        }
        (_shotTimer, _moveTimer, _enemyTimer) = (Math.Max(0, _shotTimer - 1), Math.Max(0, _moveTimer - 1), Math.Max(0, _enemyTimer - 1));
        if (AlienCount == 0)
        {
            _interval = Math.Max(FastestMove, _interval - 1);
            NewWave();
        }
        return (reward, terminated);
    }

    private protected override void Draw()
    {
        Show(0, CannonRow, _cannon);
        Show(1, _aliens);
        Show(_direction < 0 ? 2 : 3, _aliens);
        Show(4, _shots);
        Show(5, _enemyShots);
    }

    private protected override void SaveGame(BinaryWriter writer)
    {
        foreach (var number in (int[])[_cannon, _direction, _interval, _moveTimer, _shotTimer, _enemyTimer])
            writer.Write(number);
        foreach (var fields in (bool[][])[_aliens, _shots, _enemyShots])
            Write(writer, fields);
    }

    private protected override void LoadGame(BinaryReader reader)
    {
        (_cannon, _direction, _interval) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        (_moveTimer, _shotTimer, _enemyTimer) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        foreach (var fields in (bool[][])[_aliens, _shots, _enemyShots])
            Read(reader, fields);
    }

    private void NewWave()
    {
        for (var row = 0; row < Rows; row++)
            Array.Fill(_aliens, true, (row * Size) + FirstColumn, LastColumn - FirstColumn + 1);
    }

    /// <summary>Moves to the side, or at the edge down and the other way.</summary>
    /// <returns>Whether an alien reached the ground.</returns>
    private bool MoveAliens()
    {
        _moveTimer = Math.Min(AlienCount, _interval);
        var edge = _direction < 0 ? 0 : Size - 1;
        if (!Enumerable.Range(0, Size).Any(row => _aliens[(row * Size) + edge]))
        {
            Shift(_aliens, 0, _direction);
            return false;
        }
        _direction = -_direction;
        var reached = _aliens.AsSpan(CannonRow * Size).Contains(true);
        Shift(_aliens, 1, 0);
        return reached;
    }

    /// <summary>Removes aliens that a bullet is at, and the bullets.</summary>
    private int Hit()
    {
        var count = 0;
        for (var place = 0; place < _aliens.Length; place++)
        {
            if (!_aliens[place] || !_shots[place])
                continue;
            _aliens[place] = _shots[place] = false;
            count++;
        }
        return count;
    }

    /// <summary>The lowest alien of the column that is nearest to the cannon shoots.</summary>
    private void ShootBack()
    {
        var alien = Enumerable.Range(0, _aliens.Length).Where(place => _aliens[place]).OrderBy(place => Math.Abs((place % Size) - _cannon)).ThenBy(place => place % Size).ThenByDescending(place => place).First();
        _enemyShots[alien] = true;
    }

    private static void Shift(bool[] fields, int down, int right)
    {
        // Going up or down is a shift of whole rows; only aliens, which stop before the edge, go to the side.
        var places = (down * Size) + right;
        var count = fields.Length - Math.Abs(places);
        Array.Copy(fields, Math.Max(0, -places), fields, Math.Max(0, places), count);
        Array.Clear(fields, places > 0 ? 0 : count, Math.Abs(places));
    }
}
