using MLExtensions.Families.MetricLearning;
using static TorchSharp.torch;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>The triplet loss and its gradient with respect to the outputs of the network, against plain computations in double precision.</summary>
[TestClass]
public sealed class TripletGradientTests
{
    private const int Size = 6;
    private static readonly int[] Classes = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3];

    public static IEnumerable<object[]> Losses =>
    [
        [new TripletLoss { Mining = TripletMining.All }],
        [new TripletLoss { Mining = TripletMining.All, SoftMargin = true }],
        [new TripletLoss { Mining = TripletMining.Hard, Margin = 0.5 }],
    ];

    [TestMethod]
    [DynamicData(nameof(Losses))]
    public void ValueAndGradient_AreThoseOfThePlainComputation(TripletLoss loss)
    {
        const double Step = 1e-6;
        using var scope = NewDisposeScope();
        // Outputs of several lengths: only their directions matter. Always the same: some must violate the margin, and none be near to it.
        var outputs = PlainMetricLearning.Rows(Classes, Size, seed: 7, noise: 1).Select((row, i) => Array.ConvertAll(row, x => (double)(float)(x * (i + 1) / 4))).ToArray();
        var expected = Plain(loss, outputs);
        var (value, gradient) = Compute(loss, outputs, Classes);
        Assert.IsGreaterThan(0.01, expected);
        Assert.AreEqual(expected, value, 2e-5 * expected);
        var found = gradient!.data<float>().ToArray();
        var largest = found.Max(Math.Abs);
        Assert.IsGreaterThan(0.01f, largest);
        for (var place = 0; place < found.Length; place++)
            Assert.AreEqual((Plain(loss, Moved(place, Step)) - Plain(loss, Moved(place, -Step))) / (2 * Step), found[place], 2e-5 * largest, $"value {place}");

        double[][] Moved(int place, double by) => outputs.Select((row, r) => row.Select((x, c) => (r * Size) + c == place ? x + by : x).ToArray()).ToArray();
    }

    /// <summary>Two classes on opposite sides: the distance of a pair of a class is 0, of others 4.</summary>
    [TestMethod]
    public void Apart_LossIsSmall_AndNothingMoves()
    {
        using var scope = NewDisposeScope();
        int[] classes = [0, 0, 1, 1];
        double[][] rows = [[1, 0], [2, 0], [-1, 0], [-3, 0]];
        var (value, gradient) = Compute(new TripletLoss(), rows, classes);
        Assert.AreEqual(0, value);
        Assert.AreEqual(0, gradient!.abs().sum().item<float>());
        Assert.AreEqual(Math.Log(1 + Math.Exp(-4)), Compute(new TripletLoss { Mining = TripletMining.All, SoftMargin = true }, rows, classes).Loss, 1e-7);
    }

    /// <summary>All embeddings alike: the loss is its margin, and its soft form log 2.</summary>
    [TestMethod]
    public void Collapsed_LossIsTheMargin_AndGradientsAreNumbers()
    {
        using var scope = NewDisposeScope();
        var rows = Array.ConvertAll(Classes, _ => new double[] { 0.3, 0.3, 0.3 });
        foreach (var soft in new[] { false, true })
        {
            var (value, gradient) = Compute(new TripletLoss { Mining = TripletMining.All, SoftMargin = soft }, rows, Classes);
            Assert.AreEqual(soft ? Math.Log(2) : 0.2, value, 1e-6);
            Assert.IsLessThan(1e-6f, gradient!.abs().max().item<float>());
        }
    }

    [TestMethod]
    public void Zeros_HaveFiniteGradients_AndNaNHasNone()
    {
        using var scope = NewDisposeScope();
        double[][] rows = [[0, 0], [1, 0], [0, 1], [1, 1]];
        var (value, gradient) = Compute(new TripletLoss { Mining = TripletMining.All }, rows, [0, 0, 1, 1]);
        Assert.IsGreaterThan(0, value);
        Assert.IsTrue(gradient!.isfinite().all().item<bool>());
        rows[2][1] = double.NaN;
        (value, gradient) = Compute(new TripletLoss(), rows, [0, 0, 1, 1]);
        Assert.IsTrue(double.IsNaN(value));
        Assert.IsNull(gradient);
    }

    private static double Plain(TripletLoss loss, double[][] outputs)
    {
        var rows = Array.ConvertAll(outputs, PlainMetricLearning.Unit);
        return PlainMetricLearning.Triplet(rows, Triples(loss, rows), loss.Margin, loss.SoftMargin);
    }

    private static IEnumerable<(int Anchor, int Positive, int Negative)> Triples(TripletLoss loss, double[][] rows) => loss.Mining == TripletMining.All
        ? PlainMetricLearning.SamePairs(Classes).SelectMany(pair => PlainMetricLearning.Negatives(Classes, pair.Anchor).Select(negative => (pair.Anchor, pair.Positive, negative)))
        : PlainMetricLearning.SamePairs(Classes).GroupBy(pair => pair.Anchor).Select(group => (
            group.Key,
            group.MaxBy(pair => PlainMetricLearning.Squared(rows[pair.Anchor], rows[pair.Positive])).Positive,
            PlainMetricLearning.Negatives(Classes, group.Key).MinBy(negative => PlainMetricLearning.Squared(rows[group.Key], rows[negative]))));

    private static (double Loss, Tensor? Gradient) Compute(TripletLoss loss, double[][] outputs, int[] classes)
    {
        var random = new SplitMix64(1);
        var rows = tensor(outputs.SelectMany(row => row).Select(x => (float)x).ToArray(), [outputs.Length, outputs[0].Length], ScalarType.Float32, CPU);
        return TripletGradient.Of(loss, rows, classes, ref random, spread: null);
    }
}
