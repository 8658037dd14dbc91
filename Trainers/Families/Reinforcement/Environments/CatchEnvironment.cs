using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Catch (Osband et al., "Behaviour Suite for Reinforcement Learning", 2020): a ball falls through 10 rows of 5 columns, and a paddle in the
/// last row has to be below it. The smallest game of pixels.
/// </summary>
/// <remarks>
/// Observations are 1 x 10 x 5 pixels (channels, height, width), 1 where the ball or the paddle is. Action 0 moves the paddle to the left, 1
/// not at all, 2 to the right. After 9 steps the episode terminates, with 1 for a ball that was caught and -1 for one that was not.
/// </remarks>
public sealed class CatchEnvironment : SimulatedEnvironment
{
    private const int Rows = 10;
    private const int Columns = 5;

    private readonly float[] _observation = new float[Rows * Columns];
    private int _ballRow;
    private int _ballColumn;
    private int _paddle;

    /// <summary>Creates the environment.</summary>
    public CatchEnvironment()
        : base("Catch-v0", new BoxSpace([1, Rows, Columns], 0, 1), actions: 3)
    {
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Tile = 8;
        var canvas = new Canvas(Columns * Tile, Rows * Tile, Canvas.Night);
        canvas.Rectangle(_paddle * Tile, (Rows - 1) * Tile, Tile, Tile, Canvas.Green);
        canvas.Rectangle((_ballColumn * Tile) + 1, (_ballRow * Tile) + 1, Tile - 2, Tile - 2, Canvas.Orange);
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText() => TextGrid.Of(Rows, Columns, (row, column) =>
        (row, column) == (_ballRow, _ballColumn) ? 'o' : (row, column) == (Rows - 1, _paddle) ? '=' : '.');

    private protected override void Begin() => (_ballRow, _ballColumn, _paddle) = (0, Random.Next(Columns), Columns / 2);

    private protected override (double Reward, bool Terminated) Act(int action)
    {
        _paddle = Math.Clamp(_paddle + action - 1, 0, Columns - 1);
        _ballRow++;
        return _ballRow < Rows - 1 ? (0, false) : (_paddle == _ballColumn ? 1 : -1, true);
    }

    private protected override ReadOnlyMemory<float> Observe()
    {
        Array.Clear(_observation);
        _observation[(_ballRow * Columns) + _ballColumn] = 1;
        _observation[((Rows - 1) * Columns) + _paddle] = 1;
        return _observation;
    }

    private protected override void SaveCore(BinaryWriter writer)
    {
        writer.Write(_ballRow);
        writer.Write(_ballColumn);
        writer.Write(_paddle);
    }

    private protected override void LoadCore(BinaryReader reader) => (_ballRow, _ballColumn, _paddle) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
}
