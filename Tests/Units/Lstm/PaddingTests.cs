using MLExtensions.Families.Recurrent;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Lstm;

/// <summary>What else is in a batch has no effect on a row, whatever the cell, the direction and the pooling.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class PaddingTests
{
    private static readonly int[] Lengths = [1, 7, 3, 20, 2, 20, 0, 5];

    public static IEnumerable<object[]> Networks =>
        from cell in Enum.GetValues<RecurrentCell>()
        from pooling in Enum.GetValues<SequencePooling>()
        from bidirectional in new[] { false, true }
        select new object[] { cell, pooling, bidirectional };

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void OutputsInTraining_AreThoseOfEachRowAlone(RecurrentCell cell, SequencePooling pooling, bool bidirectional)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var network = CreateNetwork(cell, pooling, bidirectional);
        var rows = CreateRows(padding: 0);
        var together = network.call(rows);
        var alone = cat(Enumerable.Range(0, Lengths.Length).Select(row => network.call(rows.narrow(0, row, 1))).ToArray());
        Assert.AreEqual(0, Difference(together, alone), 1e-5);
        Assert.AreEqual(0, Difference(together, network.call(CreateRows(padding: 50))), 1e-5, "what is behind a row's end");
        Assert.IsGreaterThan(1e-3, Difference(together[1], together[2]));
    }

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void Gradients_AreTheSumOfEachRowsOwn(RecurrentCell cell, SequencePooling pooling, bool bidirectional)
    {
        using var scope = NewDisposeScope();
        using var network = CreateNetwork(cell, pooling, bidirectional);
        var rows = CreateRows(padding: 0);
        var together = Gradients(network, rows);
        var alone = Gradients(network, Enumerable.Range(0, Lengths.Length).Select(row => rows.narrow(0, row, 1)).ToArray());
        Assert.IsTrue(together.Any(value => Math.Abs(value) > 0.1));
        Outcome.AssertClose(alone, together, 1e-4);
    }

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void Scores_OfBlocksAreThoseOfRows(RecurrentCell cell, SequencePooling pooling, bool bidirectional)
    {
        var rows = SequenceRow.Random(200, 40, seed: 5);
        rows[17].Values = rows[150].Values = [];
        using var model = SequenceModel.Fit(SequenceRow.Random(48), options =>
        {
            (options.Cell, options.Pooling, options.Bidirectional, options.Epochs) = (cell, pooling, bidirectional, 1);
            (options.MaximumLength, options.EmptySequenceHandling) = (40, EmptySequenceHandling.Zeros);
        });
        var together = SequenceModel.Scores(model, rows);
        Outcome.AssertClose(SequenceModel.ScoresOneByOne(model, rows), together, 1e-5);
        Assert.AreEqual(together[17], together[150], 1e-6);
        Assert.IsGreaterThan(150, together.Distinct().Count());
        // In another order, with other neighbors.
        Outcome.AssertClose(together, SequenceModel.Scores(model, Enumerable.Reverse(rows)).Reverse().ToArray(), 1e-5);
    }

    private static nn.Module<Tensor, Tensor> CreateNetwork(RecurrentCell cell, SequencePooling pooling, bool bidirectional)
    {
        var input = new NumberSequence { MaximumLength = 20, StepSize = 2, EmptySequenceHandling = EmptySequenceHandling.Zeros };
        var architecture = new RecurrentArchitecture
        {
            InputCount = 41,
            OutputCount = 2,
            Input = input,
            Recurrent = new RecurrentLayers(cell, 5, 2) { Bidirectional = bidirectional },
            Pooling = pooling,
        };
        architecture.Check();
        var network = architecture.CreateModule();
        RecurrentInitializer.Initialize(network, WeightInitialization.XavierUniform, 3, cell, scale: 0.7, forgetBias: 1);
        network.train();
        return network;
    }

    /// <summary>Rows of <see cref="Lengths"/>, with a value behind their ends.</summary>
    private static Tensor CreateRows(float padding)
    {
        using var generator = new Generator(4);
        var rows = randn(Lengths.Length, 41, generator: generator);
        for (var row = 0; row < Lengths.Length; row++)
        {
            rows[row, 0] = tensor((float)Lengths[row]);
            rows[row].narrow(0, 1 + (2 * Lengths[row]), 40 - (2 * Lengths[row])).fill_(padding);
        }
        return rows;
    }

    private static float[] Gradients(nn.Module<Tensor, Tensor> network, params Tensor[] batches)
    {
        network.zero_grad();
        foreach (var batch in batches)
            network.call(batch).sum().backward();
        return network.named_parameters()
            .OrderBy(entry => entry.name, StringComparer.Ordinal)
            .SelectMany(entry => (entry.parameter.grad ?? zeros_like(entry.parameter)).contiguous().data<float>().ToArray())
            .ToArray();
    }

    private static float Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
