using System.Text;
using MLExtensions.Models;

namespace MLExtensions.Tests.History;

[TestClass]
public class TrainingHistoryTests
{
    private const string Entry = "history.json";

    [TestMethod]
    public void JsonRoundTripKeepsEveryBit()
    {
        var history = Sample();

        var copy = TrainingHistoryJson.FromJson(history.ToJson(), Entry);

        Assert.AreEqual(history, copy);
        Assert.AreEqual(history.GetHashCode(), copy.GetHashCode());
        Assert.AreEqual(0.1 + 0.2, copy.Epochs[0].LearningRate);
        Assert.IsTrue(double.IsNaN(copy.Epochs[1].TrainingLoss));
        Assert.AreEqual(double.PositiveInfinity, copy.Epochs[1].ValidationLoss);
        Assert.AreEqual(0, copy.BeforeTraining!.Epoch);
    }

    [TestMethod]
    public void JsonIsCamelCaseAndKeepsMetricNames()
    {
        var json = Encoding.UTF8.GetString(Sample().ToJson());

        StringAssert.Contains(json, "\"bestEpoch\": 1");
        StringAssert.Contains(json, "\"learningRate\": 0.30000000000000004");
        StringAssert.Contains(json, "\"Loss of G\": 1E-300");
        StringAssert.Contains(json, "\"NaN\"");
        Assert.DoesNotContain("trainingLoss", json);
    }

    [TestMethod]
    public void EqualityIsByValue()
    {
        Assert.AreEqual(Sample(), Sample());
        Assert.AreNotEqual(Sample(), Sample() with { Seed = 8 });
        Assert.AreNotEqual(Sample(), Sample() with { Epochs = [Sample().Epochs[0]] });
        Assert.AreNotEqual(Record(1, 0.5), Record(1, 0.25));
        Assert.AreNotEqual(Record(1, 0.5), Record(1, 0.5) with { Validation = new Dictionary<string, double> { ["loss"] = 1 } });
    }

    [TestMethod]
    public void LaterChangesOfTheArgumentsDoNotReachTheRecord()
    {
        var metrics = new Dictionary<string, double> { ["loss"] = 1 };
        var record = Record(1, 0) with { Training = metrics };
        var epochs = new List<EpochRecord> { record };
        var history = Sample() with { Epochs = epochs };

        metrics["loss"] = 2;
        epochs.Clear();

        Assert.AreEqual(1, record.TrainingLoss);
        Assert.HasCount(1, history.Epochs);
    }

    [TestMethod]
    public void LossIsNullWithoutValidationAndAnErrorWithoutTrainingLoss()
    {
        var record = Record(3, 0.5) with { Training = new Dictionary<string, double> { ["reward"] = 5 } };

        Assert.IsNull(record.ValidationLoss);
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => record.TrainingLoss);
        StringAssert.Contains(error.Message, "reward");
        StringAssert.StartsWith(record.ToString(), "epoch 3, reward 5,");
    }

    [TestMethod]
    public void EpochsMustAscendFromOne()
    {
        Assert.ThrowsExactly<ArgumentException>(() => Sample() with { Epochs = [Record(0, 1)] });
        var error = Assert.ThrowsExactly<ArgumentException>(() => Sample() with { Epochs = [Record(1, 1), Record(1, 1)] });
        StringAssert.Contains(error.Message, "Epochs[1] is 1; it must be at least 2");
    }

    [TestMethod]
    [DataRow("null")]
    [DataRow("[]")]
    [DataRow("{}")]
    [DataRow("""{"epochs":null,"stopReason":"epochs","seed":1,"threadCount":1,"device":"cpu","precision":"float32"}""")]
    [DataRow("""{"epochs":[null],"stopReason":"epochs","seed":1,"threadCount":1,"device":"cpu","precision":"float32"}""")]
    [DataRow("""{"epochs":[],"stopReason":null,"seed":1,"threadCount":1,"device":"cpu","precision":"float32"}""")]
    [DataRow("""{"epochs":[],"stopReason":"epochs","seed":1,"seed":2,"threadCount":1,"device":"cpu","precision":"float32"}""")]
    [DataRow("""{"epochs":[{"epoch":1,"learningRate":1,"seconds":1,"examples":1}],"stopReason":"a","seed":1,"threadCount":1,"device":"cpu","precision":"float32"}""")]
    [DataRow("""{"epochs":[{"epoch":1,"learningRate":1,"seconds":1,"examples":1,"training":null}],"stopReason":"a","seed":1,"threadCount":1,"device":"cpu","precision":"float32"}""")]
    public void IncompleteOrContradictoryJsonIsRefused(string json)
    {
        var error = Assert.ThrowsExactly<ModelFormatException>(() => TrainingHistoryJson.FromJson(Encoding.UTF8.GetBytes(json), Entry));

        StringAssert.StartsWith(error.Message, Entry + ": ");
    }

    [TestMethod]
    public void EveryTruncationIsRefusedAndNoFlippedBitGivesAnotherException()
    {
        var json = Sample().ToJson();
        for (var length = 0; length < json.Length; length++)
        {
            Assert.ThrowsExactly<ModelFormatException>(() => TrainingHistoryJson.FromJson(json.AsSpan(0, length), Entry));
        }
        for (var bit = 0; bit < json.Length * 8; bit++)
        {
            json[bit / 8] ^= (byte)(1 << bit % 8);
            try
            {
                TrainingHistoryJson.FromJson(json, Entry);
            }
            catch (ModelFormatException)
            {
            }
            json[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }

    [TestMethod]
    public void AbsurdSizeIsRefused()
    {
        var spaces = new byte[TrainingHistoryJson.MaxBytes + 1];
        spaces.AsSpan().Fill((byte)' ');

        Assert.ThrowsExactly<ModelFormatException>(() => TrainingHistoryJson.FromJson(spaces, Entry));
        Assert.ThrowsExactly<ModelFormatException>(() => TrainingHistoryJson.FromJson(new MemoryStream(spaces), Entry));
    }

    private static TrainingHistory Sample() => new()
    {
        Epochs = [Record(1, 0.25), Record(2, double.NaN) with { Validation = new Dictionary<string, double> { ["loss"] = double.PositiveInfinity } }],
        BestEpoch = 1,
        StopReason = StopReason.EarlyStopping,
        Seed = 7,
        ThreadCount = 2,
        Device = "cpu",
        Precision = "float32",
        BeforeTraining = Record(0, 2.302585092994046),
    };

    private static EpochRecord Record(int epoch, double loss) => new()
    {
        Epoch = epoch,
        LearningRate = 0.1 + 0.2,
        Seconds = 1.0 / 3,
        Examples = 60_000L * 60_000,
        Training = new Dictionary<string, double> { ["loss"] = loss, ["Loss of G"] = 1e-300 },
    };
}
