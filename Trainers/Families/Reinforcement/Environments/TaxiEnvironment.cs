using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Taxi (Dietterich, 2000): fetch a passenger at one of four places and bring him to another. The same rules as Gymnasium's <c>Taxi-v3</c>;
/// the episodes of that name end after 200 steps.
/// </summary>
/// <remarks>
/// The state is ((row * 5 + column) * 5 + passenger) * 4 + destination. Places 0 to 3 are red, green, yellow and blue; passenger 4 is in the
/// taxi. Actions 0 to 5 are south, north, east, west, fetch and leave. Each step gives -1, fetching or leaving in vain -10, and leaving the
/// passenger at the destination 20, which terminates the episode. The mask allows what changes something; the rest is not forbidden.
/// </remarks>
public sealed class TaxiEnvironment : TabularEnvironment
{
    private const int Size = 5;
    private const int Places = 4;
    private const int InTaxi = 4;
    private const int Actions = 6;

    // A colon is a way between two fields, a bar is a wall.
    private static readonly string[] Map = ["|R: | : :G|", "| : | : : |", "| : : : : |", "| | : | : |", "|Y| : |B: |"];
    private static readonly (int Row, int Column)[] PlaceFields = [(0, 0), (0, 4), (4, 0), (4, 3)];

    private readonly bool[] _mask = new bool[Actions];

    /// <summary>Creates the environment, without a time limit.</summary>
    public TaxiEnvironment()
        : base("Taxi-v3", Size * Size * (Places + 1) * Places, Size * Size * (Places + 1) * Places, Actions, Starts(), (state, action) => [Next(state, action)])
    {
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Tile = 20;
        var (row, column, passenger, destination) = Parts(State);
        var canvas = new Canvas((Size * Tile) + 1, (Size * Tile) + 1, Canvas.White);
        for (var place = 0; place < Places; place++)
        {
            var (placeRow, placeColumn) = PlaceFields[place];
            canvas.Rectangle((placeColumn * Tile) + 2, (placeRow * Tile) + 2, Tile - 3, Tile - 3, place == destination ? Canvas.Green : Canvas.Ice);
            if (place == passenger)
                canvas.Disc((placeColumn * Tile) + (Tile / 2), (placeRow * Tile) + (Tile / 2), 6, Canvas.Blue);
        }
        for (var wallRow = 0; wallRow < Size; wallRow++)
        {
            for (var wall = 0; wall <= Size; wall++)
            {
                if (Map[wallRow][2 * wall] == '|')
                    canvas.Rectangle(wall * Tile, wallRow * Tile, 1, Tile, Canvas.Black);
            }
        }
        canvas.Rectangle((column * Tile) + 5, (row * Tile) + 7, 11, 7, passenger == InTaxi ? Canvas.Blue : Canvas.Orange);
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText()
    {
        var (row, column, passenger, destination) = Parts(State);
        var board = TextGrid.Of(Size, (2 * Size) + 1, (y, x) => (y, x) == (row, (2 * column) + 1) ? '#' : Map[y][x]);
        return $"{board}passenger {(passenger == InTaxi ? "in the taxi" : "at " + "RGYB"[passenger])}, destination {"RGYB"[destination]}\n";
    }

    private protected override ReadOnlyMemory<bool> Mask()
    {
        var (row, column, passenger, _) = Parts(State);
        _mask[0] = row < Size - 1;
        _mask[1] = row > 0;
        _mask[2] = IsWay(row, column + 1);
        _mask[3] = IsWay(row, column);
        _mask[4] = passenger < InTaxi && PlaceFields[passenger] == (row, column);
        _mask[5] = passenger == InTaxi && Array.IndexOf(PlaceFields, (row, column)) >= 0;
        return _mask;
    }

    private static bool IsWay(int row, int wall) => Map[row][2 * wall] == ':';

    private static StateTransition Next(int state, int action)
    {
        var (row, column, passenger, destination) = Parts(state);
        var (reward, terminated) = (-1.0, false);
        var place = Array.IndexOf(PlaceFields, (row, column));
        switch (action)
        {
            case 0:
                row = Math.Min(row + 1, Size - 1);
                break;
            case 1:
                row = Math.Max(row - 1, 0);
                break;
            case 2:
                column += IsWay(row, column + 1) ? 1 : 0;
                break;
            case 3:
                column -= IsWay(row, column) ? 1 : 0;
                break;
            case 4 when passenger < InTaxi && place == passenger:
                passenger = InTaxi;
                break;
            case 5 when passenger == InTaxi && place >= 0:
                (passenger, terminated) = (place, place == destination);
                reward = terminated ? 20 : -1;
                break;
            default:
                reward = -10;
                break;
        }
        return new StateTransition(StateOf(row, column, passenger, destination), 1, reward, terminated);
    }

    private static List<StateProbability> Starts()
    {
        var starts = new List<StateProbability>();
        for (var field = 0; field < Size * Size; field++)
        {
            for (var pair = 0; pair < Places * Places; pair++)
            {
                var (passenger, destination) = (pair / Places, pair % Places);
                if (passenger != destination)
                    starts.Add(new StateProbability(StateOf(field / Size, field % Size, passenger, destination), 1.0 / (Size * Size * Places * (Places - 1))));
            }
        }
        return starts;
    }

    private static int StateOf(int row, int column, int passenger, int destination) => (((((row * Size) + column) * (Places + 1)) + passenger) * Places) + destination;

    private static (int Row, int Column, int Passenger, int Destination) Parts(int state)
    {
        var field = state / (Places * (Places + 1));
        return (field / Size, field % Size, state / Places % (Places + 1), state % Places);
    }
}
