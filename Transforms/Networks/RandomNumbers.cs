using MLExtensions.Networks;

namespace MLExtensions;

/// <summary>A small random generator whose numbers do not depend on the framework version (Steele, Lea and Flood, 2014).</summary>
internal struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15ul;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ul;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBul;
        return z ^ (z >> 31);
    }

    /// <summary>All that the numbers to come depend on, for checkpoints.</summary>
    public ulong State
    {
        readonly get => _state;
        set => _state = value;
    }

    /// <summary>A number from 0 to <paramref name="exclusiveMaximum"/> - 1.</summary>
    public int Next(int exclusiveMaximum) => (int)Math.BigMul(Next(), (ulong)exclusiveMaximum, out _);

    /// <summary>A number from 0 to <paramref name="exclusiveMaximum"/> - 1.</summary>
    public long Next(long exclusiveMaximum) => (long)Math.BigMul(Next(), (ulong)exclusiveMaximum, out _);

    /// <summary>A number in [0, 1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1ul << 53));

    /// <summary>Shuffles values (Fisher and Yates).</summary>
    public void Shuffle(Span<int> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }
}

/// <summary>The same as a <see cref="Random"/>, for what others implement; its state can be kept.</summary>
internal sealed class SeededRandom(ulong seed) : Random
{
    private SplitMix64 _random = new(seed);

    /// <inheritdoc cref="SplitMix64.State"/>
    public ulong State
    {
        get => _random.State;
        set => _random.State = value;
    }

    public override int Next() => _random.Next(int.MaxValue);

    public override int Next(int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxValue);
        return _random.Next(maxValue);
    }

    public override int Next(int minValue, int maxValue) => (int)NextInt64(minValue, maxValue);

    public override long NextInt64() => NextInt64(0, long.MaxValue);

    public override long NextInt64(long maxValue) => NextInt64(0, maxValue);

    public override long NextInt64(long minValue, long maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        return minValue + (long)Math.BigMul(_random.Next(), unchecked((ulong)(maxValue - minValue)), out _);
    }

    public override double NextDouble() => _random.NextDouble();

    public override float NextSingle() => (_random.Next() >> 40) * (1f / (1 << 24));

    public override void NextBytes(Span<byte> buffer)
    {
        foreach (ref var value in buffer)
            value = (byte)(_random.Next() >> 56);
    }

    public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

    protected override double Sample() => NextDouble();
}

/// <summary>
/// Derives independent seeds from one: each use and each epoch has its own. The random numbers of an epoch therefore do not depend on what
/// was drawn before, and a resumed training draws the same numbers as an uninterrupted one.
/// </summary>
internal static class SeedSequence
{
    public const int Initialization = 1;
    public const int Shuffle = 2;
    public const int Dropout = 3;
    public const int ValidationSplit = 4;
    public const int Augmentation = 5;
    public const int SampledTokens = 6;
    public const int BatchOrder = 7;
    public const int UnitSamples = 8;
    public const int LatentNoise = 9;
    public const int AdversarialNoise = 10;
    public const int InpaintingMask = 11;
    public const int EvaluatedRows = 12;
    public const int Environment = 13;
    public const int Exploration = 14;
    public const int EvaluatedEpisodes = 15;
    public const int Resampling = 16;
    public const int Folds = 17;
    public const int StyleNoise = 18;
    public const int StyleChoice = 19;
    public const int StylePairs = 20;
    public const int MarkovStarts = 21;
    public const int MarkovSamples = 22;
    public const int ContextDropout = 31;
    public const int Quatrains = 32;
    public const int TeacherForcing = 30;
    public const int TripletNegatives = 33;
    public const int ClassCenters = 34;
    public const int ComparedRows = 35;
    public const int ImpostorPairs = 36;

    public static ulong Derive(int seed, int purpose, int epoch = 0)
    {
        var random = new SplitMix64(unchecked((uint)seed) | ((ulong)(uint)purpose << 32));
        return random.Next() ^ new SplitMix64(unchecked((ulong)epoch * 0x9E3779B97F4A7C15ul)).Next();
    }
}
