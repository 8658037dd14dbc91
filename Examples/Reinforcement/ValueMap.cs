namespace MLExtensions.Examples.Reinforcement;

/// <summary>Draws what the fields of a lake are worth, with an arrow for the best action of each.</summary>
internal static class ValueMap
{
    private const int Tile = 33;

    public static void SavePng(TabularPolicyTransformer policy, IReadOnlyList<string> map, string path)
    {
        var columns = map[0].Length;
        var greatest = Enumerable.Range(0, policy.StateCount).Max(policy.StateValue);
        TilePicture.SavePng(path, 1, columns * Tile, map.Count * Tile, 1, (_, y, x) =>
        {
            var (row, column) = (y / Tile, x / Tile);
            var state = (row * columns) + column;
            var kind = map[row][column];
            if (kind is 'H' or 'G')
                return kind == 'H' ? ((byte)30, (byte)30, (byte)60) : ((byte)0, (byte)158, (byte)115);
            if (IsArrow(policy.BestAction(state), (y % Tile) - (Tile / 2), (x % Tile) - (Tile / 2)))
                return (255, 255, 255);
            var share = policy.StateValue(state) / greatest;
            return ((byte)(60 + (170 * share)), (byte)(40 + (110 * share)), (byte)(90 - (60 * share)));
        });
    }

    /// <summary>Whether a pixel belongs to the arrow of an action: left, down, right or up.</summary>
    private static bool IsArrow(int action, int down, int right)
    {
        var (along, across) = action switch { 0 => (-right, down), 1 => (down, right), 2 => (right, down), _ => (-down, right) };
        return (along is >= -9 and <= 3 && Math.Abs(across) <= 1) || (along is > 3 and <= 10 && Math.Abs(across) <= 10 - along);
    }
}
