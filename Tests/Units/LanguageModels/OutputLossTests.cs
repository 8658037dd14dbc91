using MLExtensions.Engine;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>The gradients that are worked out by hand are the automatic ones.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class OutputLossTests
{
    private const int Vocabulary = 12;
    private const int Steps = 5;
    private const int Lanes = 3;

    /// <summary>Tokens without features, with one, with several.</summary>
    private static readonly TokenFeatures Features = new()
    {
        Names = ["even", "by three", "large"],
        OfTokens = [.. Enumerable.Range(0, Vocabulary).Select(token => new[] { (0, token % 2 == 0), (1, token % 3 == 0), (2, token > 8) }.Where(pair => pair.Item2).Select(pair => pair.Item1).ToArray())],
    };

    /// <summary>Two steps: the second begins with the state of the first, and its gradients end there.</summary>
    [TestMethod]
    [DataRow(false, 6, RecurrentCell.Lstm, false)]
    [DataRow(true, 6, RecurrentCell.Lstm, false)]
    [DataRow(true, 4, RecurrentCell.Gru, false)]
    [DataRow(false, 4, RecurrentCell.Rnn, false)]
    [DataRow(true, 6, RecurrentCell.Lstm, true)]
    [DataRow(false, 4, RecurrentCell.Gru, true)]
    public void Steps_HaveTheAutomaticGradients(bool tied, int embeddingSize, RecurrentCell cell, bool features)
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var architecture = Architecture(tied, embeddingSize, cell) with { TokenFeatures = features ? Features : null };
        using var automatic = Create(architecture);
        var network = new LanguageModelNetwork(architecture);
        network.load_state_dict(automatic.state_dict());
        var options = LanguageSample.Options(o => (o.Optimizer, o.GradientClipNorm) = (new SgdOptimizer(), null));
        using var step = new LanguageModelStep(new TrainedNetwork("network", architecture, network, options.Optimization, seed: 1, CPU), options, seed: 1);
        step.BeginEpoch(1);
        Tensor[]? state = null;
        foreach (var rate in new[] { 1e-12, 1 }) // the first leaves the weights where they are
        {
            var tokens = randint(0, Vocabulary, [Steps, Lanes], dtype: ScalarType.Int64);
            var targets = randint(0, Vocabulary, [Steps * Lanes], dtype: ScalarType.Int64);
            automatic.zero_grad();
            var (hidden, next) = automatic.Run(automatic.Embed(tokens), state);
            state = Array.ConvertAll(next, part => part.detach());
            var expected = nn.functional.cross_entropy(automatic.Logits(hidden), targets);
            expected.backward();
            using var batch = new TokenBatch(Steps * Lanes, 0, tokens.clone(), targets.clone());
            Assert.AreEqual(expected.item<float>(), step.Train(batch, rate, new MetricSums()), 1e-5);
        }
        var moved = network.state_dict();
        foreach (var (name, parameter) in automatic.named_parameters())
        {
            var gradient = (parameter.detach() - moved[name].detach()).data<float>().ToArray();
            Outcome.AssertClose(parameter.grad!.data<float>().ToArray(), gradient, 1e-5);
            Assert.IsTrue(gradient.Any(value => Math.Abs(value) > 1e-4), name);
        }
    }

    /// <summary>All tokens drawn: nothing is left to estimate.</summary>
    [TestMethod]
    public void SampledSoftmaxOfAllTokens_IsTheFullOne()
    {
        using var scope = NewDisposeScope();
        var (full, fullHidden, fullWeight) = Backward(network => new FullSoftmaxLoss(network, Precision.Float32));
        var (sampled, sampledHidden, sampledWeight) = Backward(network => new SampledSoftmaxLoss(network, Precision.Float32, Vocabulary, seed: 1));
        Assert.AreEqual(full, sampled, 0.02);
        Outcome.AssertClose(fullHidden, sampledHidden, 0.005);
        Outcome.AssertClose(fullWeight, sampledWeight, 0.005);
    }

    /// <summary>
    /// Where tokens come as often as the network says, nothing is left to learn: drawing few of the wrong ones must not say otherwise.
    /// Without the correction by how often a token is drawn the frequent ones would be pushed down.
    /// </summary>
    [TestMethod]
    public void SampledSoftmax_HasNoBias()
    {
        const int vocabulary = 40, draws = 1500, tokens = 100;
        using var scope = NewDisposeScope();
        manual_seed(6);
        using var network = Create(Architecture(tied: false, 6, RecurrentCell.Lstm, vocabulary));
        network.OwnOutputWeight!.grad = zeros_like(network.OwnOutputWeight);
        network.OutputBias.grad = zeros_like(network.OutputBias);
        using var noGradient = no_grad();
        var hidden = randn(1, 6) * 3;
        var probabilities = network.Logits(hidden).softmax(1).view(-1);
        for (var seed = 0; seed < draws; seed++)
        {
            using var step = NewDisposeScope();
            using var loss = new SampledSoftmaxLoss(network, Precision.Float32, 8, seed);
            loss.BeginEpoch(1);
            loss.Backward(hidden.expand(tokens, 6), probabilities.multinomial(tokens, replacement: true), new TrainedTable(network.OwnOutputWeight.detach(), network.OwnOutputWeight.grad));
        }
        var gradient = network.OutputBias.grad.div(draws).data<float>().ToArray();
        Assert.IsLessThan(0.01, gradient.Max(Math.Abs), string.Join(" ", gradient.Select(value => value.ToString("F3"))));
    }

    [TestMethod]
    public void BFloat16Products_AreNearTheExactOnes()
    {
        using var scope = NewDisposeScope();
        var (exact, exactHidden, exactWeight) = Backward(network => new FullSoftmaxLoss(network, Precision.Float32));
        var (rounded, roundedHidden, roundedWeight) = Backward(network => new FullSoftmaxLoss(network, Precision.BFloat16));
        Assert.AreEqual(exact, rounded, 0.02);
        Outcome.AssertClose(exactHidden, roundedHidden, 0.01);
        Outcome.AssertClose(exactWeight, roundedWeight, 0.01);
    }

    private static (double Loss, float[] Hidden, float[] Weight) Backward(Func<LanguageModelNetwork, OutputLoss> create, int vocabulary = Vocabulary)
    {
        manual_seed(5);
        using var network = Create(Architecture(tied: false, 6, RecurrentCell.Lstm, vocabulary));
        network.OwnOutputWeight!.grad = zeros_like(network.OwnOutputWeight);
        network.OutputBias.grad = zeros_like(network.OutputBias);
        using var loss = create(network);
        loss.BeginEpoch(1);
        using var noGradient = no_grad();
        var (value, gradient) = loss.Backward(randn(20, 6), randint(0, vocabulary, [20], dtype: ScalarType.Int64), new TrainedTable(network.OwnOutputWeight.detach(), network.OwnOutputWeight.grad));
        return (value, gradient!.data<float>().ToArray(), network.OwnOutputWeight.grad.data<float>().ToArray());
    }

    private static LanguageModelNetwork Create(LanguageModelArchitecture architecture)
    {
        var network = new LanguageModelNetwork(architecture);
        using var noGradient = no_grad();
        using var generator = new Generator(3);
        foreach (var parameter in network.parameters())
            parameter.uniform_(-0.4, 0.4, generator);
        return network;
    }

    private static LanguageModelArchitecture Architecture(bool tied, int embeddingSize, RecurrentCell cell, int vocabulary = Vocabulary) => new()
    {
        InputCount = 1,
        OutputCount = vocabulary,
        Tokenizer = new CharacterTokenizer { Vocabulary = ["\n", .. Enumerable.Range('a', vocabulary - 1).Select(code => ((char)code).ToString())] },
        Recurrent = new RecurrentLayers(cell, 6, 2),
        EmbeddingSize = embeddingSize,
        TieEmbeddings = tied,
    };
}
