using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Several ranks train what one does with the same batches. Here they are threads.</summary>
[TestClass]
public sealed class RankTests
{
    private const int Rows = 128;
    private const int Batch = 32;

    /// <summary>Batch statistics, losses that compare the rows of a batch, and batches of classes differ with the rows of a rank.</summary>
    public static IEnumerable<object[]> RowWiseNames => Subjects.NetworkNames.Where(row => row[0] is not ("ResNetRegression" or "FastStyle" or "AdaptiveStyle" or "EmbeddingCenters"));

    [TestMethod]
    [DynamicData(nameof(RowWiseNames))]
    public void TwoAndFourRanks_WeightsOfOne(string name)
    {
        var one = Train(name, null);
        foreach (var count in new[] { 2, 4 })
        {
            var all = ThreadRanks.Run(count, distributed => Train(name, distributed));
            foreach (var weights in all.Skip(1))
                Outcome.AssertSameBits(all[0], weights);
            Assert.IsLessThan(1e-5f, Difference(one, all[0]), $"{count} ranks");
        }
    }

    /// <summary>Networks without ReLU, at whose kink rounding can grow to anything.</summary>
    [TestMethod]
    [DataRow("CnnMulticlass", 75)]
    [DataRow("MlpMulticlass", 75)]
    public void SynchronizedBatchNormalization_WeightsOfOne(string name, int epochs)
    {
        var one = Train(name, null, Change);
        foreach (var count in new[] { 2, 4 })
        {
            var all = ThreadRanks.Run(count, distributed => Train(name, distributed with { SynchronizeBatchNormalization = true }, Change));
            Outcome.AssertSameBits(all[0], all[1]);
            Assert.IsLessThan(1e-4f, Difference(one, all[0]), $"{count} ranks");
        }
        var apart = ThreadRanks.Run(2, distributed => Train(name, distributed, Change));
        Assert.IsGreaterThan(1e-3f, Difference(one, apart[0]), "statistics of each rank");

        void Change(DataTrainingOptions options)
        {
            // Adam would make steps of the rounding of gradients that are 0: those of biases before a normalization.
            (options.Epochs, options.Optimizer) = (epochs, new SgdOptimizer());
            if (options is CnnMulticlassTrainer.Options convolutional)
                convolutional.Layers = [new ConvolutionLayer(4, 3), new BatchNormalizationLayer(), new ActivationLayer(Activation.Tanh), new DenseLayer()];
            if (options is MlpMulticlassTrainer.Options perceptron)
                (perceptron.HiddenLayers, perceptron.Activation, perceptron.BatchNormalization) = ([16, 8], Activation.Tanh, true);
        }
    }

    [TestMethod]
    [DataRow("Rbm")]
    [DataRow("StackedRbm")]
    public void PersistentChainsAndSparsity_WeightsOfOne(string name)
    {
        var one = Train(name, null, Change);
        foreach (var count in new[] { 2, 4 })
        {
            var all = ThreadRanks.Run(count, distributed => Train(name, distributed, Change));
            Outcome.AssertSameBits(all[0], all[1]);
            Assert.IsLessThan(1e-5f, Difference(one, all[0]), $"{count} ranks");
        }

        static void Change(DataTrainingOptions options) =>
            (((RbmEstimator.Options)options).PersistentChains, ((RbmEstimator.Options)options).SparsityTarget) = (10, 0.1);
    }

    [TestMethod]
    [DataRow("MlpMulticlass")]
    [DataRow("Rbm")]
    [DataRow("Gan")]
    public void ScaledLearningRates_AllOfThemTimesTheRanks(string name)
    {
        var one = Train(name, null, options => Set(options, .002, .0006));
        var two = ThreadRanks.Run(2, distributed => Train(name, distributed with { ScaleLearningRate = true }, options => Set(options, .001, .0003)));
        Assert.IsLessThan(1e-5f, Difference(one, two[0]));

        static void Set(DataTrainingOptions options, double rate, double discriminatorRate)
        {
            options.LearningRate = rate;
            if (options is GanOptions gan)
                gan.DiscriminatorLearningRate = discriminatorRate;
            if (options is RbmEstimator.Options machine)
                machine.HiddenLayers = [new RbmLayer(5) { LearningRate = rate * 2 }];
        }
    }

    [TestMethod]
    public void SynchronizedBatchNormalization_ResNetIsNearThatOfOne()
    {
        var one = Train("ResNetRegression", null);
        float[] Of(bool isSynchronized) => ThreadRanks.Run(2, distributed => Train("ResNetRegression", distributed with { SynchronizeBatchNormalization = isSynchronized }))[1];
        Assert.IsLessThan(0.1f * Difference(one, Of(false)), Difference(one, Of(true)));
    }

    [TestMethod]
    public void OneRowARank_IsRefusedWhereNormalizationNeedsMore()
    {
        var apart = ThreadRanks.Try(4, distributed => Train("MlpMulticlass", distributed, Change));
        Assert.IsTrue(apart.All(result => result.Error!.Message.Contains("BatchSize is 1 on each rank (or set Distributed.SynchronizeBatchNormalization); it must be at least 2", StringComparison.Ordinal)));
        var one = Train("MlpMulticlass", null, Change);
        var all = ThreadRanks.Run(4, distributed => Train("MlpMulticlass", distributed with { SynchronizeBatchNormalization = true }, Change));
        Assert.IsLessThan(1e-4f, Difference(one, all[0]));

        static void Change(DataTrainingOptions options)
        {
            (options.Epochs, options.GlobalBatchSize, options.Optimizer) = (1, 4, new SgdOptimizer());
            ((MlpMulticlassTrainer.Options)options).BatchNormalization = true;
        }
    }

    [TestMethod]
    public void FewerRowsThanRanks_AreRefused()
    {
        var subject = Subjects.Training("MlpMulticlass");
        var results = ThreadRanks.Try(4, distributed =>
        {
            using var model = subject.Fit(subject.Rows(3), options => (options.Epochs, options.GlobalBatchSize, options.Distributed) = (1, 8, distributed), noisy: false, new MLContext(1));
            return 0;
        });
        Assert.IsTrue(results.All(result => result.Error!.Message.Contains("The training data has 3 rows or sequences, too few for 4 ranks", StringComparison.Ordinal)));
    }

    /// <summary>Families that do the same with each row, whatever batch it is in. Generators draw noise for each batch; streams of text begin elsewhere.</summary>
    public static IEnumerable<object[]> RowsAloneNames => RowWiseNames.Where(row => row[0] is not ("Gan" or "Dcgan" or "ConditionalGan" or "LanguageModel"));

    /// <summary>All rows make one update, however they are divided into batches.</summary>
    [TestMethod]
    [DynamicData(nameof(RowsAloneNames))]
    public void AccumulatedGradients_WeightsOfOneLargeBatch(string name)
    {
        var whole = Train(name, null, options => (options.GlobalBatchSize, options.Optimizer) = (Rows, new SgdOptimizer()));
        var parts = Train(name, null, options => (options.GlobalBatchSize, options.Optimizer, options.GradientAccumulationSteps) = (10, new SgdOptimizer(), 1000));
        Assert.IsLessThan(1e-5f, Difference(whole, parts));
    }

    [TestMethod]
    [DataRow("MlpMulticlass")]
    [DataRow("CnnBinary")]
    [DataRow("Autoencoder")]
    public void AccumulatedGradients_OneUpdateForSoManyBatches(string name)
    {
        var whole = Train(name, null);
        Assert.IsLessThan(1e-5f, Difference(whole, Train(name, null, options => (options.GlobalBatchSize, options.GradientAccumulationSteps) = (Batch / 4, 4))));
        var ranks = ThreadRanks.Run(2, distributed => Train(name, distributed, options => (options.GlobalBatchSize, options.GradientAccumulationSteps) = (Batch / 4, 4)));
        Assert.IsLessThan(1e-5f, Difference(whole, ranks[0]), "2 ranks");
    }

    [TestMethod]
    [DataRow("ResNetRegression")]
    [DataRow("FastStyle")]
    [DataRow("AdaptiveStyle")]
    public void WhatDependsOnTheRowsOfABatch_SameOnAllRanks(string name)
    {
        var all = ThreadRanks.Run(2, distributed => Train(name, distributed));
        Outcome.AssertSameBits(all[0], all[1]);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void BadRowOnOneRank_EndsAll(string name)
    {
        var subject = Subjects.Training(name);
        var tooFew = name == "EmbeddingCenters"; // its rows have three classes
        var results = ThreadRanks.Try(2, distributed =>
        {
            using var model = subject.Fit(subject.Rows(Rows), options =>
            {
                (options.Epochs, options.GlobalBatchSize, options.Seed, options.Distributed) = (1, Batch, 7, distributed);
                options.Progress = distributed.IsMain ? new Failing() : null;
            }, noisy: false, new MLContext(1));
            return 0;
        });
        Assert.Contains(tooFew ? "too few for 2 ranks" : "on purpose", results[0].Error!.Message);
        Assert.IsTrue(tooFew || results[1].Error is DistributedException);
        Assert.Contains(tooFew ? "too few for 2 ranks" : "Rank 0 ended the training: on purpose", results[1].Error!.Message);
    }

    [TestMethod]
    public void NoSeedAtAll_OneForAllRanks()
    {
        var subject = Subjects.Training("MlpMulticlass");
        var all = ThreadRanks.Run(2, distributed =>
        {
            using var model = subject.Fit(subject.Rows(Rows), options => (options.Epochs, options.Seed, options.Distributed) = (2, null, distributed), noisy: true, new MLContext());
            return Outcome.Weights(model);
        });
        Outcome.AssertSameBits(all[0], all[1]);
    }

    private static float Difference(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b) / (1 + Math.Abs(a))).Max();

    private static float[] Train(string name, Distributed? distributed, Action<DataTrainingOptions>? change = null)
    {
        var subject = Subjects.Training(name);
        // A series has a window fewer than rows.
        using var model = subject.Fit(subject.Rows(name == "Forecast" ? Rows + 1 : Rows), options =>
        {
            (options.Epochs, options.GlobalBatchSize, options.ThreadCount, options.Seed) = (3, Batch, 1, 7);
            options.Distributed = distributed;
            change?.Invoke(options);
        }, noisy: false, new MLContext(1));
        return Outcome.Weights(model);
    }

    private sealed class Failing : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => throw new InvalidOperationException("on purpose");
    }
}
