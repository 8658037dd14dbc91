using Microsoft.ML;
using static MLExtensions.Tests.Lstm.SequenceModel;

namespace MLExtensions.Tests.Lstm;

/// <summary>Known answers that only the order or the whole of a sequence tells.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class SequenceLearningTests
{
    [TestMethod]
    [TestCategory("Floor")]
    public void SumOfNumbers_OfAnyCount()
    {
        using var model = Regression(Values, options => (options.HiddenUnits, options.Epochs) = (16, 15)).Fit(SequenceRow.View(Ml, SequenceRow.Random(600, 8)));
        Assert.AreEqual(8, Architecture(model).Input.MaximumLength);
        Floor.Above(0.95, RSquared(model, SequenceRow.Random(200, 8, seed: 2)));
    }

    /// <summary>The sum of x y over pairs (x, y), y being 1 or -1: the network must see which values belong to a step.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void StepsOfTwoValues()
    {
        var model = Regression(Values, options => (options.StepSize, options.HiddenUnits, options.Epochs, options.Pooling) = (2, 16, 15, SequencePooling.Mean))
            .Fit(SequenceRow.View(Ml, Signed(500, 1)));
        Assert.AreEqual(6, Architecture(model).Input.MaximumLength);
        Floor.Above(0.9, RSquared(model, Signed(200, 2)));
    }

    /// <summary>The first of up to twelve keys decides: it must be remembered, or read last.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(RecurrentCell.Lstm, SequencePooling.Attention)]
    [DataRow(RecurrentCell.Gru, SequencePooling.Last)]
    public void Keys_TheFirstDecides(RecurrentCell cell, SequencePooling pooling)
    {
        var trainer = Binary(Keys, options => (options.Cell, options.Pooling, options.Bidirectional, options.Epochs) = (cell, pooling, true, 15));
        var model = ToKeys.Append(trainer).Fit(SequenceRow.View(Ml, Parity(400, 1)));
        Assert.AreEqual(10, Architecture(model.LastTransformer).Input is KeySequence keys ? keys.KeyCount : 0);
        Floor.Above(0.95, Accuracy(model, Parity(200, 2)), $"{cell}");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Words_WhichCameLast()
    {
        using var model = Fit(TwoWords(500, 1), options => (options.Cell, options.Epochs, options.HiddenUnits) = (RecurrentCell.Gru, 15, 16), Texts);
        Floor.Above(0.95, Accuracy(model, TwoWords(200, 2)));
    }

    /// <summary>Whether the last two of up to seven characters are the same.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Characters_TheLastTwo()
    {
        using var model = Fit(
            Pairs(500, 1),
            options => (options.Tokenization, options.Epochs, options.HiddenUnits) = (Tokenization.Characters(), 30, 16),
            Texts);
        Assert.AreEqual(5, ((TextSequence)Architecture(model).Input).Tokenizer.VocabularySize);
        Floor.Above(0.8, Accuracy(model, Pairs(200, 2)));
    }

    /// <summary>Losses fall about as far where weights are rounded to bfloat16.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void BFloat16_LossFalls()
    {
        using var model = Regression(Values, options => (options.HiddenUnits, options.Epochs, options.Precision) = (16, 10, Precision.BFloat16))
            .Fit(SequenceRow.View(Ml, SequenceRow.Random(300, 8)));
        var epochs = model.History.Epochs;
        Floor.Below(1 / 3.0, epochs[^1].TrainingLoss / epochs[0].TrainingLoss, "loss");
        Floor.Above(0.8, RSquared(model, SequenceRow.Random(200, 8, seed: 2)));
    }

    private static double RSquared(ITransformer model, IEnumerable<SequenceRow> rows) =>
        Ml.Regression.Evaluate(model.Transform(SequenceRow.View(Ml, rows)), nameof(SequenceRow.Target)).RSquared;

    private static double Accuracy(ITransformer model, IEnumerable<SequenceRow> rows) =>
        Ml.BinaryClassification.Evaluate(model.Transform(SequenceRow.View(Ml, rows)), nameof(SequenceRow.Flag)).Accuracy;

    private static SequenceRow[] Signed(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        return Rows(count, _ =>
        {
            var pairs = Enumerable.Range(0, 1 + random.Next(6)).Select(_ => (Value: (random.NextSingle() * 2) - 1, Sign: (random.Next(2) * 2) - 1)).ToArray();
            return new SequenceRow
            {
                Values = pairs.SelectMany(pair => new[] { pair.Value, pair.Sign }).ToArray(),
                Target = pairs.Average(pair => pair.Value * pair.Sign),
            };
        });
    }

    private static SequenceRow[] Parity(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        return Rows(count, i =>
        {
            // The first rows make sure that each word has a key.
            var words = Enumerable.Range(0, 1 + random.Next(12)).Select(_ => random.Next(10)).Prepend(i % 10).ToArray();
            return new SequenceRow { Text = string.Join(' ', words), Flag = words[0] % 2 == 1 };
        });
    }

    private static SequenceRow[] TwoWords(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        string Others() => string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => $"other{random.Next(5)}, "));
        return Rows(count, i => new SequenceRow
        {
            Text = i % 2 == 0 ? $"{Others()}Left {Others()}right {Others()}" : $"{Others()}RIGHT {Others()}left. {Others()}",
            Flag = i % 2 == 0,
        });
    }

    private static SequenceRow[] Pairs(int count, int seed)
    {
        var random = new Random(TestSeed.Of(seed));
        return Rows(count, i =>
        {
            var text = string.Concat(Enumerable.Range(0, 2 + random.Next(5)).Select(_ => (char)('a' + random.Next(3))));
            if (i % 2 == 0)
                text += text[^1];
            return new SequenceRow { Text = text, Flag = text[^1] == text[^2] };
        });
    }

    private static SequenceRow[] Rows(int count, Func<int, SequenceRow> create) => Enumerable.Range(0, count).Select(create).ToArray();

    /// <summary>What decides a text that is too long may be at its beginning or at its end: by default both are read.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(0)]
    [DataRow(50)]
    public void LongTexts_AreReadAtBothEnds(int signal)
    {
        static void Change(RecurrentOptions options) => (options.MaximumLength, options.Epochs, options.HiddenUnits, options.BatchSize) = (40, 15, 16, 10);
        Floor.Above(0.85, Accuracy(null), $"both ends, from {signal}");
        Floor.Below(0.8, Accuracy(signal == 0 ? LongSequenceHandling.KeepEnd : LongSequenceHandling.KeepBeginning), $"the other end, from {signal}");

        double Accuracy(LongSequenceHandling? handling)
        {
            var trainer = SequenceModel.Binary(SequenceModel.Texts, options =>
            {
                Change(options);
                options.LongSequenceHandling = handling;
            });
            using var model = trainer.Fit(Texts(300, 1), Texts(120, 2));
            return model.History.Epochs[^1].Validation["accuracy"];
        }

        IDataView Texts(int count, int seed)
        {
            var random = new Random(TestSeed.Of(seed));
            return SequenceRow.View(SequenceModel.Ml, Enumerable.Range(0, count).Select(i =>
            {
                var words = Enumerable.Range(0, 70).Select(_ => $"w{random.Next(10)}").ToArray();
                for (var word = 0; word < 20; word += 2)
                    words[signal + word + random.Next(2)] = i % 2 == 0 ? "good" : "bad";
                return new SequenceRow { Text = string.Join(' ', words), Flag = i % 2 == 0 };
            }));
        }
    }
}
