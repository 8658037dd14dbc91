using Microsoft.ML;
using MLExtensions.Tests.Contract;
using TorchSharp;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>A language model learns, and its training keeps the engine's promises.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class LanguageTrainingTests
{
    private static readonly MLContext Ml = new(1);

    private static readonly string[] Alphabet = Enumerable.Repeat("abcdefgh", 80).ToArray();

    /// <summary>The gradients of the output layer are added by hand: a frozen one has none.</summary>
    [TestMethod]
    [DataRow(null)]
    [DataRow(3)]
    public void FrozenOutput_StaysAsItWas(int? samples)
    {
        using var first = LanguageSample.Fit(Ml, Alphabet[..20], o => (o.Epochs, o.NumberOfSampledTokens) = (1, samples));
        using var second = LanguageSample.Fit(Ml, Alphabet[..20], o => (o.Epochs, o.NumberOfSampledTokens, o.InitialModel, o.FrozenLayers) = (1, samples, first, ["output"]));
        foreach (var name in first.Model.WeightShapes.Keys)
            Assert.AreEqual(name.StartsWith("output", StringComparison.Ordinal), Outcome.SameBits(first.Model.GetWeights(name), second.Model.GetWeights(name)), name);
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(RecurrentCell.Lstm, false, null)]
    [DataRow(RecurrentCell.Gru, true, null)]
    [DataRow(RecurrentCell.Rnn, false, null)]
    [DataRow(RecurrentCell.Lstm, false, 4)]
    [DataRow(RecurrentCell.Lstm, true, 4)]
    public void SureText_IsLearned(RecurrentCell cell, bool tied, int? sampled)
    {
        using var model = LanguageSample.Fit(Ml, Alphabet, o => (o.Cell, o.TieEmbeddings, o.NumberOfSampledTokens, o.Epochs) = (cell, tied, sampled, sampled == null ? 12 : 16));
        var data = LanguageSample.View(Ml, Alphabet[..10]);
        var kind = $"{cell} {(tied ? "tied" : "apart")} {sampled}";
        Floor.Below(1.5, Ml.LanguageModels.EvaluateContinuous(model, data).Perplexity, $"{kind} continuous");
        // Training has no empty beginnings, so that a row's first letter may surprise; guessing gives 8.
        Floor.Below(8, Ml.LanguageModels.Evaluate(model.Transform(data)).Perplexity, $"{kind} rows");
        var other = LanguageSample.Scores(Ml, model.Transform(LanguageSample.View(Ml, "abcdefgh", "hgfedcba", "badcfehg", "acegbdfh")));
        Floor.Above(2, Math.Exp(other[1..].Average(text => Math.Log(text.Perplexity))) / other[0].Perplexity, $"{kind} wrong order");
    }

    /// <summary>Five letters of equal chance: nothing is below 5, and learning comes near it.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Noise_IsNotLearned()
    {
        using var model = LanguageSample.Fit(Ml, Noise(3), o => (o.HiddenUnits, o.NumberOfLayers) = (4, 1));
        Floor.Near(5, Ml.LanguageModels.EvaluateContinuous(model, LanguageSample.View(Ml, Noise(4))).Perplexity, 0.25);

        static string[] Noise(int seed)
        {
            var random = new Random(TestSeed.Of(seed));
            return [string.Concat(Enumerable.Range(0, 4000).Select(_ => (char)('a' + random.Next(5))))];
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void ValidationLoss_IsNearTheContinuousEvaluation()
    {
        using var model = Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => o.Epochs = 2)).Fit(LanguageSample.View(Ml, Alphabet[..20]), LanguageSample.View(Ml, Alphabet[20..60]));
        var loss = model.History.Epochs[^1].ValidationLoss!.Value;
        Floor.Near(loss, Ml.LanguageModels.EvaluateContinuous(model, LanguageSample.View(Ml, Alphabet[20..60])).CrossEntropy, 0.05);
    }

    [TestMethod]
    public void Streaming_SameBitsAsInMemory() =>
        Outcome.AssertSameBits(Train(o => o.ValidationFraction = 0.2), Train(o => (o.ValidationFraction, o.Buffering) = (0.2, Buffering.Streaming)));

    /// <summary>Which tokens are drawn comes from the seed and the epoch.</summary>
    [TestMethod]
    public void SampledTokens_ResumedSameBitsAsInOneGo()
    {
        const int sampled = 3;
        using var folder = new TemporaryFolder();
        using var source = new CancellationTokenSource();
        void CancelInEpochTwo(TrainingProgress progress)
        {
            if (progress.Completed?.Epoch == 2)
                source.Cancel();
        }
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(o => (o.NumberOfSampledTokens, o.CheckpointFolder, o.Progress, o.CancellationToken) = (sampled, folder.Path, new Listener(CancelInEpochTwo), source.Token)));
        var epochs = 0;
        var resumed = Train(o => (o.NumberOfSampledTokens, o.CheckpointFolder, o.ResumeFromCheckpoint, o.Progress) = (sampled, folder.Path, true, new Listener(p => epochs += p.Completed == null ? 0 : 1)));
        Assert.AreEqual(2, epochs, "epochs that were left");
        Outcome.AssertSameBits(Train(o => o.NumberOfSampledTokens = sampled), resumed);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void InitialModel_IsWhereTrainingGoesOn()
    {
        using var first = LanguageSample.Fit(Ml, Alphabet);
        using var same = LanguageSample.Fit(Ml, ["habc"], o => (o.Epochs, o.InitialModel) = (0, first));
        Outcome.AssertSameBits(LanguageSample.Weights(first), LanguageSample.Weights(same));
        using var second = LanguageSample.Fit(Ml, Alphabet, o => (o.Epochs, o.InitialModel) = (1, first));
        Floor.Below(0.2, second.History.Epochs[0].TrainingLoss / first.History.Epochs[0].TrainingLoss);
        var error = Assert.Throws<ArgumentException>(() => LanguageSample.Fit(Ml, Alphabet, o => (o.HiddenUnits, o.InitialModel) = (8, first)));
        Assert.Contains("another architecture", error.Message);
    }

    [TestMethod]
    public void Presets_AreTheBooks()
    {
        AssertPreset(LanguageModelEstimator.Options.Small(), 200, 20, 1, 0.1, 13, 5, [(4, 1), (5, 0.5), (6, 0.25), (13, 1.0 / 512)]);
        AssertPreset(LanguageModelEstimator.Options.Medium(), 650, 35, 0.5, 0.05, 39, 5, [(6, 1), (7, 0.8), (39, Math.Pow(0.8, 33))]);
        AssertPreset(LanguageModelEstimator.Options.Large(), 1500, 35, 0.35, 0.04, 55, 10, [(14, 1), (15, 1 / 1.15), (55, Math.Pow(1 / 1.15, 41))]);
        var characters = LanguageModelEstimator.Options.Characters();
        Assert.AreEqual((128, 2, 50), (characters.HiddenUnits, characters.NumberOfLayers, characters.WindowLength));
        foreach (var options in new[] { characters, LanguageModelEstimator.Options.Small(), LanguageModelEstimator.Options.Medium(), LanguageModelEstimator.Options.Large() })
            Assert.IsNotNull(Ml.LanguageModels.Trainers.Lstm(options));
    }

    [TestMethod]
    public void BadInput_IsNamed()
    {
        var many = Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => o.NumberOfSampledTokens = 500));
        Assert.Contains("NumberOfSampledTokens is 500", Assert.Throws<ArgumentException>(() => many.Fit(LanguageSample.View(Ml, Alphabet))).Message);
        Assert.Contains("all 1 rows of the training data are empty texts", Assert.Throws<ArgumentException>(() => LanguageSample.Fit(Ml, [""])).Message);
        Assert.Contains("all 60 rows of the training data are empty texts", Assert.Throws<ArgumentException>(() => LanguageSample.Fit(Ml, Enumerable.Repeat("", 60))).Message);
        var letters = Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => o.Tokenization = Tokenization.Characters(allowUnknown: false)));
        var error = Assert.Throws<FormatException>(() => letters.Fit(LanguageSample.View(Ml, Alphabet), LanguageSample.View(Ml, "abc", "abq")));
        Assert.Contains("column 'Text', row 1", error.Message);
        Assert.Contains("'q'", error.Message);
    }

    [TestMethod]
    public void SampledTokensAndEvaluation_LeaveNothing()
    {
        AssertNoGrowth(() => Train(o => (o.NumberOfSampledTokens, o.Buffering) = (3, Buffering.Streaming)));
        AssertNoGrowth(() => Assert.Throws<FormatException>(() =>
            Ml.LanguageModels.Trainers.Lstm(LanguageSample.Options(o => o.Tokenization = Tokenization.Characters(allowUnknown: false))).Fit(LanguageSample.View(Ml, Alphabet), LanguageSample.View(Ml, "abq"))));
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        AssertNoGrowth(() => Ml.LanguageModels.EvaluateContinuous(model, LanguageSample.View(Ml, LanguageSample.Noise(100))));
    }

    private static void AssertNoGrowth(Action action)
    {
        action();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        action();
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    private static float[] Train(Action<LanguageModelEstimator.Options> change)
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o =>
        {
            (o.Epochs, o.Dropout) = (4, 0.3);
            change(o);
        });
        return LanguageSample.Weights(model);
    }

    private static void AssertPreset(
        LanguageModelEstimator.Options options, int units, int steps, double keep, double scale, int epochs, double clip, (int Epoch, double Factor)[] rates)
    {
        Assert.AreEqual((2, units, steps, 20, epochs), (options.NumberOfLayers, options.HiddenUnits, options.WindowLength, options.BatchSize, options.Epochs));
        Assert.AreEqual(1 - keep, options.Dropout, 1e-12);
        Assert.AreEqual(scale, options.InitialScale!.Value, 1e-12);
        Assert.AreEqual(0, options.ForgetBias);
        Assert.IsFalse(options.TieEmbeddings);
        // The loss is a mean over the steps here, a sum there.
        Assert.AreEqual(steps, options.LearningRate, 1e-12);
        Assert.AreEqual(clip / steps, options.GradientClipNorm!.Value, 1e-12);
        foreach (var (epoch, factor) in rates)
            Assert.AreEqual(factor, options.LearningRateSchedule.Factor(epoch - 1, epochs), 1e-9, $"epoch {epoch}");
    }
}
