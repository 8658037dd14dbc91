namespace MLExtensions;

/// <summary>Saves what environments look like.</summary>
public static class FramePlot
{
    /// <summary>Saves pictures of an episode as one picture, row by row.</summary>
    /// <param name="frames">The pictures, all of the same size, at least one.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="columns">The number of pictures per row. Null: about as many as there are rows.</param>
    /// <exception cref="ArgumentException">There are no pictures, they have different sizes, or the picture would be too large.</exception>
    public static void SavePng(this IReadOnlyList<RgbFrame> frames, string path, int? columns = null)
    {
        ArgumentNullException.ThrowIfNull(frames);
        if (frames.Count == 0)
            throw new ArgumentException("There are no pictures to save.", nameof(frames));
        var first = frames[0];
        if (frames.FirstOrDefault(frame => frame.Width != first.Width || frame.Height != first.Height) is { } other)
            throw new ArgumentException(FormattableString.Invariant($"A picture has {other.Width} x {other.Height} pixels, the first one {first.Width} x {first.Height}; all must be of the same size."), nameof(frames));
        TilePicture.SavePng(path, frames.Count, first.Width, first.Height, columns, (frame, row, column) =>
        {
            var pixel = frames[frame].Pixels.Span.Slice(3 * ((row * first.Width) + column), 3);
            return (pixel[0], pixel[1], pixel[2]);
        });
    }
}
