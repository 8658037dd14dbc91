using MLExtensions.Families.Reinforcement;
using MLExtensions.Networks;

namespace MLExtensions;

/// <summary>
/// FrozenLake: cross a lake without falling into a hole, on ice where one slips. The same rules as Gymnasium's <c>FrozenLake-v1</c>; the
/// episodes of that name end after 100 steps, those of <c>FrozenLake8x8-v1</c> after 200.
/// </summary>
/// <remarks>
/// The state is row * columns + column. Actions 0, 1, 2 and 3 go left, down, right and up; on slippery ice one goes there, or in one of the
/// two directions at right angles, each with probability 1/3. The goal gives 1; goal and holes terminate the episode.
/// </remarks>
public sealed class FrozenLakeEnvironment : TabularEnvironment
{
    private const int LargestSide = 1000;
    private readonly string[] _map;

    /// <summary>Creates the environment, without a time limit.</summary>
    /// <param name="map">
    /// The rows from the top: S start (one of them is drawn), F frozen, H hole, G goal. Null: <see cref="Map4x4"/>.
    /// </param>
    /// <param name="isSlippery">Whether one slips. Default true.</param>
    /// <param name="successRate">
    /// The probability of going where one wanted to if it is slippery; the two directions at right angles share the rest. Default 1/3.
    /// </param>
    /// <exception cref="ArgumentException">The map is not a rectangle of these letters with a start, or the probability is out of range.</exception>
    public FrozenLakeEnvironment(IReadOnlyList<string>? map = null, bool isSlippery = true, double successRate = 1.0 / 3)
        : this(Check(map ?? Map4x4), isSlippery ? CheckRate(successRate) : 1)
    {
    }

    private FrozenLakeEnvironment(string[] map, double successRate)
        : base(map.Length == 8 && map.AsSpan().SequenceEqual(Map8x8.ToArray()) ? "FrozenLake8x8-v1" : "FrozenLake-v1",
            map.Length * map[0].Length, map.Length * map[0].Length, actions: 4, Starts(map), (state, action) => Moves(map, state, action, successRate)) =>
        _map = map;

    /// <summary>The map of 4 x 4 fields.</summary>
    public static IReadOnlyList<string> Map4x4 { get; } = Array.AsReadOnly(["SFFF", "FHFH", "FFFH", "HFFG"]);

    /// <summary>The map of 8 x 8 fields.</summary>
    public static IReadOnlyList<string> Map8x8 { get; } =
        Array.AsReadOnly(["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"]);

    /// <summary>The map.</summary>
    public IReadOnlyList<string> Map => Array.AsReadOnly(_map);

    /// <summary>Draws a map with a way from the start, top left, to the goal, bottom right.</summary>
    /// <param name="size">The number of rows and of columns, from 2 to 100.</param>
    /// <param name="frozenShare">The probability of a field to be frozen, above 0.4. Default 0.8.</param>
    /// <param name="seed">The seed. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static IReadOnlyList<string> DrawMap(int size, double frozenShare = 0.8, int seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, 100);
        if (!(frozenShare > 0.4 && frozenShare <= 1))
            throw new ArgumentOutOfRangeException(nameof(frozenShare), frozenShare, "It must be above 0.4 and at most 1.");
        var random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.Environment));
        while (true)
        {
            var fields = Enumerable.Range(0, size).Select(_ => Enumerable.Range(0, size).Select(_ => random.NextDouble() < frozenShare ? 'F' : 'H').ToArray()).ToArray();
            (fields[0][0], fields[^1][^1]) = ('S', 'G');
            var map = fields.Select(row => new string(row)).ToArray();
            if (HasWay(map))
                return map;
        }
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Tile = 16;
        var columns = _map[0].Length;
        var canvas = new Canvas(columns * Tile, _map.Length * Tile, Canvas.Ice);
        for (var field = 0; field < StateCount; field++)
        {
            var (left, top) = (field % columns * Tile, field / columns * Tile);
            var kind = _map[field / columns][field % columns];
            if (kind == 'H')
                canvas.Disc(left + (Tile / 2), top + (Tile / 2), 6, Canvas.Blue);
            else if (kind != 'F')
                canvas.Rectangle(left + 2, top + 2, Tile - 4, Tile - 4, kind == 'G' ? Canvas.Green : Canvas.Gray);
            if (field == State)
                canvas.Disc(left + (Tile / 2), top + (Tile / 2), 4, Canvas.Red);
        }
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText() => TextGrid.Of(
        _map.Length, _map[0].Length, (row, column) => (row * _map[0].Length) + column == State ? '@' : _map[row][column]);

    private static IEnumerable<StateTransition> Moves(string[] map, int state, int action, double successRate)
    {
        var columns = map[0].Length;
        var (row, column) = (state / columns, state % columns);
        if (map[row][column] is 'G' or 'H')
            return [new StateTransition(state, 1, 0, true)];
        return Slip(action, successRate, direction =>
        {
            var (down, right) = Direction(direction);
            var (nextRow, nextColumn) = (Math.Clamp(row + down, 0, map.Length - 1), Math.Clamp(column + right, 0, columns - 1));
            var field = map[nextRow][nextColumn];
            return new StateTransition((nextRow * columns) + nextColumn, 1, field == 'G' ? 1 : 0, field is 'G' or 'H');
        });
    }

    private static (int Down, int Right) Direction(int action) => action switch { 0 => (0, -1), 1 => (1, 0), 2 => (0, 1), _ => (-1, 0) };

    private static StateProbability[] Starts(string[] map)
    {
        var columns = map[0].Length;
        var starts = Enumerable.Range(0, map.Length * columns).Where(state => map[state / columns][state % columns] == 'S').ToArray();
        return starts.Select(state => new StateProbability(state, 1.0 / starts.Length)).ToArray();
    }

    private static bool HasWay(string[] map)
    {
        var (waiting, met) = (new Stack<int>([0]), new HashSet<int> { 0 });
        while (waiting.TryPop(out var state))
        {
            for (var action = 0; action < 4; action++)
            {
                var next = Moves(map, state, action, 1).Single();
                if (next.Reward > 0)
                    return true;
                if (!next.Terminated && met.Add(next.NextState))
                    waiting.Push(next.NextState);
            }
        }
        return false;
    }

    private static string[] Check(IReadOnlyList<string> map)
    {
        if (map.Count is 0 or > LargestSide || map[0] is not { Length: > 0 and <= LargestSide })
            throw new ArgumentException(FormattableString.Invariant($"The map has {map.Count} rows, the first of {(map.Count == 0 ? 0 : map[0]?.Length ?? 0)} fields; both numbers must be from 1 to {LargestSide}."), nameof(map));
        for (var row = 0; row < map.Count; row++)
        {
            if (map[row]?.Length != map[0].Length)
                throw new ArgumentException(FormattableString.Invariant($"Row {row} of the map has {map[row]?.Length ?? 0} fields and row 0 has {map[0].Length}; all must have equally many."), nameof(map));
            if (map[row].AsSpan().IndexOfAnyExcept("SFHG") is var column && column >= 0)
                throw new ArgumentException(FormattableString.Invariant($"Row {row}, column {column} of the map is '{map[row][column]}'; it must be S, F, H or G."), nameof(map));
        }
        if (!map.Any(row => row.Contains('S', StringComparison.Ordinal)))
            throw new ArgumentException("The map has no start, S.", nameof(map));
        return [.. map];
    }

    private static double CheckRate(double rate) =>
        rate > 0 && rate <= 1 ? rate : throw new ArgumentOutOfRangeException("successRate", rate, "It must be above 0 and at most 1.");
}
