using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace MLExtensions.Tests.Generative;

/// <summary>The Fréchet distance against closed forms and an independent computation, and what raises it.</summary>
[TestClass]
public sealed class FrechetDistanceTests
{
    private const int Side = 8;

    private static readonly float[][] Digits = GenerativeSample.Digits().Select(digit => digit.Pixels).ToArray();

    private readonly MLContext _ml = new(1);

    /// <summary>The value was computed with 60 digits, with the square root of Denman and Beavers instead of eigenvalues.</summary>
    [TestMethod]
    public void Distance_IsThatOfAnIndependentComputation()
    {
        var metrics = Evaluate(Formula(40, 1), Formula(50, 2));
        Assert.AreEqual(20.738509966613, metrics.FrechetDistance, 1e-9);
        Assert.AreEqual(19.113025, metrics.SquaredDistanceOfMeans, 1e-9);
        Assert.AreEqual((40, 50, 6), (metrics.NumberOfRealRows, metrics.NumberOfGeneratedRows, metrics.NumberOfFeatures));
        Assert.AreEqual(20.738509966613, Evaluate(Formula(50, 2), Formula(40, 1)).FrechetDistance, 1e-9, "it is symmetric");
    }

    /// <summary>A large common offset costs no digits.</summary>
    [TestMethod]
    public void Offset_ChangesNothing()
    {
        float[][] Moved(float[][] rows) => rows.Select(row => row.Select(value => value + 100_000).ToArray()).ToArray();
        Assert.AreEqual(20.738509966613, Evaluate(Moved(Formula(40, 1)), Moved(Formula(50, 2))).FrechetDistance, 1e-6);
    }

    /// <summary>Of diagonal covariances: the sum of (m1 - m2)² + (s1 - s2)². A direction without variance is one of them.</summary>
    [TestMethod]
    public void DiagonalCovariances_HaveAClosedForm()
    {
        double[] first = [1, 2, 0.5, 0], second = [3, 2, 0.25, 1.5], means = [0.5, -1, 0, 2];
        var metrics = Evaluate(Cross(first, [0, 0, 0, 0]), Cross(second, means));
        var factor = 2.0 / 7; // 8 rows: the sum of squares of a direction is 2 s², divided by 8 - 1
        var expected = means.Sum(mean => mean * mean) + first.Zip(second, (a, b) => (a - b) * (a - b) * factor).Sum();
        Assert.AreEqual(expected, metrics.FrechetDistance, 1e-6);
    }

    [TestMethod]
    public void SameRows_HaveDistanceZero() => Assert.AreEqual(0, Evaluate(Digits, Digits).FrechetDistance, 1e-4);

    [TestMethod]
    [DataRow("noise")]
    [DataRow("blur")]
    [DataRow("occlusion")]
    public void Damage_RaisesTheDistanceEachTime(string kind)
    {
        var (real, others) = (Digits[..800], Digits[800..1600]);
        var distances = Enumerable.Range(0, 4).Select(level => Evaluate(real, others.Select((row, i) => Damaged(row, kind, level, i)).ToArray()).FrechetDistance).ToArray();
        for (var level = 1; level < distances.Length; level++)
            Assert.IsGreaterThan(1.15 * distances[level - 1], distances[level], $"{kind}: {string.Join(", ", distances)}");
    }

    /// <summary>As many rows of each: what bias there is cancels.</summary>
    [TestMethod]
    public void Floor_IsTheDistanceOfOtherRealRows()
    {
        var good = Evaluate(Digits[..1000], Digits[1000..1700]).Floor!;
        Assert.AreEqual(500, good.NumberOfRows);
        Assert.AreEqual(1, good.Ratio, 0.25, good.ToString());
        Assert.IsGreaterThan(10, good.RealDistance, "biased by the few rows");
        Assert.IsGreaterThan(2, Evaluate(Digits[..1000], Digits[1000..1700].Select((row, i) => Damaged(row, "noise", 2, i)).ToArray()).Floor!.Ratio);
        Assert.AreEqual(300, Evaluate(Digits[..1000], Digits[1000..1300]).Floor!.NumberOfRows, "never more than there are samples");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void OtherReal_GivesTheFloorAllRows()
    {
        var metrics = _ml.GenerativeModels.Evaluate(View(Digits[..500]), View(Digits[500..1000]), otherReal: View(Digits[1000..1500]));
        Assert.AreEqual(500, metrics.Floor!.NumberOfRows);
        Assert.AreEqual(metrics.FrechetDistance, metrics.Floor.GeneratedDistance, 1e-6);
        Assert.AreEqual(Evaluate(Digits[..500], Digits[1000..1500]).FrechetDistance, metrics.Floor.RealDistance, 1e-6);
    }

    [TestMethod]
    public void Seed_DividesTheRealRows()
    {
        double Floor(int seed) => _ml.GenerativeModels.Evaluate(View(Digits[..300]), View(Digits[300..600]), seed: seed).Floor!.RealDistance;
        Assert.AreEqual(Floor(1), Floor(1));
        Assert.AreNotEqual(Floor(1), Floor(2));
    }

    [TestMethod]
    public void FewRows_AreWarnedAbout()
    {
        var messages = new List<string>();
        _ml.Log += (_, log) =>
        {
            if (log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                messages.Add(log.Message);
        };
        Assert.IsNull(Evaluate(Digits[..3], Digits[3..5]).Floor);
        Assert.IsTrue(messages.Any(message => message.Contains("(real: 3, generated: 2) of 64 features")), string.Join("\n", messages));
        Assert.IsTrue(messages.Any(message => message.Contains("There is no real-against-real floor")), string.Join("\n", messages));
        messages.Clear();
        Evaluate(Digits[..200], Digits[200..300]);
        Assert.IsEmpty(messages);
    }

    [TestMethod]
    public void Vectors_MayBeSparse()
    {
        var sparse = Formula(40, 1).Select(row => new GenerativeSample { Features = Sparse(row) }).ToArray();
        var schema = SchemaDefinition.Create(typeof(GenerativeSample));
        schema[nameof(GenerativeSample.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 6);
        Assert.AreEqual(20.738509966613, _ml.GenerativeModels.Evaluate(_ml.Data.LoadFromEnumerable(sparse, schema), View(Formula(50, 2))).FrechetDistance, 1e-9);
    }

    /// <summary>Tensors of the evaluation do not outlive it, whether it succeeds or not.</summary>
    [TestMethod]
    public void Evaluations_LeaveNothing()
    {
        var bad = Digits[..1500].Select(row => row.ToArray()).ToArray();
        bad[1400][3] = float.NaN;
        void AssertNoGrowth(Action action)
        {
            action();
            var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            action();
            Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        }
        AssertNoGrowth(() => Evaluate(Digits[..1500], Digits[..1500]));
        AssertNoGrowth(() => _ml.GenerativeModels.EvaluateNearest(View(Digits[..1500]), View(Digits[..1500]), View(Digits[..100])));
        AssertNoGrowth(() => _ml.GenerativeModels.EvaluateMixture(View(Digits[..1500]), [Digits[0]], 1));
        AssertNoGrowth(() => Assert.Throws<FormatException>(() => Evaluate(Digits[..1500], bad)));
        AssertNoGrowth(() => Assert.Throws<FormatException>(() => _ml.GenerativeModels.EvaluateNearest(View(bad), View(Digits[..1500]), View(Digits[..100]))));
        AssertNoGrowth(() => Assert.Throws<FormatException>(() => _ml.GenerativeModels.EvaluateNearest(View(Digits[..1500]), View(Digits[..1500]), View(bad))));
    }

    /// <summary>What the program has set for all of torch neither changes a result nor is changed.</summary>
    [TestMethod]
    public void HostState_ChangesNothing()
    {
        var before = (Evaluate(Digits[..300], Digits[300..600]).ToString(), _ml.GenerativeModels.EvaluateNearest(View(Digits[..300]), View(Digits[300..600])).ToString());
        using (torch.inference_mode())
        {
            var device = torch.get_default_device();
            torch.set_default_dtype(torch.ScalarType.Float64);
            torch.set_default_device(new torch.Device(DeviceType.META)); // a tensor without a device of its own has no values there
            try
            {
                var within = (Evaluate(Digits[..300], Digits[300..600]).ToString(), _ml.GenerativeModels.EvaluateNearest(View(Digits[..300]), View(Digits[300..600])).ToString());
                Assert.AreEqual(before, within);
                Assert.IsTrue(torch.is_inference_mode_enabled());
            }
            finally
            {
                torch.set_default_dtype(torch.ScalarType.Float32);
                torch.set_default_device(device);
            }
        }
        Assert.IsFalse(torch.is_inference_mode_enabled());
        Assert.IsTrue(torch.is_grad_enabled());
    }

    private GenerativeMetrics Evaluate(float[][] real, float[][] generated) => _ml.GenerativeModels.Evaluate(View(real), View(generated));

    private IDataView View(float[][] rows) => GenerativeSample.View(_ml, rows);

    private static float[][] Formula(int rows, int k) => Enumerable.Range(0, rows)
        .Select(i => Enumerable.Range(0, 6).Select(j => (((i * 37) + (j * j * 11) + (i * j * 5 * k) + (k * i * i)) % 23 / 4f) + (k * j / 2f)).ToArray()).ToArray();

    /// <summary>Two rows in each direction, on both sides of the mean.</summary>
    private static float[][] Cross(double[] deviations, double[] means) => deviations.SelectMany((deviation, direction) => new[] { deviation, -deviation }
        .Select(step => means.Select((mean, i) => (float)(mean + (i == direction ? step : 0))).ToArray())).ToArray();

    private static VBuffer<float> Sparse(float[] row)
    {
        var indices = Enumerable.Range(0, row.Length).Where(i => row[i] != 0).ToArray();
        return new VBuffer<float>(row.Length, indices.Length, indices.Select(i => row[i]).ToArray(), indices);
    }

    private static float[] Damaged(float[] row, string kind, int level, int seed)
    {
        var random = new Random(seed);
        return kind switch
        {
            "noise" => row.Select(value => value + (float)(level * 2 * (random.NextDouble() + random.NextDouble() - 1))).ToArray(),
            "blur" => Enumerable.Range(0, level).Aggregate(row, (image, _) => Blurred(image)),
            _ => row.Select((value, i) => i % Side is >= 2 and < 6 && i / Side < 2 * level ? 0 : value).ToArray(), // more and more of the middle
        };
    }

    /// <summary>Each pixel becomes the mean of those around it.</summary>
    private static float[] Blurred(float[] image) => Enumerable.Range(0, image.Length).Select(i =>
        Enumerable.Range(0, image.Length).Where(j => Math.Abs((i % Side) - (j % Side)) <= 1 && Math.Abs((i / Side) - (j / Side)) <= 1).Average(j => image[j])).ToArray();
}
