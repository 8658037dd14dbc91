using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Base class of the small games of MinAtar (Young and Tian, "MinAtar: An Atari-Inspired Testbed", 2019): 10 x 10 fields, a plane of zeros and
/// ones for each kind of thing. Written from a description of the rules.
/// </summary>
/// <remarks>
/// Observations are channels x 10 x 10. Actions are sticky: with a probability, 0.1 by default, the last action is repeated instead.
/// </remarks>
public abstract class MinAtarEnvironment : SimulatedEnvironment
{
    internal const int Size = 10;
    internal const double DefaultSticky = 0.1;

    private readonly float[] _planes;
    private readonly double _sticky;
    private readonly (char Letter, Canvas.Color Color)[] _kinds;
    private int _lastAction;

    private protected MinAtarEnvironment(string name, int actions, double stickyActionProbability, (char Letter, Canvas.Color Color)[] kinds)
        : base(name, new BoxSpace([kinds.Length, Size, Size], 0, 1), actions)
    {
        if (!(stickyActionProbability >= 0 && stickyActionProbability < 1))
            throw new ArgumentOutOfRangeException(nameof(stickyActionProbability), stickyActionProbability, "It must be at least 0 and below 1.");
        (_kinds, _sticky, _planes) = (kinds, stickyActionProbability, new float[kinds.Length * Size * Size]);
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Tile = 8;
        Observe();
        var canvas = new Canvas(Size * Tile, Size * Tile, Canvas.Night);
        for (var place = 0; place < _planes.Length; place++)
        {
            if (_planes[place] != 0)
                canvas.Rectangle(place % Size * Tile, place / Size % Size * Tile, Tile - 1, Tile - 1, _kinds[place / (Size * Size)].Color);
        }
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText()
    {
        Observe();
        return TextGrid.Of(Size, Size, (row, column) =>
        {
            for (var kind = 0; kind < _kinds.Length; kind++)
            {
                if (_planes[(((kind * Size) + row) * Size) + column] != 0)
                    return _kinds[kind].Letter;
            }
            return '.';
        });
    }

    private protected sealed override void Begin()
    {
        _lastAction = 0;
        Start();
    }

    private protected sealed override (double Reward, bool Terminated) Act(int action)
    {
        if (_sticky == 0 || Random.NextDouble() >= _sticky)
            _lastAction = action;
        return Play(_lastAction);
    }

    private protected sealed override ReadOnlyMemory<float> Observe()
    {
        Array.Clear(_planes);
        Draw();
        return _planes;
    }

    private protected sealed override void SaveCore(BinaryWriter writer)
    {
        writer.Write(_lastAction);
        SaveGame(writer);
    }

    private protected sealed override void LoadCore(BinaryReader reader)
    {
        _lastAction = reader.ReadInt32();
        LoadGame(reader);
    }

    /// <summary>Begins a game.</summary>
    private protected abstract void Start();

    /// <summary>Plays one frame.</summary>
    private protected abstract (double Reward, bool Terminated) Play(int action);

    /// <summary>Shows all things: <see cref="Show(int, int, int)"/>.</summary>
    private protected abstract void Draw();

    private protected abstract void SaveGame(BinaryWriter writer);

    private protected abstract void LoadGame(BinaryReader reader);

    private protected void Show(int kind, int row, int column)
    {
        if ((uint)row < Size && (uint)column < Size)
            _planes[(((kind * Size) + row) * Size) + column] = 1;
    }

    private protected void Show(int kind, bool[] fields)
    {
        for (var place = 0; place < fields.Length; place++)
        {
            if (fields[place])
                Show(kind, place / Size, place % Size);
        }
    }

    private protected static void Write(BinaryWriter writer, bool[] fields)
    {
        foreach (var field in fields)
            writer.Write(field);
    }

    private protected static void Read(BinaryReader reader, bool[] fields)
    {
        for (var i = 0; i < fields.Length; i++)
            fields[i] = reader.ReadBoolean();
    }
}
