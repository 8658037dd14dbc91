using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>What the output columns hold, by task.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class OutputTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Columns_AreConsistent(string name)
    {
        var subject = Subjects.Get(name);
        var scored = subject.Fit(subject.Rows(200)).Transform(subject.View(Ml, 100, seed: 2));
        if (subject.Task == ContractTask.Binary)
            CheckBinary(name, scored);
        else if (subject.Task == ContractTask.Multiclass)
            CheckMulticlass(scored);
        else
            CheckRegression(name, scored);
    }

    private static void CheckBinary(string name, IDataView scored)
    {
        var scores = scored.GetColumn<float>("Score").ToArray();
        var probabilities = scored.GetColumn<float>("Probability").ToArray();
        var labels = scored.GetColumn<bool>("PredictedLabel").ToArray();
        for (var i = 0; i < scores.Length; i++)
        {
            Assert.AreEqual(1 / (1 + Math.Exp(-scores[i])), probabilities[i], 1e-6);
            Assert.AreEqual(probabilities[i] >= 0.5f, labels[i]);
        }
        Assert.Contains(true, labels);
        Assert.Contains(false, labels);
        Floor.Above(0.9, Ml.BinaryClassification.Evaluate(scored, nameof(Example.Flag)).AreaUnderRocCurve, name, member: nameof(Columns_AreConsistent));
    }

    private static void CheckMulticlass(IDataView scored)
    {
        var score = scored.Schema["Score"];
        VBuffer<ReadOnlyMemory<char>> slots = default;
        score.GetSlotNames(ref slots);
        CollectionAssert.AreEqual(Example.ClassNames, slots.DenseValues().Select(slot => slot.ToString()).ToArray());
        var names = Ml.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel").Fit(scored).Transform(scored)
            .GetColumn<ReadOnlyMemory<char>>("Named").Select(value => value.ToString()).ToArray();
        var keys = scored.GetColumn<uint>("PredictedLabel").ToArray();
        var scores = scored.GetColumn<float[]>("Score").ToArray();
        for (var i = 0; i < scores.Length; i++)
        {
            Assert.AreEqual(1, scores[i].Sum(), 1e-5);
            Assert.AreEqual(Array.IndexOf(scores[i], scores[i].Max()) + 1, (int)keys[i]);
            Assert.AreEqual(Example.ClassNames[keys[i] - 1], names[i]);
        }
        Assert.HasCount(3, keys.Distinct().ToArray());
        Assert.AreEqual(3, Ml.MulticlassClassification.Evaluate(scored, nameof(Example.Class)).ConfusionMatrix.NumberOfClasses);
    }

    private static void CheckRegression(string name, IDataView scored)
    {
        var scores = scored.GetColumn<float>("Score").ToArray();
        var targets = scored.GetColumn<float>(nameof(Example.Target)).ToArray();
        Floor.Near(targets.Average(), scores.Average(), 4, $"{name} mean", member: nameof(Columns_AreConsistent));
        Floor.Below(4, Ml.Regression.Evaluate(scored, nameof(Example.Target)).RootMeanSquaredError, name, member: nameof(Columns_AreConsistent));
    }
}
