using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Generative;

/// <summary>Compares the distribution of generated rows with that of real rows, and real rows with one another.</summary>
internal static class GenerativeEvaluator
{
    private const int Sample = 0, OtherSample = 1, Rest = 2, PartCount = 3;

    /// <param name="host">For the log.</param>
    /// <param name="real">Real rows.</param>
    /// <param name="generated">Generated rows.</param>
    /// <param name="featureColumnName">The column of both.</param>
    /// <param name="otherReal">Real rows that are not in <paramref name="real"/>; null to set aside a half of those.</param>
    /// <param name="seed">The seed of the random samples for the floor.</param>
    /// <exception cref="ArgumentException">A column is missing, of a wrong type or of another size, or there are fewer than 2 rows.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public static GenerativeMetrics Evaluate(IHost host, IDataView real, IDataView generated, string featureColumnName, IDataView? otherReal, int seed)
    {
        var reals = FeatureSet.Of(real, featureColumnName, "real data");
        var fakes = FeatureSet.Of(generated, featureColumnName, "generated data", reals);
        var others = otherReal == null ? null : FeatureSet.Of(otherReal, featureColumnName, "other real data", reals);
        CheckMemory(featureColumnName, reals.Width);
        var size = Math.Min(Math.Min(reals.Count, others?.Count ?? reals.Count / 2), Math.Min(fakes.Count, others == null ? reals.Count / 2 : reals.Count));
        if (size < 2)
            size = 0;
        Warn(host, reals, fakes, size);

        using var threads = TorchThreads.Use(TorchThreads.CountFor((double)reals.Width * reals.Width * FeatureSet.BlockRows));
        using var realParts = Parts.Read(reals, size, others == null ? size : 0, seed);
        using var fakeParts = Parts.Read(fakes, size, 0, unchecked(seed + 1));
        using var otherParts = others == null ? null : Parts.Read(others, size, 0, unchecked(seed + 2));
        var floor = size == 0 ? null : Floor(realParts[Sample], otherParts?[Sample] ?? realParts[OtherSample], fakeParts[Sample]);
        using var allReal = realParts.All();
        using var allFake = fakeParts.All();
        var distance = allReal.DistanceTo(allFake);
        return new GenerativeMetrics
        {
            FrechetDistance = distance.Sum,
            SquaredDistanceOfMeans = distance.Means,
            Floor = floor,
            NumberOfRealRows = reals.Count,
            NumberOfGeneratedRows = fakes.Count,
            NumberOfFeatures = reals.Width,
        };
    }

    private static FrechetFloor Floor(FeatureMoments real, FeatureMoments other, FeatureMoments generated)
    {
        using var realSample = real.ToDistribution();
        using var otherSample = other.ToDistribution();
        using var generatedSample = generated.ToDistribution();
        return new FrechetFloor(realSample.DistanceTo(otherSample).Sum, realSample.DistanceTo(generatedSample).Sum, real.Count);
    }

    private static void CheckMemory(string column, int width)
    {
        const int Matrices = 16; // sums of the parts, covariances, and what eigenvalues need
        var bytes = (double)sizeof(double) * width * width * Matrices;
        if (bytes > MachineMemory.Available)
            throw new ArgumentException(FormattableString.Invariant($"Feature column '{column}' has {width} values; their covariances need {MachineMemory.Text(bytes)} of memory, and there are {MachineMemory.Text(MachineMemory.Available)}. Use fewer features, such as a hidden layer of a classifier."));
    }

    private static void Warn(IHost host, FeatureSet real, FeatureSet generated, long floorRows)
    {
        using var channel = host.Start("Evaluate");
        var fewest = floorRows == 0 ? Math.Min(real.Count, generated.Count) : Math.Min(floorRows, Math.Min(real.Count, generated.Count));
        if (fewest <= real.Width)
            channel.Warning(string.Create(CultureInfo.InvariantCulture, $"The Fréchet distance of {fewest} rows (real: {real.Count}, generated: {generated.Count}) of {real.Width} features is far too large for the distributions that they come from: so few rows have no invertible covariance. Compare it only with distances of as many rows, or use more rows or fewer features."));
        if (floorRows == 0)
            channel.Warning(string.Create(CultureInfo.InvariantCulture, $"There is no real-against-real floor: it needs 4 real rows, or 2 and other real data with 2 rows; the real data has {real.Count} rows."));
    }

    /// <summary>The moments of disjoint parts of a data set, which were read in one pass.</summary>
    private sealed class Parts : IDisposable
    {
        private readonly Tensor _origin;
        private readonly FeatureMoments[] _moments;

        private Parts(Tensor origin)
        {
            _origin = origin;
            _moments = Enumerable.Range(0, PartCount).Select(_ => new FeatureMoments(origin)).ToArray();
        }

        public FeatureMoments this[int part] => _moments[part];

        public static Parts Read(FeatureSet data, long sampleRows, long otherRows, int seed)
        {
            var partOf = Divide(data.Count, sampleRows, otherRows, seed);
            Parts? parts = null;
            try
            {
                data.ForEachBlock((block, first) =>
                {
                    parts ??= new Parts(block[0].to(ScalarType.Float64).DetachFromDisposeScope());
                    for (var part = 0; part < PartCount; part++)
                        parts.Add(block, part, partOf.AsSpan((int)first, (int)block.shape[0]));
                });
                return parts!;
            }
            catch
            {
                parts?.Dispose();
                throw;
            }
        }

        /// <summary>The distribution of all rows. Afterwards the parts are no longer apart.</summary>
        public NormalDistribution All()
        {
            for (var part = 1; part < PartCount; part++)
                _moments[0].Add(_moments[part]);
            return _moments[0].ToDistribution();
        }

        public void Dispose()
        {
            foreach (var moments in _moments)
                moments.Dispose();
            _origin.Dispose();
        }

        /// <summary>The part of each row: a random sample, a second one, the rest.</summary>
        private static byte[] Divide(long count, long sampleRows, long otherRows, int seed)
        {
            var order = Enumerable.Range(0, checked((int)count)).ToArray();
            new SplitMix64(SeedSequence.Derive(seed, SeedSequence.EvaluatedRows)).Shuffle(order);
            var partOf = new byte[count];
            for (var i = 0; i < order.Length; i++)
                partOf[order[i]] = (byte)(i < sampleRows ? Sample : i < sampleRows + otherRows ? OtherSample : Rest);
            return partOf;
        }

        private void Add(Tensor block, int part, ReadOnlySpan<byte> partOf)
        {
            var rows = new List<long>();
            for (var i = 0; i < partOf.Length; i++)
            {
                if (partOf[i] == part)
                    rows.Add(i);
            }
            if (rows.Count == partOf.Length)
                _moments[part].Add(block);
            else if (rows.Count > 0)
                _moments[part].Add(block.index_select(0, tensor(rows.ToArray(), ScalarType.Int64, CPU)));
        }
    }
}
