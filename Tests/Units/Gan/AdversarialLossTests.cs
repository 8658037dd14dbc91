using MLExtensions.Families.Gan;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Gan;

/// <summary>The losses of both networks against numbers computed by hand.</summary>
[TestClass]
public sealed class AdversarialLossTests
{
    // -log sigmoid(0) = log 2, -log sigmoid(log 3) = log(4/3).
    private const double Log2 = 0.6931472;
    private const double Log4Thirds = 0.2876821;
    private const float Log3 = 1.0986123f;

    private DisposeScope _scope = null!;

    [TestInitialize]
    public void Open() => _scope = NewDisposeScope();

    [TestCleanup]
    public void Close() => _scope.Dispose();

    [TestMethod]
    [DataRow(AdversarialLoss.NonSaturating, 2 * Log2, Log2)]
    [DataRow(AdversarialLoss.Minimax, 2 * Log2, -Log2)]
    [DataRow(AdversarialLoss.LeastSquares, 0.5, 0.5)]
    [DataRow(AdversarialLoss.Hinge, 2, 0)]
    [DataRow(AdversarialLoss.WassersteinGradientPenalty, 0, 0)]
    public void DiscriminatorThatKnowsNothing_LossesOfLogitsOfZero(AdversarialLoss loss, double discriminator, double generator)
    {
        AssertNear(discriminator, AdversarialLosses.OfDiscriminator(loss, Logits(0, 0), Logits(0, 0), 0));
        AssertNear(generator, AdversarialLosses.OfGenerator(loss, Logits(0, 0)));
    }

    /// <summary>Real: right with 1/2 and 3/4. Generated: the same; the generator is right with 1/2 and 1/4.</summary>
    [TestMethod]
    public void CrossEntropy_MeansOfBothHalves()
    {
        foreach (var loss in new[] { AdversarialLoss.NonSaturating, AdversarialLoss.Minimax })
            AssertNear(Log2 + Log4Thirds, AdversarialLosses.OfDiscriminator(loss, Logits(0, Log3), Logits(0, -Log3), 0));
        // Real rows alone decide about their half: log 4 where sigmoid is 1/4.
        AssertNear(((2 * Log2) + Log2 + Log2 + Log4Thirds) / 2, AdversarialLosses.OfDiscriminator(AdversarialLoss.NonSaturating, Logits(-Log3, 0), Logits(0, -Log3), 0));
        AssertNear((Log2 + (2 * Log2)) / 2, AdversarialLosses.OfGenerator(AdversarialLoss.NonSaturating, Logits(0, -Log3)));
        AssertNear(-(Log2 + Log4Thirds) / 2, AdversarialLosses.OfGenerator(AdversarialLoss.Minimax, Logits(0, -Log3)));
    }

    /// <summary>The answer 0.9 at 3/4: 0.9 log(4/3) + 0.1 log 4. Generated rows keep the answer 0.</summary>
    [TestMethod]
    public void SmoothedCrossEntropy_OnlyOfRealRows()
    {
        const double Real = (0.9 * Log4Thirds) + (0.1 * 2 * Log2);
        foreach (var loss in new[] { AdversarialLoss.NonSaturating, AdversarialLoss.Minimax })
        {
            AssertNear(Real + Log4Thirds, AdversarialLosses.OfDiscriminator(loss, Logits(Log3), Logits(-Log3), 0.1));
            // At 0 both answers cost the same.
            AssertNear(2 * Log2, AdversarialLosses.OfDiscriminator(loss, Logits(0), Logits(0), 0.1));
        }
        // The best logit is no longer infinite: log(0.9 / 0.1).
        using var logit = Logits((float)Math.Log(9)).requires_grad_(true);
        AdversarialLosses.OfDiscriminator(AdversarialLoss.NonSaturating, logit, Logits(0), 0.1).backward();
        Assert.AreEqual(0, logit.grad!.item<float>(), 1e-6);
    }

    /// <summary>Real: (1 + 0) / 2. Generated: (1 + 9) / 2. Half of both.</summary>
    [TestMethod]
    public void LeastSquares_HalfTheDistances()
    {
        AssertNear(2.75, AdversarialLosses.OfDiscriminator(AdversarialLoss.LeastSquares, Logits(2, 1), Logits(1, -3), 0));
        // The answer 0.8: (1.44 + 0.04) / 2 instead of 0.5.
        AssertNear(2.87, AdversarialLosses.OfDiscriminator(AdversarialLoss.LeastSquares, Logits(2, 1), Logits(1, -3), 0.2));
        AssertNear(2, AdversarialLosses.OfGenerator(AdversarialLoss.LeastSquares, Logits(3, -1)));
    }

    /// <summary>Real: (0 + 2 + 0.5) / 3. Generated: (0 + 2 + 1) / 3.</summary>
    [TestMethod]
    public void Hinge_NothingBeyondTheMargin()
    {
        AssertNear(5.5 / 3, AdversarialLosses.OfDiscriminator(AdversarialLoss.Hinge, Logits(2, -1, 0.5f), Logits(-2, 1, 0), 0));
        AssertNear(0, AdversarialLosses.OfDiscriminator(AdversarialLoss.Hinge, Logits(1, 5), Logits(-1, -7), 0));
        AssertNear(1.0 / 3, AdversarialLosses.OfGenerator(AdversarialLoss.Hinge, Logits(-2, 1, 0)));
    }

    [TestMethod]
    public void Wasserstein_DifferenceOfMeans()
    {
        AssertNear(-1.5, AdversarialLosses.OfDiscriminator(AdversarialLoss.WassersteinGradientPenalty, Logits(3, 1), Logits(-1, 2), 0));
        AssertNear(-0.5, AdversarialLosses.OfGenerator(AdversarialLoss.WassersteinGradientPenalty, Logits(-1, 2)));
    }

    /// <summary>Where the discriminator is sure, the one still learns: sigmoid - 1. The other does not: -sigmoid.</summary>
    [TestMethod]
    [DataRow(AdversarialLoss.NonSaturating, -0.9999546)]
    [DataRow(AdversarialLoss.Minimax, -4.5397869e-5)]
    public void GradientWhereTheDiscriminatorWins_AsTheNameSays(AdversarialLoss loss, double expected)
    {
        var logit = Logits(-10).requires_grad_(true);
        AdversarialLosses.OfGenerator(loss, logit).backward();
        Assert.AreEqual(expected, logit.grad!.item<float>(), Math.Abs(expected) * 1e-5);
    }

    /// <summary>Least squares decides at 0.5, between its answers; all others at 0.</summary>
    [TestMethod]
    [DataRow(AdversarialLoss.NonSaturating, 0.75, 0.5)]
    [DataRow(AdversarialLoss.Hinge, 0.75, 0.5)]
    [DataRow(AdversarialLoss.LeastSquares, 0.25, 0.75)]
    public void ShareRight_OnTheRightSideOfTheLimit(AdversarialLoss loss, double ofReal, double ofGenerated)
    {
        Assert.AreEqual(ofReal, AdversarialLosses.ShareRight(Logits(0.2f, 0.4f, 3, -1), Logits(0.2f, 1, -1, -2), loss, out var right));
        Assert.AreEqual(ofGenerated, right);
    }

    /// <summary>A linear discriminator has the same slope everywhere, (3, 4): its length is 5, the penalty 4^2, and its slope 2 x 4 x (0.6, 0.8).</summary>
    [TestMethod]
    public void GradientPenalty_OfALinearDiscriminator_AndItsOwnGradient()
    {
        var weight = tensor([3f, 4f]).unsqueeze(1).requires_grad_(true);
        var penalty = AdversarialLosses.GradientPenalty(input => input.matmul(weight), rand(5, 2), rand(5, 2), 2, null);
        AssertNear(16, penalty, 2e-5);
        penalty.backward();
        Assert.AreEqual(4.8, weight.grad![0, 0].item<float>(), 1e-5);
        Assert.AreEqual(6.4, weight.grad[1, 0].item<float>(), 1e-5);
    }

    /// <summary>The slope of |x|^2 / 2 is x: lengths 5 and 13 give the mean of 4^2 and 12^2, not the square of a mean.</summary>
    [TestMethod]
    public void GradientPenalty_MeanOverRows()
    {
        var points = tensor(new float[,] { { 3, 4 }, { 5, 12 } });
        AssertNear(80, AdversarialLosses.GradientPenalty(HalfSquare, points, points, 2, null), 1e-4);
    }

    /// <summary>
    /// Between 2 and 10, a row's length is 2 + 8u for an even u, and the mean of (1 + 8u)^2 is (9^3 - 1) / 24. One place for all rows would be
    /// somewhere else; of 4,000 places the mean has a deviation of 0.37.
    /// </summary>
    [TestMethod]
    public void GradientPenalty_EachRowAtItsOwnPlaceBetween()
    {
        const int Rows = 4000;
        using var random = new Generator(1, CPU);
        var penalty = AdversarialLosses.GradientPenalty(HalfSquare, full([Rows, 1], 10f), full([Rows, 1], 2f), 1, random);
        Assert.AreEqual(728.0 / 24, penalty.item<float>(), 2);
    }

    /// <summary>A discriminator without any slope has a penalty of 1 and a gradient that is a number.</summary>
    [TestMethod]
    public void GradientPenalty_WithoutSlope_StaysFinite()
    {
        var weight = zeros(2, 1).requires_grad_(true);
        var penalty = AdversarialLosses.GradientPenalty(input => input.matmul(weight), rand(3, 2), rand(3, 2), 2, null);
        AssertNear(1, penalty, 1e-5);
        penalty.backward();
        Assert.IsTrue(weight.grad!.isfinite().all().item<bool>());
    }

    private static Tensor HalfSquare(Tensor input) => input.pow(2).sum(1, keepdim: true) / 2;

    private static Tensor Logits(params float[] values) => tensor(values).unsqueeze(1);

    private static void AssertNear(double expected, Tensor actual, double tolerance = 1e-6) => Assert.AreEqual(expected, actual.item<float>(), tolerance);
}
