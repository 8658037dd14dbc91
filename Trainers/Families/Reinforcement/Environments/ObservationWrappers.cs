using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Shows the last observations together, oldest first, so that motion can be seen. At the beginning of an episode the first one is repeated.
/// </summary>
/// <remarks>
/// Images of channels x height x width become (count * channels) x height x width; everything else becomes a vector, one observation after
/// the other.
/// </remarks>
public sealed class FrameStack : EnvironmentWrapper
{
    private const int ImageDimensions = 3;
    private readonly float[] _stack;

    /// <summary>Wraps an environment.</summary>
    /// <param name="inner">The environment inside, whose observations are a <see cref="BoxSpace"/>.</param>
    /// <param name="count">The number of observations, from 1 to 64. Default 4.</param>
    /// <exception cref="ArgumentException">Observations are numbered states, or the number is out of range.</exception>
    public FrameStack(IEnvironment inner, int count = 4)
        : base(inner)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 64);
        if (inner.ObservationSpace is not BoxSpace box)
            throw new ArgumentException($"The observations of {inner.Name} are {inner.ObservationSpace}; only a {nameof(BoxSpace)} can be stacked.", nameof(inner));
        Count = count;
        IReadOnlyList<long> shape = box.Shape.Count == ImageDimensions ? [count * box.Shape[0], box.Shape[1], box.Shape[2]] : [(long)count * box.Size];
        BoxSpace.CountOf(shape); // before bounds of that size are made
        ObservationSpace = new BoxSpace(shape, Repeat(box.Low, count), Repeat(box.High, count));
        _stack = new float[count * box.Size];
    }

    /// <summary>The number of observations.</summary>
    public int Count { get; }

    /// <inheritdoc/>
    public override Space ObservationSpace { get; }

    /// <inheritdoc/>
    public override EnvironmentState Reset(int? seed = null)
    {
        var state = Inner.Reset(seed);
        for (var i = 0; i < Count; i++)
            Newest(state.Observation.Span).CopyTo(_stack.AsSpan(i * (_stack.Length / Count)));
        return state with { Observation = _stack };
    }

    /// <inheritdoc/>
    public override EnvironmentStep Step(int action)
    {
        var step = Inner.Step(action);
        var size = _stack.Length / Count;
        _stack.AsSpan(size).CopyTo(_stack);
        Newest(step.Observation.Span).CopyTo(_stack.AsSpan(_stack.Length - size));
        return step with { Observation = _stack };
    }

    /// <inheritdoc/>
    protected override void SaveCore(BinaryWriter writer) => StateArrays.Write(writer, _stack);

    /// <inheritdoc/>
    protected override void LoadCore(BinaryReader reader) => StateArrays.Read(reader, _stack);

    private ReadOnlySpan<float> Newest(ReadOnlySpan<float> observation) => observation.Length == _stack.Length / Count
        ? observation
        : throw new FormatException(FormattableString.Invariant($"{Name}: the observation has {observation.Length} values; the observation space has {_stack.Length / Count}."));

    private static float[] Repeat(ReadOnlyMemory<float> values, int count) => Enumerable.Repeat(values.ToArray(), count).SelectMany(part => part).ToArray();
}

/// <summary>Makes images gray and resizes them: 84 x 84 pixels are what deep Q-networks play Atari games with.</summary>
/// <remarks>Pixels are means over the area that they cover; gray is 0.299 red + 0.587 green + 0.114 blue. The range stays what it is.</remarks>
public sealed class GrayscaleResize : EnvironmentWrapper
{
    private static readonly float[] Luminance = [0.299f, 0.587f, 0.114f];

    private readonly float[] _result;
    private readonly float[] _gray;
    private readonly float[] _narrow;
    private readonly (int Height, int Width, int Channels, bool ChannelsFirst) _image;
    private readonly Share[][] _rows;
    private readonly Share[][] _columns;

    /// <summary>Wraps an environment.</summary>
    /// <param name="inner">
    /// The environment inside, whose observations are images of 1 or 3 channels: channels x height x width, or height x width x channels as in
    /// Gymnasium, or height x width.
    /// </param>
    /// <param name="height">The new height in pixels, at least 1. Default 84.</param>
    /// <param name="width">The new width in pixels, at least 1. Default 84.</param>
    /// <exception cref="ArgumentException">Observations are no such images, or a number is out of range.</exception>
    public GrayscaleResize(IEnvironment inner, int height = 84, int width = 84)
        : base(inner)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var box = inner.ObservationSpace as BoxSpace;
        _image = box?.Shape switch
        {
            [var rows, var columns] => ((int)rows, (int)columns, 1, true),
            [var rows, var columns, 3 or 1] => ((int)rows, (int)columns, (int)box.Shape[2], false),
            [1 or 3, var rows, var columns] => ((int)rows, (int)columns, (int)box.Shape[0], true),
            _ => throw new ArgumentException($"The observations of {inner.Name} are {inner.ObservationSpace}; they must be images of 1 or 3 channels.", nameof(inner)),
        };
        ObservationSpace = new BoxSpace([1, height, width], box.Low.ToArray().Min(), box.High.ToArray().Max());
        (_rows, _columns) = (Shares(_image.Height, height), Shares(_image.Width, width));
        (_gray, _narrow, _result) = (new float[_image.Height * _image.Width], new float[_image.Height * width], new float[height * width]);
    }

    /// <inheritdoc/>
    public override Space ObservationSpace { get; }

    /// <inheritdoc/>
    public override EnvironmentState Reset(int? seed = null)
    {
        var state = Inner.Reset(seed);
        return state with { Observation = Convert(state.Observation.Span) };
    }

    /// <inheritdoc/>
    public override EnvironmentStep Step(int action)
    {
        var step = Inner.Step(action);
        return step with { Observation = Convert(step.Observation.Span) };
    }

    private float[] Convert(ReadOnlySpan<float> image)
    {
        var (channels, plane) = (_image.Channels, _gray.Length);
        if (image.Length != plane * channels)
            throw new FormatException(FormattableString.Invariant($"{Name}: the observation has {image.Length} values; the observation space has {plane * channels}."));
        for (var pixel = 0; pixel < plane; pixel++)
        {
            var sum = 0f;
            for (var channel = 0; channel < channels; channel++)
                sum += (channels == 1 ? 1 : Luminance[channel]) * image[_image.ChannelsFirst ? (channel * plane) + pixel : (pixel * channels) + channel];
            _gray[pixel] = sum;
        }
        Average(_gray, _image.Height, _image.Width, 1, _columns, _narrow, _columns.Length);
        for (var column = 0; column < _columns.Length; column++)
            Average(_narrow.AsSpan(column), 1, 0, _columns.Length, _rows, _result.AsSpan(column), 0, _columns.Length);
        var (low, high) = (((BoxSpace)ObservationSpace).Low.Span[0], ((BoxSpace)ObservationSpace).High.Span[0]);
        foreach (ref var value in _result.AsSpan())
            value = Math.Clamp(value, low, high); // rounding
        return _result;
    }

    private static void Average(ReadOnlySpan<float> from, int lines, int fromLine, int fromStep, Share[][] shares, Span<float> to, int toLine, int toStep = 1)
    {
        for (var line = 0; line < lines; line++)
        {
            for (var i = 0; i < shares.Length; i++)
            {
                var sum = 0f;
                foreach (var share in shares[i])
                    sum += share.Weight * from[(line * fromLine) + (share.Place * fromStep)];
                to[(line * toLine) + (i * toStep)] = sum;
            }
        }
    }

    /// <summary>Which pixels of a line each new pixel covers, and how much of it they are.</summary>
    private static Share[][] Shares(int from, int to) => Enumerable.Range(0, to).Select(pixel =>
    {
        var (start, end) = ((double)pixel * from / to, (double)(pixel + 1) * from / to);
        return Enumerable.Range((int)start, Math.Min((int)Math.Ceiling(end), from) - (int)start)
            .Select(place => new Share(place, (float)((Math.Min(end, place + 1) - Math.Max(start, place)) / (end - start))))
            .Where(share => share.Weight > 0).ToArray();
    }).ToArray();

    private readonly record struct Share(int Place, float Weight);
}
