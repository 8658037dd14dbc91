namespace MLExtensions.Tests.Contract;

/// <summary>Layers that are frozen, or have a rule of their own.</summary>
[TestClass]
public sealed class LayerTests
{
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void FrozenLayer_StaysAsItWas_TheRestMoves(string name)
    {
        var subject = Subjects.Training(name);
        using var first = subject.Fit(subject.Rows(60), o => o.Epochs = 1);
        var layer = LayerOf(first);
        foreach (var precision in Enum.GetValues<Precision>())
        {
            using var second = subject.Fit(subject.Rows(60), o => (o.Epochs, o.InitialModel, o.FrozenLayers, o.Precision) = (2, first.Transformer, [layer], precision));
            foreach (var (before, after) in first.Networks.Zip(second.Networks).Take(subject.NetworkCount))
            {
                Outcome.AssertSameBits(before.GetWeights(layer), after.GetWeights(layer));
                Assert.IsGreaterThan(0, before.WeightShapes.Keys.Count(other => !Outcome.SameBits(before.GetWeights(other), after.GetWeights(other))), "weights that moved");
            }
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void LayerRule_HoldsForItsLayerAlone(string name)
    {
        var subject = Subjects.Training(name);
        using var first = subject.Fit(subject.Rows(60), o => o.Epochs = 1);
        var layer = LayerOf(first);
        using var second = subject.Fit(subject.Rows(60), o => (o.Epochs, o.InitialModel, o.LayerRules) = (2, first.Transformer, [new LayerRule(layer) { LearningRateFactor = 1e-12 }]));
        foreach (var (before, after) in first.Networks.Zip(second.Networks).Take(subject.NetworkCount))
        {
            Floor.Below(1e-6, Distance(before, after, layer), $"{name} same");
            Floor.Above(1e-4, before.WeightShapes.Keys.Max(other => Distance(before, after, other)), $"{name} others");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void NoSuchLayer_IsNamed(string name)
    {
        var subject = Subjects.Training(name);
        Assert.Contains("'nowhere'", Assert.Throws<ArgumentException>(() => subject.Fit(subject.Rows(20), o => o.FrozenLayers = ["nowhere"])).Message);
        Assert.Contains("'nowhere'", Assert.Throws<ArgumentException>(() => subject.Fit(subject.Rows(20), o => o.LayerRules = [new LayerRule("nowhere")])).Message);
    }

    /// <summary>A matrix that every network of the model has.</summary>
    private static string LayerOf(TrainedModel model) => model.Networks[0].WeightShapes.First(entry => entry.Value.Count() >= 2).Key;

    private static double Distance(NetworkModelParameters a, NetworkModelParameters b, string layer) =>
        a.GetWeights(layer).Zip(b.GetWeights(layer), (x, y) => Math.Abs((double)x - y)).Max();
}
