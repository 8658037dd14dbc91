using MLExtensions.Families.Reinforcement;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>The loss of transitions and its gradient against the same formulas in libtorch.</summary>
[TestClass]
public sealed class TransitionLossTests
{
    private const int Rows = 40;
    private const int Actions = 4;

    [TestMethod]
    [DataRow("Huber, double")]
    [DataRow("Huber")]
    [DataRow("squared")]
    [DataRow("masks")]
    [DataRow("double, masks")]
    [DataRow("weights")]
    [DataRow("squared, weights")]
    [DataRow("conservative")]
    [DataRow("conservative, double, masks, weights")]
    [DataRow("cloning")]
    [DataRow("cloning, masks")]
    public void LossAndGradients_AreThoseOfAutomaticDifferentiation(string kind)
    {
        var options = new DqnEstimator.Options
        {
            BatchSize = Rows,
            DoubleLearning = kind.Contains("double"),
            Loss = kind.Contains("squared") ? ValueLoss.Squared : ValueLoss.Huber,
            LogLearning = kind.Contains("cloning") ? LogLearning.Cloning : LogLearning.ActionValues,
            ConservativeWeight = kind.Contains("conservative") ? .7 : 0,
        };
        using var scope = NewDisposeScope();
        using var block = Block(hasMasks: kind.Contains("masks"));
        using var loss = new TransitionLoss(options, isLog: true, Actions);
        var batch = new TransitionBatch(Rows, 0, block) { TakeErrors = kind.Contains("weights") ? _ => { } : null };
        foreach (var values in new[] { 0, 1, 2 })
            FillRandomly(values == 0 ? loss.Values : values == 1 ? loss.NextValues : loss.TargetValues, values, 3);
        var actual = loss.Compute(batch);
        var (expected, gradients, errors) = ByTorch(options, batch, loss);
        Assert.AreEqual(expected, actual, 1e-5 * expected);
        for (var i = 0; i < gradients.Length; i++)
            Assert.AreEqual(gradients[i], loss.Gradients[i], 1e-7, $"{i}");
        for (var row = 0; row < errors.Length; row++)
            Assert.AreEqual(errors[row], loss.Errors[row], 1e-5, $"{row}");
        Assert.IsTrue(gradients.Any(gradient => gradient != 0));
    }

    [TestMethod]
    public void ValueThatIsNoNumber_EndsTheTraining()
    {
        using var block = Block(hasMasks: false);
        foreach (var isDouble in new[] { false, true })
        {
            using var loss = new TransitionLoss(new DqnEstimator.Options { BatchSize = Rows, DoubleLearning = isDouble }, isLog: false, Actions);
            loss.TargetValues[5] = float.NaN;
            loss.NextValues[5] = float.NaN;
            Assert.IsFalse(double.IsFinite(loss.Compute(new TransitionBatch(Rows, 0, block))));
        }
    }

    private static (double Loss, float[] Gradients, float[] Errors) ByTorch(DqnEstimator.Options options, TransitionBatch batch, TransitionLoss loss)
    {
        var block = batch.Block;
        var values = tensor(loss.Values.ToArray(), [Rows, Actions], requires_grad: true);
        var actions = block.Actions.Tensor;
        var taken = values.gather(1, actions.unsqueeze(1)).squeeze(1);
        Tensor sum;
        float[] errors = [];
        if (loss.IsCloning)
            sum = nn.functional.cross_entropy(Allow(values, block.Masks.Tensor), actions);
        else
        {
            var ofTarget = tensor(loss.TargetValues.ToArray(), [Rows, Actions]);
            var choosing = options.DoubleLearning ? tensor(loss.NextValues.ToArray(), [Rows, Actions]) : ofTarget;
            var best = ofTarget.gather(1, Allow(choosing, block.NextMasks.Tensor).argmax(1, keepdim: true)).squeeze(1);
            var goals = (best * block.Discounts.Tensor) + block.Rewards.Tensor;
            errors = (taken - goals).detach().data<float>().ToArray();
            var losses = options.Loss == ValueLoss.Huber ? nn.functional.smooth_l1_loss(taken, goals, nn.Reduction.None) : 0.5 * (taken - goals).pow(2);
            sum = (batch.TakeErrors == null ? losses : losses * block.Weights.Tensor).mean();
            sum += options.ConservativeWeight * (Allow(values, block.Masks.Tensor).logsumexp(1) - taken).mean();
        }
        sum.backward();
        return (sum.item<float>(), values.grad!.data<float>().ToArray(), errors);

        Tensor Allow(Tensor all, Tensor masks) => block.HasMasks ? all.masked_fill(masks == 0, float.NegativeInfinity) : all;
    }

    /// <summary>Random transitions, of which some terminate; with masks that always allow the action that was taken.</summary>
    private static TransitionBlock Block(bool hasMasks)
    {
        var format = new ReplayFormat(1, 1, ReplayStorage.Single, ArePixels: false, Actions, IsPrioritized: false);
        using var buffer = new ReplayBuffer(format, 500, "test");
        var random = new Random(4);
        var mask = Mask();
        buffer.Begin([0], mask);
        for (var step = 0; step < 400; step++)
        {
            var action = random.Next(Actions);
            while (hasMasks && !mask[action])
                action = random.Next(Actions);
            var isEnd = random.Next(5) == 0;
            mask = Mask();
            buffer.Add(action, (random.NextDouble() * 4) - 2, isEnd, false, [step], mask);
            if (isEnd)
                buffer.Begin([0], mask = Mask());
        }
        var block = new TransitionBlock(Rows, format);
        Assert.IsTrue(block.Fill(buffer, random, 1, .9, new int[Rows]));
        Assert.AreEqual(hasMasks, block.HasMasks);
        Assert.IsTrue(block.Discounts.Values.Contains(0) && block.Discounts.Values.Contains(.9f));
        foreach (ref var weight in block.Weights.Values)
            weight = random.NextSingle();
        return block;

        bool[] Mask()
        {
            var allowed = new bool[Actions];
            foreach (ref var each in allowed.AsSpan())
                each = !hasMasks || random.Next(2) == 0;
            allowed[random.Next(Actions)] = true;
            return allowed;
        }
    }

    private static void FillRandomly(Span<float> values, int seed, float size)
    {
        var random = new Random(seed);
        foreach (ref var value in values)
            value = ((random.NextSingle() * 2) - 1) * size;
    }
}
