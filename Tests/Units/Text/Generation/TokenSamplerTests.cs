namespace MLExtensions.Tests.Text.Generation;

[TestClass]
public sealed class TokenSamplerTests
{
    private const int Draws = 20_000;

    private static readonly double[] Probabilities = [0.4, 0.1, 0.25, 0.05, 0.2];

    [TestMethod]
    public void Draws_FollowTheSoftmax() => Distribution(new GenerationOptions(), Probabilities);

    [TestMethod]
    public void Temperature_SharpensOrFlattens()
    {
        Distribution(new GenerationOptions { Temperature = 0.5 }, Normalized(p => p * p));
        Distribution(new GenerationOptions { Temperature = 2 }, Normalized(Math.Sqrt));
    }

    [TestMethod]
    public void TopK_CutsExactly()
    {
        Distribution(new GenerationOptions { TopK = 3 }, [0.4 / 0.85, 0, 0.25 / 0.85, 0, 0.2 / 0.85]);
        Distribution(new GenerationOptions { TopK = 1 }, [1, 0, 0, 0, 0]);
        Distribution(new GenerationOptions { TopK = 50 }, Probabilities);
    }

    [TestMethod]
    public void TopK_OfEqualOnes_TakesTheFirst()
    {
        var frequencies = Frequencies(new GenerationOptions { TopK = 3 }, [1, 2, 1, 1, 0]);
        CollectionAssert.AreEqual(new[] { true, true, true, false, false }, frequencies.Select(frequency => frequency > 0).ToArray());
    }

    [TestMethod]
    public void TopP_TakesTheFewestThatMakeIt()
    {
        Distribution(new GenerationOptions { TopP = 0.3 }, [1, 0, 0, 0, 0]);
        Distribution(new GenerationOptions { TopP = 0.41 }, [0.4 / 0.65, 0, 0.25 / 0.65, 0, 0]);
        Distribution(new GenerationOptions { TopP = 0.86 }, [0.4 / 0.95, 0.1 / 0.95, 0.25 / 0.95, 0, 0.2 / 0.95]);
        Distribution(new GenerationOptions { TopP = 1 }, Probabilities);
        Distribution(new GenerationOptions { TopP = 1e-9 }, [1, 0, 0, 0, 0]);
        // of the 3 likeliest, whose probabilities are .47, .29 and .24
        Distribution(new GenerationOptions { TopK = 3, TopP = 0.7 }, [0.4 / 0.65, 0, 0.25 / 0.65, 0, 0]);
    }

    [TestMethod]
    public void TemperatureZero_TakesTheLikeliest()
    {
        Distribution(new GenerationOptions { Temperature = 0 }, [1, 0, 0, 0, 0]);
        Assert.AreEqual(1, new TokenSampler(new GenerationOptions { Temperature = 0 }, 1).Next([1, 3, 3], []));
        Distribution(new GenerationOptions { Temperature = 1e-300 }, [1, 0, 0, 0, 0]);
    }

    [TestMethod]
    public void RepetitionPenalty_LowersRecentOnesOnce()
    {
        var options = new GenerationOptions { RepetitionPenalty = 2, RepetitionWindow = 3 };
        var sampler = new TokenSampler(options, 1);
        var logits = new float[5];
        for (var i = 0; i < 2; i++)
        {
            new float[] { 4, -4, 3, 2, 1 }.CopyTo(logits, 0);
            sampler.Next(logits, [3, 0, 0, 1]);
            CollectionAssert.AreEqual(new float[] { 2, -8, 3, 2, 1 }, logits);
        }
        Assert.AreEqual(2, new TokenSampler(options with { Temperature = 0 }, 1).Next([4, -4, 3, 2, 1], [0]));
        Assert.AreEqual(0, new TokenSampler(options with { Temperature = 0, RepetitionWindow = 0 }, 1).Next([4, -4, 3, 2, 1], [0]));
    }

    [TestMethod]
    public void SameSeed_SameDraws()
    {
        CollectionAssert.AreEqual(Series(5), Series(5));
        CollectionAssert.AreNotEqual(Series(5), Series(6));

        static int[] Series(int seed)
        {
            var sampler = new TokenSampler(new GenerationOptions(), seed);
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Next(Logits(), []))];
        }
    }

    [TestMethod]
    public void SelectionAgreesWithSorting()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 300; trial++)
        {
            var values = Enumerable.Range(0, random.Next(1, 60)).Select(_ => (float)random.Next(-20, 20)).ToArray();
            var sorted = values.OrderDescending().ToArray();
            for (var rank = 1; rank <= values.Length; rank++)
                Assert.AreEqual(sorted[rank - 1], QuickSelect.Greatest(values, rank));
        }
    }

    [TestMethod]
    public void TopP_AgreesWithSortingAll()
    {
        var random = new SplitMix64(7);
        for (var trial = 0; trial < 20; trial++)
        {
            var logits = Enumerable.Range(0, 300).Select(_ => (float)(6 * random.NextDouble())).ToArray();
            var weights = logits.Select(logit => Math.Exp(logit)).ToArray();
            var share = 0.05 + (0.9 * random.NextDouble());
            var sum = 0.0;
            var nucleus = Enumerable.Range(0, 300).OrderByDescending(i => weights[i])
                .TakeWhile(i => (sum += weights[i]) - weights[i] < share * weights.Sum()).ToHashSet();
            var sampler = new TokenSampler(new GenerationOptions { TopP = share }, trial);
            for (var draw = 0; draw < 500; draw++)
                Assert.Contains(sampler.Next([.. logits], []), nucleus);
        }
    }

    [TestMethod]
    public void NotANumber_IsRefused()
    {
        var sampler = new TokenSampler(new GenerationOptions(), 1);
        Assert.Contains("token 1 is NaN", Assert.ThrowsExactly<InvalidOperationException>(() => sampler.Next([1, float.NaN], [])).Message);
        Assert.ThrowsExactly<InvalidOperationException>(() => sampler.Next([float.NaN, 1], []));
        Assert.ThrowsExactly<InvalidOperationException>(() => sampler.Next([float.PositiveInfinity, 1], []));
        Assert.ThrowsExactly<InvalidOperationException>(() => sampler.Next([float.NegativeInfinity, float.NegativeInfinity], []));
        Assert.AreEqual(1, sampler.Next([float.NegativeInfinity, 1], []));
    }

    [TestMethod]
    public void ADraw_AllocatesNothing()
    {
        var sampler = new TokenSampler(new GenerationOptions { TopK = 40, TopP = 0.9, RepetitionPenalty = 1.2 }, 1);
        var logits = new float[1000];
        int[] recent = [1, 2, 3];
        sampler.Next(logits, recent);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            sampler.Next(logits, recent);
        Assert.AreEqual(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void Distribution(GenerationOptions options, double[] expected)
    {
        var frequencies = Frequencies(options, Logits());
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] is 0 or 1)
                Assert.AreEqual(expected[i], frequencies[i]);
            else
                Assert.AreEqual(expected[i], frequencies[i], 0.015); // four standard deviations
        }
    }

    private static double[] Frequencies(GenerationOptions options, float[] logits)
    {
        var sampler = new TokenSampler(options, 3);
        var frequencies = new double[logits.Length];
        for (var i = 0; i < Draws; i++)
            frequencies[sampler.Next([.. logits], [])] += 1.0 / Draws;
        return [.. frequencies.Select(frequency => Math.Round(frequency, 9))];
    }

    private static float[] Logits() => [.. Probabilities.Select(p => (float)Math.Log(p) + 3)];

    private static double[] Normalized(Func<double, double> weigh)
    {
        var weights = Probabilities.Select(weigh).ToArray();
        return [.. weights.Select(weight => weight / weights.Sum())];
    }
}
