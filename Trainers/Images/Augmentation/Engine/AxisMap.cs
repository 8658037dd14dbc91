namespace MLExtensions.Images;

/// <summary>For each image of a batch, where along one axis its pixels come from; <see cref="Outside"/> is a zero.</summary>
internal sealed class AxisMap
{
    public const int Outside = -1;

    private readonly int _count;
    private int[] _sources;

    public AxisMap(int count, int length)
    {
        _count = count;
        Length = length;
        _sources = new int[count * length];
        for (var i = 0; i < _sources.Length; i++)
            _sources[i] = i % length;
    }

    /// <summary>Pixels along the axis, now.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<int> Sources => _sources;

    public void Reverse(int image) => Of(image).Reverse();

    /// <summary>Keeps <paramref name="length"/> pixels of each image from its start on, which may lie outside.</summary>
    public void Crop(ReadOnlySpan<int> starts, int length)
    {
        var cropped = new int[_count * length];
        Array.Fill(cropped, Outside);
        for (var image = 0; image < _count; image++)
        {
            var first = Math.Max(starts[image], 0);
            var end = Math.Min(starts[image] + length, Length);
            if (first < end)
                Of(image)[first..end].CopyTo(cropped.AsSpan(image * length + first - starts[image]));
        }
        (_sources, Length) = (cropped, length);
    }

    private Span<int> Of(int image) => _sources.AsSpan(image * Length, Length);
}
