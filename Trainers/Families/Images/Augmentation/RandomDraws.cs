using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Images;

/// <summary>Random distributions.</summary>
internal static class RandomDraws
{
    public static bool Chance(this ref SplitMix64 random, double probability) => random.NextDouble() < probability;

    public static double Uniform(this ref SplitMix64 random, double minimum, double maximum) =>
        minimum + (maximum - minimum) * random.NextDouble();

    /// <summary>A number from [-<paramref name="maximum"/>, <paramref name="maximum"/>].</summary>
    public static double Symmetric(this ref SplitMix64 random, double maximum) => random.Uniform(-maximum, maximum);

    /// <summary>
    /// Fills with numbers from [-<paramref name="amplitude"/>, <paramref name="amplitude"/>): 24 bits each, two per draw.
    /// </summary>
    public static void Noise(this ref SplitMix64 random, Span<float> values, float amplitude)
    {
        var unit = amplitude / (1 << 23);
        var i = 0;
        for (; i + 1 < values.Length; i += 2)
        {
            var bits = random.Next();
            values[i] = (int)(bits >> 40) * unit - amplitude;
            values[i + 1] = (int)(bits & 0xFFFFFF) * unit - amplitude;
        }
        if (i < values.Length)
            values[i] = (int)(random.Next() >> 40) * unit - amplitude;
    }

    /// <summary>A number from Beta(<paramref name="alpha"/>, <paramref name="alpha"/>).</summary>
    public static double SymmetricBeta(this ref SplitMix64 random, double alpha)
    {
        // Uses logarithms, because for a small alpha both gamma numbers may underflow.
        var first = random.LogGamma(alpha);
        var second = random.LogGamma(alpha);
        return 1 / (1 + Math.Exp(second - first));
    }

    /// <summary>The logarithm of a number from Gamma(<paramref name="shape"/>, 1) (Marsaglia and Tsang, 2000).</summary>
    private static double LogGamma(this ref SplitMix64 random, double shape)
    {
        if (shape < 1)
            return random.LogGamma(shape + 1) + Math.Log(random.NextPositive()) / shape;
        var d = shape - 1.0 / 3;
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var normal = random.Normal();
            var root = 1 + c * normal;
            if (root <= 0)
                continue;
            var v = root * root * root;
            if (Math.Log(random.NextPositive()) < normal * normal / 2 + d * (1 - v + Math.Log(v)))
                return Math.Log(d * v);
        }
    }

    /// <summary>A number from the standard normal distribution (Box and Muller, 1958).</summary>
    private static double Normal(this ref SplitMix64 random) =>
        Math.Sqrt(-2 * Math.Log(random.NextPositive())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>A number in (0, 1].</summary>
    private static double NextPositive(this ref SplitMix64 random) => 1 - random.NextDouble();
}

/// <summary>Numbers drawn on the host, one or a few for each image of a batch.</summary>
internal static class PerImage
{
    /// <summary>Sends the numbers to the device of the images, in a shape that broadcasts over channels and pixels: [N, 1, 1, 1].</summary>
    public static Tensor Column(float[] values, Tensor images) => ToTensor(values, [values.Length, 1, 1, 1], images.device);

    public static Tensor ToTensor(float[] values, long[] shape, Device device) => torch.tensor(values, shape, ScalarType.Float32, device);

    public static Tensor ToTensor(long[] values, long[] shape, Device device) => torch.tensor(values, shape, ScalarType.Int64, device);
}
