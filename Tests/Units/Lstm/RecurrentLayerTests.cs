using MLExtensions.Families.Recurrent;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Lstm;

/// <summary>The layers compute what the literature says, in both directions, each sequence from its own end.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class RecurrentLayerTests
{
    private const int Inputs = 3;
    private const int Units = 4;
    private static readonly long[] Lengths = [5, 2, 4, 1];

    [TestMethod]
    [DataRow(RecurrentCell.Lstm, false)]
    [DataRow(RecurrentCell.Lstm, true)]
    [DataRow(RecurrentCell.Gru, false)]
    [DataRow(RecurrentCell.Gru, true)]
    [DataRow(RecurrentCell.Rnn, false)]
    [DataRow(RecurrentCell.Rnn, true)]
    public void Run_IsTheCellsEquations(RecurrentCell cell, bool bidirectional)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var module = new RecurrentLayers(cell, Units, 2) { Bidirectional = bidirectional }.CreateModule(Inputs);
        RecurrentInitializer.Initialize(module, WeightInitialization.XavierUniform, 3, cell, scale: 0.8, forgetBias: 0.5);
        using var generator = new Generator(1);
        foreach (var bias in module.named_parameters().Where(entry => entry.name.Contains("bias")))
            bias.parameter.uniform_(-1, 1, generator);
        var weights = module.state_dict();
        var input = randn(5, Lengths.Length, Inputs, generator: generator);
        var outputs = module.Run(input, tensor(Lengths));
        for (var row = 0; row < Lengths.Length; row++)
        {
            var expected = input.select(1, row).narrow(0, 0, Lengths[row]);
            for (var layer = 0; layer < 2; layer++)
            {
                var ahead = RunByHand(cell, weights, $"{layer}", expected);
                expected = bidirectional
                    ? cat([ahead, RunByHand(cell, weights, $"{layer}_reverse", expected.flip(0)).flip(0)], 1)
                    : ahead;
            }
            Assert.AreEqual(0, (expected - outputs.select(1, row).narrow(0, 0, Lengths[row])).abs().max().item<float>(), 1e-5, $"row {row}");
        }
    }

    [TestMethod]
    public void ParameterCount_IsTheModules()
    {
        var text = new TextSequence(new CharacterTokenizer { Vocabulary = ["a", "b", "\n"] }) { MaximumLength = 5 };
        foreach (var cell in Enum.GetValues<RecurrentCell>())
        {
            foreach (var pooling in Enum.GetValues<SequencePooling>())
            {
                Check(new NumberSequence { MaximumLength = 5, StepSize = 3 }, cell, pooling, bidirectional: false, inputCount: 16, embedding: 0);
                Check(new KeySequence(9) { MaximumLength = 5 }, cell, pooling, bidirectional: true, inputCount: 6, embedding: 7);
                Check(text, cell, pooling, bidirectional: true, inputCount: 6, embedding: 2);
            }
        }
        // One LSTM layer of 4 units on 1 value: 4 gates of 4 x (1 + 4 + 2 biases); the output layer has 4 weights and a bias.
        Assert.AreEqual(117, Create(new NumberSequence { MaximumLength = 5 }, RecurrentCell.Lstm, SequencePooling.Last, false, 6, 0, layers: 1).ParameterCount);
    }

    /// <summary>All biases begin at 0 but the forget gates', which are the second quarter.</summary>
    [TestMethod]
    public void ForgetBias_IsWhatTheOptionsSay()
    {
        using var scope = NewDisposeScope();
        using var network = Create(new NumberSequence { MaximumLength = 5 }, RecurrentCell.Lstm, SequencePooling.Last, true, 6, 0).CreateModule();
        SequenceModel.Options<RecurrentBinaryTrainer.Options>("Values", "Flag", options => options.ForgetBias = 2.5).InitializeWeights(network, 1);
        foreach (var (name, parameter) in network.named_parameters().Where(entry => entry.name.Contains("bias")))
        {
            var values = parameter.detach().data<float>().ToArray();
            var expected = name.Contains("bias_ih") ? Enumerable.Range(0, 4 * Units).Select(i => i / Units == 1 ? 2.5f : 0).ToArray() : new float[values.Length];
            CollectionAssert.AreEqual(expected, values, name);
        }
    }

    private static void Check(SequenceInput input, RecurrentCell cell, SequencePooling pooling, bool bidirectional, int inputCount, int embedding)
    {
        using var scope = NewDisposeScope();
        var architecture = Create(input, cell, pooling, bidirectional, inputCount, embedding);
        using var network = architecture.CreateModule();
        Assert.AreEqual(architecture.ParameterCount, network.parameters().Sum(parameter => parameter.numel()));
    }

    private static RecurrentArchitecture Create(SequenceInput input, RecurrentCell cell, SequencePooling pooling, bool bidirectional, int inputCount, int embedding, int layers = 2)
    {
        var architecture = new RecurrentArchitecture
        {
            InputCount = inputCount,
            OutputCount = 1,
            Input = input,
            EmbeddingSize = embedding,
            Recurrent = new RecurrentLayers(cell, Units, layers) { Bidirectional = bidirectional },
            Pooling = pooling,
        };
        architecture.Check();
        return architecture;
    }

    /// <summary>One layer over <c>[steps, inputs]</c>, step by step.</summary>
    private static Tensor RunByHand(RecurrentCell cell, Dictionary<string, Tensor> weights, string layer, Tensor input)
    {
        var (hidden, state) = (zeros(Units), zeros(Units));
        var outputs = new List<Tensor>();
        for (var step = 0; step < input.shape[0]; step++)
        {
            var fromInput = weights[$"{layer}.weight_ih_l0"].mv(input[step]) + weights[$"{layer}.bias_ih_l0"];
            var fromHidden = weights[$"{layer}.weight_hh_l0"].mv(hidden) + weights[$"{layer}.bias_hh_l0"];
            hidden = cell switch
            {
                RecurrentCell.Lstm => LstmStep(fromInput + fromHidden, ref state),
                RecurrentCell.Gru => GruStep(fromInput, fromHidden, hidden),
                _ => (fromInput + fromHidden).tanh(),
            };
            outputs.Add(hidden);
        }
        return stack(outputs);
    }

    private static Tensor LstmStep(Tensor sum, ref Tensor state)
    {
        state = (Part(sum, 1).sigmoid() * state) + (Part(sum, 0).sigmoid() * Part(sum, 2).tanh());
        return Part(sum, 3).sigmoid() * state.tanh();
    }

    private static Tensor GruStep(Tensor fromInput, Tensor fromHidden, Tensor hidden)
    {
        var reset = (Part(fromInput, 0) + Part(fromHidden, 0)).sigmoid();
        var update = (Part(fromInput, 1) + Part(fromHidden, 1)).sigmoid();
        var candidate = (Part(fromInput, 2) + (reset * Part(fromHidden, 2))).tanh();
        return ((1 - update) * candidate) + (update * hidden);
    }

    private static Tensor Part(Tensor gates, int index) => gates.narrow(0, index * Units, Units);
}
