using MLExtensions.Engine;
using MLExtensions.Families.Recurrent;
using MLExtensions.Families.SequenceToSequence;
using MLExtensions.Tests.Contract;
using MLExtensions.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Tests.SequenceToSequence;

/// <summary>
/// Losses and gradients of batches, with padding, hand-made gradients and all time steps at once, are those of a plain computation: pair by pair,
/// token by token, with automatic gradients.
/// </summary>
[TestClass]
[TestCategory("Heart")]
public sealed class NetworkComputationTests
{
    private const double Slack = 2e-5;

    private static readonly PairSample[] Pairs =
    [
        new() { Source = "w0 w1 w2 w0 w3", Target = "w2 w1" },
        new() { Source = "w1", Target = "w0 w0 w3 w1 w2" },
        new() { Source = "", Target = "w3" },
        new() { Source = "w3 other w2", Target = "w1 other another" }, // a word that is only in the source, and one that is nowhere
        new() { Source = "w3 other third", Target = "third w2 other" },
        new() { Source = "w2 w2 w2 w2 w2", Target = "" },
    ];

    public static IEnumerable<object[]> Networks =>
        from attention in Enum.GetValues<AttentionKind>()
        from variant in new[] { "plain", "bidirectional", "gru", "deep", "tied", "two vocabularies", "reversed" }
        from copies in attention == AttentionKind.None ? [false] : new[] { false, true }
        select new object[] { attention, variant, copies };

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void LossAndGradients_AreThoseOfAPlainComputation(AttentionKind attention, string variant, bool copies)
    {
        using var scope = NewDisposeScope();
        var options = PairSample.Options(o => Set(o, attention, variant, copies));
        var architecture = PairSample.Architecture(4, o => Set(o, attention, variant, copies));
        architecture.Check();
        using var plain = (SequenceToSequenceNetwork)PairSample.Initialize(architecture, 2, 1.5);
        var network = (SequenceToSequenceNetwork)PairSample.Initialize(architecture, 2, 1.5);
        using var step = new SequenceToSequenceStep(new TrainedNetwork("network", architecture, network, options.Optimization, seed: 1, CPU), options, seed: 1);
        step.BeginEpoch(1);
        var tokenizer = new PairTokenizer(architecture);
        using var set = PairSet.Read(PairSample.View(Pairs), options, tokenizer, () => { }, null);
        Assert.AreEqual(copies ? 3 : 0, set.Counts[PairTokenizer.CopiedWords]);
        var batches = new PairBatches(set, [.. Enumerable.Range(0, Pairs.Length)], tokenizer, architecture.OutputTokenizer.EndOfSequenceId, new BatchSettings(Pairs.Length, 1, 1, Shuffle: true, CPU, LengthOf: _ => 0), null);

        var expected = new PlainNetwork(architecture, plain).MeanLoss(Pairs);
        expected.backward();
        foreach (var batch in batches.ReadEpoch(1))
        {
            using (batch)
            {
                Assert.AreEqual(set.Count + Pairs.Sum(pair => pair.Target.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length), batch.RowCount);
                Assert.AreEqual(expected.item<float>(), step.LossAfter(batch), Slack);
                step.BeginEpoch(1);
                Assert.AreEqual(expected.item<float>(), step.Train(batch, 1, new MetricSums()), Slack);
            }
        }
        var moved = network.state_dict();
        foreach (var (name, parameter) in plain.named_parameters())
        {
            var gradient = (parameter.detach() - moved[name].detach()).data<float>().ToArray();
            Outcome.AssertClose(parameter.grad!.data<float>().ToArray(), gradient, Slack);
            Assert.IsTrue(gradient.Any(value => Math.Abs(value) > 1e-4), name);
        }
        Assert.AreEqual(architecture.ParameterCount, plain.parameters().Sum(parameter => parameter.NumberOfElements));
    }

    private static void Set(SequenceToSequenceEstimator.Options options, AttentionKind attention, string variant, bool copies)
    {
        (options.HiddenUnits, options.EmbeddingSize, options.Attention, options.CopyWords) = (5, 4, attention, copies);
        (options.Optimizer, options.GradientClipNorm, options.LearningRate) = (new SgdOptimizer(), null, 1);
        options.BidirectionalEncoder = variant == "bidirectional";
        options.Cell = variant == "gru" ? RecurrentCell.Gru : RecurrentCell.Lstm;
        options.NumberOfLayers = variant == "deep" ? 2 : 1;
        options.TieEmbeddings = variant == "tied";
        options.TargetTokenization = variant == "two vocabularies" ? Tokenization.Words() : null;
        options.ReverseSource = variant == "reversed";
    }

    /// <summary>The network as the papers write it, for one pair at a time.</summary>
    private sealed class PlainNetwork(SequenceToSequenceArchitecture architecture, SequenceToSequenceNetwork network)
    {
        private readonly Dictionary<string, Parameter> _weights = network.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);

        public Tensor MeanLoss(IEnumerable<PairSample> pairs)
        {
            var terms = pairs.SelectMany(Losses).ToArray();
            return stack(terms).mean();
        }

        private IEnumerable<Tensor> Losses(PairSample pair)
        {
            string[] source = [.. pair.Source.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
            if (architecture.ReversesSource)
                Array.Reverse(source);
            source = [.. source, "<eos>"];
            var (memory, state) = Encode([.. source.Select(word => Embed("embedding.weight", architecture.SourceTokenizer, word))]);
            var last = "<eos>";
            foreach (var word in pair.Target.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append("<eos>"))
            {
                var input = Embed(architecture.TargetTokenizer == null ? "embedding.weight" : "embedding_target.weight", architecture.OutputTokenizer, last);
                Tensor? weights = null, context = null;
                if (architecture.Attention == AttentionKind.Bahdanau)
                {
                    (weights, context) = Attend(state[^architecture.Decoder.StatesPerLayer], memory);
                    (var hidden, state) = Step("decoder", cat([input, context]), state);
                    yield return Loss(word, source, input, hidden, context, weights);
                }
                else
                {
                    (var hidden, state) = Step("decoder", input, state);
                    if (architecture.Attention == AttentionKind.Luong)
                        (weights, context) = Attend(hidden, memory);
                    yield return Loss(word, source, input, hidden, context, weights);
                }
                last = word;
            }
        }

        private Tensor Loss(string word, string[] source, Tensor input, Tensor hidden, Tensor? context, Tensor? weights)
        {
            var features = context is null ? hidden : Dense("readout", cat([context, hidden])).tanh();
            if (architecture.HasProjection)
                features = _weights["projection.weight"].mv(features);
            var logits = architecture.TieEmbeddings
                ? _weights[architecture.TargetTokenizer == null ? "embedding.weight" : "embedding_target.weight"].mv(features) + _weights["output_bias"]
                : Dense("output", features);
            var known = architecture.OutputTokenizer.Find(word);
            var places = Enumerable.Range(0, source.Length).Where(i => source[i] == word).ToArray();
            var isCopied = architecture.CopiesWords && known == null && places.Length > 0;
            var written = isCopied ? zeros(1).squeeze() : logits.softmax(0)[known ?? architecture.OutputTokenizer.UnknownId!.Value];
            if (!architecture.CopiesWords)
                return -written.log();
            var gate = Dense("copy_gate", cat([context!, hidden, input])).sigmoid().squeeze();
            var isUnknown = known == null && places.Length == 0;
            var copied = isUnknown || places.Length == 0 ? zeros(1).squeeze() : stack(places.Select(place => weights![place])).sum();
            return -((gate * written) + ((1 - gate) * copied)).log();
        }

        private (Tensor Memory, Tensor[] State) Encode(Tensor[] inputs)
        {
            var (layers, directions, parts) = (architecture.Encoder.NumberOfLayers, architecture.Encoder.Directions, architecture.Encoder.StatesPerLayer);
            var ends = new List<Tensor>();
            for (var layer = 0; layer < layers; layer++)
            {
                var sides = new List<Tensor[]>();
                for (var direction = 0; direction < directions; direction++)
                {
                    var state = Enumerable.Range(0, parts).Select(_ => zeros(architecture.Encoder.HiddenUnits)).ToArray();
                    var outputs = new Tensor[inputs.Length];
                    foreach (var i in direction == 0 ? Enumerable.Range(0, inputs.Length) : Enumerable.Range(0, inputs.Length).Reverse())
                    {
                        state = Cell(FormattableString.Invariant($"encoder.{layer}{(direction == 0 ? "" : "_reverse")}"), inputs[i], state);
                        outputs[i] = state[0];
                    }
                    sides.Add(outputs);
                    ends.AddRange(state);
                }
                inputs = [.. Enumerable.Range(0, inputs.Length).Select(i => cat([.. sides.Select(side => side[i])]))];
            }
            if (!architecture.HasBridge)
                return (stack(inputs), [.. ends]);
            var crossed = Enumerable.Range(0, layers * parts).Select(i =>
            {
                var (layer, part) = (i / parts, i % parts);
                var sum = Dense(FormattableString.Invariant($"bridge.{i}"), cat([.. Enumerable.Range(0, directions).Select(direction => ends[(((layer * directions) + direction) * parts) + part])]));
                return part == 0 ? sum.tanh() : sum;
            });
            return (stack(inputs), [.. crossed]);
        }

        private (Tensor Weights, Tensor Context) Attend(Tensor question, Tensor memory)
        {
            var keys = memory.mm(_weights["attention.keys.weight"].t());
            var scores = architecture.Attention == AttentionKind.Luong
                ? keys.mv(question)
                : (keys + Dense("attention.questions", question)).tanh().mv(_weights["attention.score.weight"].view(-1));
            var weights = scores.softmax(0);
            return (weights, memory.t().mv(weights));
        }

        private (Tensor Hidden, Tensor[] State) Step(string name, Tensor input, Tensor[] state)
        {
            var parts = architecture.Decoder.StatesPerLayer;
            var next = new List<Tensor>();
            for (var layer = 0; layer < architecture.Decoder.NumberOfLayers; layer++)
            {
                next.AddRange(Cell(FormattableString.Invariant($"{name}.{layer}"), input, state[(layer * parts)..((layer + 1) * parts)]));
                input = next[^parts];
            }
            return (input, [.. next]);
        }

        private Tensor[] Cell(string name, Tensor input, Tensor[] state)
        {
            var ofInput = _weights[name + ".weight_ih_l0"].mv(input) + _weights[name + ".bias_ih_l0"];
            var ofHidden = _weights[name + ".weight_hh_l0"].mv(state[0]) + _weights[name + ".bias_hh_l0"];
            if (architecture.Decoder.Cell == RecurrentCell.Lstm)
            {
                var gates = (ofInput + ofHidden).chunk(4, 0);
                var cell = (gates[1].sigmoid() * state[1]) + (gates[0].sigmoid() * gates[2].tanh());
                return [gates[3].sigmoid() * cell.tanh(), cell];
            }
            var (a, b) = (ofInput.chunk(3, 0), ofHidden.chunk(3, 0));
            var update = (a[1] + b[1]).sigmoid();
            var candidate = (a[2] + ((a[0] + b[0]).sigmoid() * b[2])).tanh();
            return [((1 - update) * candidate) + (update * state[0])];
        }

        private Tensor Dense(string name, Tensor input) => _weights[name + ".weight"].mv(input) + _weights[name + ".bias"];

        private Tensor Embed(string table, TextTokenizer tokenizer, string word) => _weights[table][tokenizer.Find(word) ?? tokenizer.UnknownId!.Value];
    }
}
