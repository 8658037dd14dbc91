using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Several ranks train what one does with the same batches.</summary>
[TestClass]
public sealed class RankTests
{
    private const int Rows = 128;
    private const int Batch = 32;

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void TwoAndFourRanks_WeightsOfOne(string name)
    {
        var subject = Subjects.Training(name);
        var one = Weights(subject, null);
        foreach (var count in new[] { 2, 4 })
        {
            var all = ThreadRanks.Run(count, distributed => Weights(subject, distributed));
            foreach (var weights in all.Skip(1))
                Outcome.AssertSameBits(all[0], weights);
            var worst = one.Zip(all[0], (a, b) => Math.Abs(a - b) / (1 + Math.Abs(a))).Max();
            Console.WriteLine($"{name}, {count} ranks: {worst}");
            Assert.IsLessThan(1e-5f, worst);
        }
    }

    private static float[] Weights(TrainingSubject subject, Distributed? distributed)
    {
        using var model = subject.Fit(subject.Rows(Rows), options =>
        {
            (options.Epochs, options.GlobalBatchSize, options.ThreadCount, options.Seed) = (3, Batch, 1, 7);
            options.Distributed = distributed;
        }, noisy: false, new MLContext(1));
        return Outcome.Weights(model);
    }
}
