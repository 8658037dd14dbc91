using MLExtensions.Families.MetricLearning;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Losses of embeddings and their gradients against plain computations in double precision.</summary>
[TestClass]
public sealed class MetricLossTests
{
    private const int Size = 6;
    private static readonly int[] Classes = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3];

    private static readonly Dictionary<string, MetricLoss> Losses = new()
    {
        ["Triplet"] = new TripletLoss { Mining = TripletMining.All },
        ["SoftTriplet"] = new TripletLoss { Mining = TripletMining.All, SoftMargin = true },
        ["HardTriplet"] = new TripletLoss { Mining = TripletMining.Hard, Margin = 0.5 },
        ["Contrastive"] = new ContrastiveLoss { Margin = 1.2 },
        ["MultiSimilarity"] = new MultiSimilarityLoss { Beta = 10 },
        ["NormalizedTemperature"] = new NormalizedTemperatureLoss { Temperature = 0.3 },
    };

    public static IEnumerable<object[]> Names => Losses.Keys.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Value_IsThatOfThePlainComputation(string name)
    {
        var rows = PlainMetricLearning.Rows(Classes, Size, TestSeed.Of(3));
        using var scope = NewDisposeScope();
        using var single = ToTensor(rows).to(ScalarType.Float32);
        var expected = Plain(Losses[name], rows);
        Assert.IsGreaterThan(0.01, expected);
        Assert.AreEqual(expected, Compute(Losses[name], ToTensor(rows)).item<double>(), 1e-9 * expected);
        Assert.AreEqual(expected, Compute(Losses[name], single).item<float>(), 2e-5 * expected, "float32");
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Gradient_IsThatOfFiniteDifferences(string name)
    {
        var rows = PlainMetricLearning.Rows(Classes, Size, TestSeed.Of(4));
        using var scope = NewDisposeScope();
        var outputs = ToTensor(rows).requires_grad_(true);
        Compute(Losses[name], UnitRows.Of(outputs)).backward();
        var gradient = outputs.grad!.data<double>().ToArray();
        AssertGradient(rows, gradient, moved => Plain(Losses[name], Array.ConvertAll(moved, PlainMetricLearning.Unit)));
    }

    [TestMethod]
    [DataRow(0.5)]
    [DataRow(1.4)]
    public void ArcFace_ValueAndGradients_AreThoseOfThePlainComputation(double margin)
    {
        var loss = new ArcFaceLoss { Scale = 8, Margin = margin };
        var rows = PlainMetricLearning.Rows(Classes, Size, TestSeed.Of(5));
        var centers = PlainMetricLearning.Rows([0, 1, 2, 3], Size, TestSeed.Of(6));
        using var scope = NewDisposeScope();
        var (outputs, weights) = (ToTensor(rows).requires_grad_(true), ToTensor(centers).requires_grad_(true));
        using var labels = LabelsOf(Classes);
        var value = MetricLosses.ArcFace(loss, UnitRows.Of(outputs), weights, labels);
        value.backward();
        Assert.AreEqual(PlainMetricLearning.ArcFace(rows, centers, Classes, loss), value.item<double>(), 1e-6);
        AssertGradient(rows, outputs.grad!.data<double>().ToArray(), moved => PlainMetricLearning.ArcFace(Array.ConvertAll(moved, PlainMetricLearning.Unit), centers, Classes, loss));
        AssertGradient(centers, weights.grad!.data<double>().ToArray(), moved => PlainMetricLearning.ArcFace(rows, moved, Classes, loss));
    }

    /// <summary>Two classes on opposite sides: the distance of a pair of a class is 0, of others 4.</summary>
    [TestMethod]
    public void Apart_LossesAreWhatTheyMustBe()
    {
        int[] classes = [0, 0, 1, 1];
        double[][] rows = [[1, 0], [1, 0], [-1, 0], [-1, 0]];
        Assert.AreEqual(0, Of(new TripletLoss { Mining = TripletMining.All }));
        Assert.AreEqual(Math.Log(1 + Math.Exp(-4)), Of(new TripletLoss { Mining = TripletMining.All, SoftMargin = true }), 1e-12);
        Assert.AreEqual(0, Of(new ContrastiveLoss()), 1e-12);
        Assert.AreEqual(Math.Log(1 + (2 * Math.Exp(-2))), Of(new NormalizedTemperatureLoss { Temperature = 1 }), 1e-12);
        Assert.AreEqual(0, Of(new MultiSimilarityLoss()), 1e-12, "nothing is within epsilon of being confused");

        double Of(MetricLoss loss) => Compute(loss, ToTensor(rows), classes).item<double>();
    }

    /// <summary>All embeddings alike: the triplet loss is its margin, and its soft form log 2; no gradient is NaN, though distances are 0.</summary>
    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Collapsed_LossIsTheMargin_AndGradientsAreNumbers(string name)
    {
        using var scope = NewDisposeScope();
        var outputs = full([Classes.Length, Size], 0.3, ScalarType.Float32, CPU).requires_grad_(true);
        var loss = Compute(Losses[name], UnitRows.Of(outputs));
        loss.backward();
        Assert.IsTrue(outputs.grad!.isfinite().all().item<bool>());
        if (Losses[name] is TripletLoss triplet)
            Assert.AreEqual(triplet.SoftMargin ? Math.Log(2) : triplet.Margin, loss.item<float>(), 1e-6);
    }

    [TestMethod]
    public void Zeros_StayZeros_AndHaveAFiniteGradient()
    {
        using var scope = NewDisposeScope();
        var outputs = zeros([2, 3], ScalarType.Float32, CPU).requires_grad_(true);
        var unit = UnitRows.Of(outputs);
        unit.sum().backward();
        Assert.AreEqual(0, unit.abs().sum().item<float>());
        Assert.IsTrue(outputs.grad!.isfinite().all().item<bool>());
    }

    [TestMethod]
    public void NoTriplets_LossIs0WithGradients0()
    {
        using var scope = NewDisposeScope();
        var distances = ones([2, 2], ScalarType.Float32, CPU).requires_grad_(true);
        var loss = MetricLosses.OfTriplets(new TripletLoss(), distances, new Triplets([], [], []));
        loss.backward();
        Assert.AreEqual(0, loss.item<float>());
        Assert.AreEqual(0, distances.grad!.abs().sum().item<float>());
    }

    private static double Plain(MetricLoss loss, double[][] rows) => loss switch
    {
        TripletLoss triplet => PlainMetricLearning.Triplet(rows, Triples(triplet, rows), triplet.Margin, triplet.SoftMargin),
        ContrastiveLoss contrastive => PlainMetricLearning.Contrastive(rows, Classes, contrastive.Margin),
        MultiSimilarityLoss similarity => PlainMetricLearning.MultiSimilarity(rows, Classes, similarity),
        NormalizedTemperatureLoss temperature => PlainMetricLearning.NormalizedTemperature(rows, Classes, temperature.Temperature),
        _ => throw new NotSupportedException(),
    };

    private static IEnumerable<(int Anchor, int Positive, int Negative)> Triples(TripletLoss loss, double[][] rows) => loss.Mining == TripletMining.All
        ? PlainMetricLearning.SamePairs(Classes).SelectMany(pair => PlainMetricLearning.Negatives(Classes, pair.Anchor).Select(negative => (pair.Anchor, pair.Positive, negative)))
        : PlainMetricLearning.SamePairs(Classes).GroupBy(pair => pair.Anchor).Select(group => (
            group.Key,
            group.MaxBy(pair => PlainMetricLearning.Squared(rows[pair.Anchor], rows[pair.Positive])).Positive,
            PlainMetricLearning.Negatives(Classes, group.Key).MinBy(negative => PlainMetricLearning.Squared(rows[group.Key], rows[negative]))));

    private static Tensor Compute(MetricLoss loss, Tensor embeddings) => Compute(loss, embeddings, Classes);

    private static Tensor Compute(MetricLoss loss, Tensor embeddings, int[] classes)
    {
        var cosines = MetricLosses.Cosines(embeddings);
        var distances = MetricLosses.SquaredDistances(cosines);
        var random = new SplitMix64(1);
        var batch = new BatchDistances(distances.detach().to(ScalarType.Float32).data<float>().ToArray(), classes);
        return MetricLosses.Of(loss, cosines, distances, LabelsOf(classes), loss is TripletLoss triplet ? TripletMiner.Mine(triplet, batch, Size, ref random) : null);
    }

    private static void AssertGradient(double[][] rows, double[] gradient, Func<double[][], double> loss)
    {
        const double Step = 1e-6;
        var size = rows[0].Length;
        for (var place = 0; place < gradient.Length; place++)
        {
            var slope = (loss(Moved(Step)) - loss(Moved(-Step))) / (2 * Step);
            Assert.AreEqual(slope, gradient[place], 1e-6 * Math.Max(1, gradient.Max(Math.Abs)), $"value {place}");

            double[][] Moved(double by) => rows.Select((row, r) => row.Select((x, c) => (r * size) + c == place ? x + by : x).ToArray()).ToArray();
        }
    }

    private static Tensor ToTensor(double[][] rows) => tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length], ScalarType.Float64, CPU);

    private static Tensor LabelsOf(int[] classes) => tensor(Array.ConvertAll(classes, place => (long)place), ScalarType.Int64, CPU);
}
