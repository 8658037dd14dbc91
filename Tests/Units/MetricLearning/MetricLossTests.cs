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
        Assert.AreEqual(0, Of(new ContrastiveLoss()), 1e-12);
        Assert.AreEqual(Math.Log(1 + (2 * Math.Exp(-2))), Of(new NormalizedTemperatureLoss { Temperature = 1 }), 1e-12);
        Assert.AreEqual(0, Of(new MultiSimilarityLoss()), 1e-12, "nothing is within epsilon of being confused");

        double Of(MetricLoss loss) => Compute(loss, ToTensor(rows), classes).item<double>();
    }

    /// <summary>All embeddings alike: no gradient is NaN, though distances are 0.</summary>
    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Collapsed_GradientsAreNumbers(string name)
    {
        using var scope = NewDisposeScope();
        var outputs = full([Classes.Length, Size], 0.3, ScalarType.Float32, CPU).requires_grad_(true);
        var loss = Compute(Losses[name], UnitRows.Of(outputs));
        loss.backward();
        Assert.IsTrue(outputs.grad!.isfinite().all().item<bool>());
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

    private static double Plain(MetricLoss loss, double[][] rows) => loss switch
    {
        ContrastiveLoss contrastive => PlainMetricLearning.Contrastive(rows, Classes, contrastive.Margin),
        MultiSimilarityLoss similarity => PlainMetricLearning.MultiSimilarity(rows, Classes, similarity),
        NormalizedTemperatureLoss temperature => PlainMetricLearning.NormalizedTemperature(rows, Classes, temperature.Temperature),
        _ => throw new NotSupportedException(),
    };

    private static Tensor Compute(MetricLoss loss, Tensor embeddings) => Compute(loss, embeddings, Classes);

    private static Tensor Compute(MetricLoss loss, Tensor embeddings, int[] classes)
    {
        var cosines = MetricLosses.Cosines(embeddings);
        return MetricLosses.Of(loss, cosines, MetricLosses.SquaredDistances(cosines), LabelsOf(classes));
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
