using MLExtensions.Engine;
using MLExtensions.Families.Gan;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>
/// Compares how much generated samples differ from each other with how much real ones do: the ratio of the mean distances between samples of
/// the same class. A generator that makes the same few samples again and again has a small one.
/// </summary>
internal sealed class SampleSpread : IDisposable
{
    private const int Samples = 256;

    private readonly Tensor _noise;
    private readonly Tensor? _labels;
    private readonly double _realDistance;

    private SampleSpread(Tensor noise, Tensor? labels, double realDistance, double realRange) => (_noise, _labels, _realDistance, RealRange) = (noise, labels, realDistance, realRange);

    /// <summary>The largest of the first real values minus the smallest, in the generator's range.</summary>
    public double RealRange { get; }

    /// <summary>Looks at the first real samples.</summary>
    public static SampleSpread Take(IBatchSource<RowBatch> source, GeneratorArchitecture generator)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (samples, labels) = (new List<Tensor>(), new List<Tensor>());
        var rows = 0;
        foreach (var batch in source.ReadEpoch(1))
        {
            using (batch)
            {
                var (values, label) = Read(batch, generator);
                samples.Add(values.clone());
                if (label is not null)
                    labels.Add(label.clone());
                rows += batch.RowCount;
            }
            if (rows >= Samples)
                break;
        }
        var count = Math.Min(rows, Samples);
        var real = cat(samples, 0).narrow(0, 0, count);
        var classes = labels.Count == 0 ? null : cat(labels, 0).narrow(0, 0, count).clone().DetachFromDisposeScope();
        return new SampleSpread(NoiseFor(generator, count).to(real.device).DetachFromDisposeScope(), classes, MeanDistance(real, classes), real.max().item<float>() - real.min().item<float>());
    }

    /// <summary>The samples of a batch in the generator's range, and their label vectors.</summary>
    public static (Tensor Samples, Tensor? Labels) Read(RowBatch batch, GeneratorArchitecture generator)
    {
        var samples = batch.Features;
        if (generator is { Values: { } values, OutputRange: { } range })
            samples = values.MapTo(range, samples);
        var labels = batch is LabeledBatch labeled
            ? nn.functional.one_hot(labeled.Labels.to(ScalarType.Int64), generator.ClassCount).to(ScalarType.Float32)
            : null;
        return (samples, labels);
    }

    /// <summary>The input of a generator.</summary>
    public static Tensor Join(Tensor noise, Tensor? labels) => labels is null ? noise : cat([noise, labels], 1);

    /// <summary>Noise that is the same in every training.</summary>
    public static Tensor NoiseFor(GeneratorArchitecture generator, int count)
    {
        var noise = zeros([count, generator.LatentSize], ScalarType.Float32, CPU);
        var values = TensorMemory.Floats(noise);
        for (var row = 0; row < count; row++)
            LatentNoise.Draw(generator.LatentDistribution, seed: 0, (UInt128)row, values.Slice(row * generator.LatentSize, generator.LatentSize));
        return noise;
    }

    /// <summary>The distance between generated samples; that between real ones is 1.</summary>
    public double Measure(TrainedNetwork generator) =>
        _realDistance > 0 ? MeanDistance(generator.Forward(Join(_noise, _labels)), _labels) / _realDistance : 1;

    public void Dispose()
    {
        _noise.Dispose();
        _labels?.Dispose();
    }

    private static double MeanDistance(Tensor samples, Tensor? labels)
    {
        var distances = cdist(samples, samples);
        var pairs = ones_like(distances).sub_(eye(distances.shape[0], dtype: ScalarType.Float32, device: distances.device));
        var ofOneClass = labels is null ? pairs : pairs * labels.matmul(labels.t());
        var counted = ofOneClass.sum().item<float>() > 0 ? ofOneClass : pairs;
        var count = counted.sum().item<float>();
        return count == 0 ? 0 : (distances * counted).sum().item<float>() / count;
    }
}
