using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// CliffWalking (Sutton and Barto, example 6.6): walk along a cliff without falling down. The same rules as Gymnasium's
/// <c>CliffWalking-v1</c>, which has no time limit either.
/// </summary>
/// <remarks>
/// The state is row * 12 + column; there are 4 rows, the start is bottom left (36), the goal bottom right (47), and the cliff between them.
/// Actions 0, 1, 2 and 3 go up, right, down and left. Each step gives -1, the cliff -100 and leads back to the start; the goal terminates the
/// episode. The best return is -13.
/// </remarks>
public sealed class CliffWalkingEnvironment : TabularEnvironment
{
    private const int Rows = 4;
    private const int Columns = 12;
    private const int Start = (Rows - 1) * Columns;
    private const int Goal = (Rows * Columns) - 1;

    /// <summary>Creates the environment.</summary>
    /// <param name="isSlippery">
    /// Whether one slips: with probability 1/3 each, one goes where one wanted to, or in one of the two directions at right angles. Default false.
    /// </param>
    public CliffWalkingEnvironment(bool isSlippery = false)
        : base(isSlippery ? "CliffWalkingSlippery-v1" : "CliffWalking-v1", Rows * Columns, Rows * Columns, actions: 4, [new StateProbability(Start, 1)], (state, action) => Moves(state, action, isSlippery))
    {
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Tile = 12;
        var canvas = new Canvas(Columns * Tile, Rows * Tile, Canvas.White);
        canvas.Rectangle(Tile, (Rows - 1) * Tile, (Columns - 2) * Tile, Tile, Canvas.Gray);
        canvas.Rectangle((Columns - 1) * Tile, (Rows - 1) * Tile, Tile, Tile, Canvas.Green);
        canvas.Disc((State % Columns * Tile) + (Tile / 2), (State / Columns * Tile) + (Tile / 2), 4, Canvas.Red);
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText() => TextGrid.Of(Rows, Columns, (row, column) => ((row * Columns) + column) switch
    {
        var state when state == State => '@',
        Goal => 'G',
        > Start => 'C',
        _ => '.',
    });

    private static IEnumerable<StateTransition> Moves(int state, int action, bool isSlippery)
    {
        if (state == Goal)
            return [new StateTransition(Goal, 1, 0, true)];
        return Slip(action, isSlippery ? 1.0 / 3 : 1, direction =>
        {
            var (down, right) = direction switch { 0 => (-1, 0), 1 => (0, 1), 2 => (1, 0), _ => (0, -1) };
            var next = (Math.Clamp((state / Columns) + down, 0, Rows - 1) * Columns) + Math.Clamp((state % Columns) + right, 0, Columns - 1);
            return next is > Start and < Goal ? new StateTransition(Start, 1, -100, false) : new StateTransition(next, 1, -1, next == Goal);
        });
    }
}
