namespace MLExtensions.Benchmarks;

/// <summary>Makes pictures of ten classes: noisy copies of some prototypes a class, a fifth of the pixels not zero.</summary>
internal sealed class ImageGenerator
{
    private const int PrototypesPerClass = 4;
    private const double InkShare = 0.2;
    private const float Noise = 0.5f;

    private readonly float[][] _prototypes;
    private readonly int _seed;

    public ImageGenerator(int seed)
    {
        _seed = seed;
        // The same prototypes whatever the seed: another seed gives other pictures of the same classes.
        var random = new Random(20);
        _prototypes = Enumerable.Range(0, ImageRow.Classes * PrototypesPerClass).Select(_ => Prototype(random)).ToArray();
    }

    /// <summary>Fills in picture number <paramref name="index"/> and returns its class.</summary>
    public uint Fill(long index, Span<float> pixels)
    {
        var state = ((ulong)_seed << 40) + (ulong)index + 1;
        var number = (int)(Next(ref state) % (ulong)_prototypes.Length);
        var prototype = _prototypes[number];
        for (var i = 0; i < pixels.Length; i++)
        {
            var ink = prototype[i];
            if (ink == 0)
            {
                pixels[i] = 0;
                continue;
            }
            var uniform = (Next(ref state) >> 40) * (1f / (1 << 24));
            pixels[i] = Math.Clamp(ink + (Noise * (uniform - 0.5f)), 0, 1);
        }
        return (uint)(number % ImageRow.Classes);
    }

    private static float[] Prototype(Random random)
    {
        var pixels = new float[ImageRow.Width];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = random.NextDouble() < InkShare ? 0.3f + (0.7f * random.NextSingle()) : 0;
        return pixels;
    }

    /// <summary>SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
