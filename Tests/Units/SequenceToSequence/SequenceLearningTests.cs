using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Engine;
using MLExtensions.Families.SequenceToSequence;
using MLExtensions.Tests.Contract;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Tests.SequenceToSequence;

/// <summary>What networks learn: to turn a sequence around, to copy words that they have never seen.</summary>
[TestClass]
public sealed class SequenceLearningTests
{
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(AttentionKind.Luong)]
    [DataRow(AttentionKind.Bahdanau)]
    public void Reversal_IsLearned(AttentionKind attention)
    {
        using var model = PairSample.Fit(PairSample.Reversed(600, longest: 4), o => (o.Epochs, o.HiddenUnits, o.Attention) = (10, 32, attention));
        Floor.Above(0.7, Right(model, PairSample.Reversed(100, longest: 4, seed: 2)), attention.ToString());
    }

    /// <summary>Names that no training text has; without copies there is nothing to write but the words that were seen.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void UnseenWords_AreCopied()
    {
        using var model = PairSample.Fit(Names(400, seed: 1), o => (o.Epochs, o.CopyWords, o.Tokenization) = (15, true, Tokenization.Words(minimumCount: 20)));
        var test = Names(100, seed: 2);
        Assert.IsTrue(test.All(pair => model.SourceTokenizer.Encode(pair.Source).Contains(model.SourceTokenizer.UnknownId!.Value)), "some names are in the vocabulary");
        Floor.Above(0.9, Right(model, test));
        Assert.IsGreaterThan(700, model.History.DataCounts[PairTokenizer.CopiedWords]);
    }

    /// <summary>The share of right tokens falls, and what is read instead is what the network predicts.</summary>
    [TestMethod]
    public void TeacherForcing_FollowsItsSchedule()
    {
        Assert.AreEqual(1, TeacherForcing.Always.Share(3, 10));
        Assert.AreEqual(0.7, TeacherForcing.Constant(0.7).Share(9, 10));
        Assert.AreEqual(0.75, TeacherForcing.Linear(1, 0.5).Share(5, 10), 1e-12);
        Assert.AreEqual(0.5, TeacherForcing.Linear(1, 0.5).Share(10, 10), 1e-12);
        Assert.AreEqual(4 / (4 + Math.Exp(2)), TeacherForcing.InverseSigmoid(4).Share(8, 10), 1e-12);
        Assert.AreEqual(TeacherForcing.Linear(1, 0.5), TeacherForcing.Linear(1, 0.5));
    }

    /// <summary>Without teacher forcing the loss is that of reading the greedy tokens, whatever the targets are.</summary>
    [TestMethod]
    [DataRow(0.0, false)]
    [DataRow(1.0, false)]
    [DataRow(0.0, true)]
    [DataRow(1.0, true)]
    public void ShareOfTeacherForcing_DecidesWhatIsRead(double share, bool copies)
    {
        using var scope = NewDisposeScope();
        var options = PairSample.Options(o => (o.HiddenUnits, o.TeacherForcing, o.Optimizer, o.GradientClipNorm, o.CopyWords) = (6, TeacherForcing.Constant(share), new SgdOptimizer(), null, copies));
        var architecture = options.CreateArchitecture(PairSample.Architecture(4).SourceTokenizer, null);
        var network = (SequenceToSequenceNetwork)PairSample.Initialize(architecture, 2, 1);
        using var step = new SequenceToSequenceStep(new TrainedNetwork("network", architecture, network, options.Optimization, seed: 1, CPU), options, seed: 1);
        var tokenizer = new PairTokenizer(architecture);
        using var set = PairSet.Read(PairSample.View(new PairSample { Source = "w0 w1 new", Target = "w2 w1 new w3" }), options, tokenizer, () => { }, null);
        using var batch = new PairBatches(set, [0], tokenizer, architecture.OutputTokenizer.EndOfSequenceId, new BatchSettings(1, 1, 1, Shuffle: false, CPU, LengthOf: _ => 0), null).ReadEpoch(1).Single();
        step.BeginEpoch(1);
        double expected;
        using (inference_mode())
        {
            var memory = network.Encode(SequenceToSequenceNetwork.Embed(network.SourceEmbedding, batch.Source), batch.Lengths);
            var inputs = batch.Inputs;
            if (share == 0)
            {
                var decoded = network.Decode(SequenceToSequenceNetwork.Embed(network.TargetEmbedding, inputs), memory, memory.State);
                var sources = copies ? batch.Copies!.expand(batch.Inputs.shape[0], -1) : null; // one row: all steps have its source
                var predicted = network.Distribution(network.TokensAt(decoded, null), sources, batch.ExtraWords).argmax(1).view(-1, 1);
                predicted = predicted.masked_fill(predicted.ge(tokenizer.VocabularySize), architecture.OutputTokenizer.UnknownId!.Value);
                inputs = cat([inputs.narrow(0, 0, 1), predicted.narrow(0, 0, inputs.shape[0] - 1)]);
            }
            var read = network.Decode(SequenceToSequenceNetwork.Embed(network.TargetEmbedding, inputs), memory, memory.State);
            expected = -network.LogProbabilities(network.TokensAt(read, batch.Places), batch.Targets, batch.Copies).mean().item<float>();
        }
        Assert.AreEqual(expected, step.Train(batch, 1e-6, new MetricSums()), 1e-5);
    }

    /// <summary>The gradients of the output layer are added by hand: a frozen one has none.</summary>
    [TestMethod]
    [DataRow(false, null)]
    [DataRow(true, null)]
    [DataRow(false, 6)]
    public void FrozenOutput_StaysAsItWas(bool copies, int? samples)
    {
        using var first = PairSample.Fit(PairSample.Reversed(40), o => (o.Epochs, o.CopyWords, o.NumberOfSampledTokens) = (1, copies, samples));
        using var second = PairSample.Fit(PairSample.Reversed(40), o => (o.Epochs, o.CopyWords, o.NumberOfSampledTokens, o.InitialModel, o.FrozenLayers) = (1, copies, samples, first, ["output", "embedding"]));
        foreach (var name in first.Model.WeightShapes.Keys)
        {
            var isSame = Outcome.SameBits(first.Model.GetWeights(name), second.Model.GetWeights(name));
            Assert.AreEqual(name.StartsWith("output", StringComparison.Ordinal) || name.StartsWith("embedding", StringComparison.Ordinal), isSame, name);
        }
    }

    [TestMethod]
    public void DeepQA_IsTheBooksNetwork()
    {
        var options = SequenceToSequenceEstimator.Options.DeepQA();
        options.Check();
        var architecture = options.CreateArchitecture(PairSample.Architecture(4).SourceTokenizer, null);
        Assert.AreEqual((512, 2, 64, AttentionKind.None, true, 10, 10), (architecture.Decoder.HiddenUnits, architecture.Encoder.NumberOfLayers, architecture.EmbeddingSize, architecture.Attention, architecture.ReversesSource, architecture.MaximumSourceTokens, architecture.MaximumTargetTokens));
        Assert.AreEqual((256, 0.002, 30), (options.BatchSize, options.LearningRate, options.Epochs));
        Assert.AreEqual(0.1, options.Dropout, 1e-12);
        Assert.IsInstanceOfType<AdamOptimizer>(options.Optimizer);
    }

    /// <summary>A source of two names, which hardly ever come twice.</summary>
    private static PairSample[] Names(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, count).Select(_ =>
        {
            var (first, second) = ($"name{random.Next(1_000_000)}", $"name{random.Next(1_000_000)}");
            return new PairSample { Source = $"{first} meets {second}", Target = $"{second} met {first}" };
        }).ToArray();
    }

    private static double Right(SequenceToSequenceTransformer model, PairSample[] pairs)
    {
        var answers = model.Transform(PairSample.View(pairs)).GetColumn<string>("Answer");
        return answers.Zip(pairs, (answer, pair) => answer == pair.Target ? 1 : 0).Average();
    }
}
