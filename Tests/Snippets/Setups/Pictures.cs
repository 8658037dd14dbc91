namespace MLExtensions.Snippets;

/// <summary>Files with small pictures.</summary>
internal static class Pictures
{
    /// <summary>Writes a picture of colored stripes.</summary>
    public static void Write(string path, int side, int seed)
    {
        if (File.Exists(path))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var bytes = new byte[side * side * 4];
        for (var i = 0; i < side * side; i++)
        {
            var (x, y) = (i % side, i / side);
            (bytes[4 * i], bytes[(4 * i) + 1], bytes[(4 * i) + 2], bytes[(4 * i) + 3]) = ((byte)(seed * x * 7), (byte)(y * 5), (byte)((x + y) * 3 * seed), 255);
        }
        using var image = MLImage.CreateFromPixels(side, side, MLPixelFormat.Bgra32, bytes);
        image.Save(path);
    }
}
