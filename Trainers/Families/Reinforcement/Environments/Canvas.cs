namespace MLExtensions.Families.Reinforcement;

/// <summary>Draws the pictures of environments: rectangles, lines and discs, without smoothing.</summary>
internal sealed class Canvas
{
    public static readonly Color White = new(255, 255, 255);
    public static readonly Color Black = new(0, 0, 0);
    public static readonly Color Gray = new(128, 128, 128);
    public static readonly Color Blue = new(0, 114, 178);
    public static readonly Color Orange = new(230, 159, 0);
    public static readonly Color Red = new(213, 94, 0);
    public static readonly Color Green = new(0, 158, 115);
    public static readonly Color Ice = new(214, 234, 248);
    public static readonly Color Night = new(16, 24, 48);

    private readonly int _width;
    private readonly int _height;
    private readonly byte[] _pixels;

    public Canvas(int width, int height, Color background)
    {
        (_width, _height, _pixels) = (width, height, new byte[3 * width * height]);
        Rectangle(0, 0, width, height, background);
    }

    public RgbFrame ToFrame() => new(_width, _height, _pixels);

    public void Rectangle(int left, int top, int width, int height, Color color)
    {
        for (var y = Math.Max(0, top); y < Math.Min(_height, top + height); y++)
        {
            for (var x = Math.Max(0, left); x < Math.Min(_width, left + width); x++)
                Set(x, y, color);
        }
    }

    public void Disc(double centerX, double centerY, double radius, Color color)
    {
        for (var y = (int)(centerY - radius); y <= centerY + radius; y++)
        {
            for (var x = (int)(centerX - radius); x <= centerX + radius; x++)
            {
                if (Math.Pow(x - centerX, 2) + Math.Pow(y - centerY, 2) <= radius * radius)
                    Set(x, y, color);
            }
        }
    }

    public void Line(double fromX, double fromY, double toX, double toY, double width, Color color)
    {
        var steps = (int)Math.Ceiling(Math.Max(Math.Abs(toX - fromX), Math.Abs(toY - fromY))) + 1;
        for (var step = 0; step <= steps; step++)
        {
            var share = (double)step / steps;
            Disc(fromX + ((toX - fromX) * share), fromY + ((toY - fromY) * share), width / 2, color);
        }
    }

    private void Set(int x, int y, Color color)
    {
        if (x < 0 || y < 0 || x >= _width || y >= _height)
            return;
        var place = 3 * ((y * _width) + x);
        (_pixels[place], _pixels[place + 1], _pixels[place + 2]) = (color.Red, color.Green, color.Blue);
    }

    /// <summary>A color.</summary>
    internal readonly record struct Color(byte Red, byte Green, byte Blue);
}

/// <summary>Boards as lines of characters.</summary>
internal static class TextGrid
{
    public static string Of(int rows, int columns, Func<int, int, char> at) => string.Concat(
        Enumerable.Range(0, rows).Select(row => string.Concat(Enumerable.Range(0, columns).Select(column => at(row, column))) + "\n"));
}
