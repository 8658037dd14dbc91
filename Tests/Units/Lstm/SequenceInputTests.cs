using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using static MLExtensions.Tests.Lstm.SequenceModel;

namespace MLExtensions.Tests.Lstm;

/// <summary>Sequences that are long, empty or broken, and columns that are none.</summary>
[TestClass]
public sealed class SequenceInputTests
{
    [TestMethod]
    public void MaximumLength_IsTheLongestOfTheTrainingData()
    {
        var rows = SequenceRow.Random(50, 9);
        rows[30].Values = new float[23];
        rows[31].Text = string.Join(' ', Enumerable.Repeat("w1", 17));
        Assert.AreEqual(23, Architecture(Fit(rows)).Input.MaximumLength);
        Assert.AreEqual(17, Architecture(Fit(rows, features: Texts)).Input.MaximumLength);
        Assert.AreEqual(5, Architecture(Fit(rows, options => options.MaximumLength = 5)).Input.MaximumLength);
        rows[40].Values = new float[1500];
        Assert.AreEqual(1000, Architecture(Fit(rows, options => options.Epochs = 1)).Input.MaximumLength);
    }

    [TestMethod]
    public void VectorOfKnownSize_HasThatManySteps()
    {
        var data = Example.View(Ml, Example.Create(20));
        var model = Ml.Regression.Trainers.Recurrent(Options<RecurrentRegressionTrainer.Options>("Features", "Target", options => options.StepSize = 3)).Fit(data);
        Assert.AreEqual(2, Architecture(model).Input.MaximumLength);
        Assert.AreEqual(7, Architecture(model).InputCount);
        var error = Assert.Throws<ArgumentException>(() => Ml.Regression.Trainers.Recurrent(Options<RecurrentRegressionTrainer.Options>("Features", "Target", options => options.StepSize = 4)).Fit(data));
        Assert.Contains("'Features' has 6 values", error.Message);
        Assert.Contains("4 (StepSize)", error.Message);
        // Another known size is a matter of fact before any row is read.
        var narrow = Example.View(Ml, Example.Create(5, 4));
        Assert.Contains("3 values per time step", Outcome.Messages(Assert.Throws<Exception>(() => model.Transform(narrow))));
    }

    [TestMethod]
    public void LongSequences_KeepTheirEndOrBeginning()
    {
        var rows = SequenceRow.Random(40, 9);
        float[] longer = [9, 8, 7, 1, 2, 3];
        using var ends = Fit(rows, options => options.MaximumLength = 3);
        var scores = Scores(ends, SequenceRow.Of(longer), SequenceRow.Of(1, 2, 3), SequenceRow.Of(9, 8, 7));
        Assert.AreEqual(scores[1], scores[0], 1e-6);
        Assert.AreNotEqual(scores[2], scores[0], 1e-4);
        using var beginnings = Fit(rows, options => (options.MaximumLength, options.LongSequenceHandling) = (3, LongSequenceHandling.KeepBeginning));
        scores = Scores(beginnings, SequenceRow.Of(longer), SequenceRow.Of(1, 2, 3), SequenceRow.Of(9, 8, 7));
        Assert.AreEqual(scores[2], scores[0], 1e-6);
        Assert.AreNotEqual(scores[1], scores[0], 1e-4);
    }

    [TestMethod]
    public void LongSequences_OfSteps_AreCutBetweenSteps()
    {
        var rows = SequenceRow.Random(40, 9).Select(row => SequenceRow.Of([.. row.Values, .. row.Values])).ToArray();
        rows[0].Flag = true;
        using var model = Fit(rows, options => (options.MaximumLength, options.StepSize) = (2, 2));
        var scores = Scores(model, SequenceRow.Of(9, 8, 1, 2, 3, 4), SequenceRow.Of(1, 2, 3, 4));
        Assert.AreEqual(scores[1], scores[0], 1e-6);
    }

    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void LongSequences_CanBeRefused(Buffering buffering)
    {
        var rows = SequenceRow.Random(40, 4);
        rows[7].Values = new float[6];
        void Refuse(RecurrentOptions options) => (options.MaximumLength, options.LongSequenceHandling, options.Buffering) = (4, LongSequenceHandling.Throw, buffering);
        AssertRefused(() => Fit(rows, Refuse), "'Values', row 7 (the first row is 0): the sequence has 6 time steps; at most 4", "MaximumLength");
        using var model = Fit(rows[..7], Refuse);
        AssertRefused(() => Scores(model, rows), "'Values', row 7 (the first row is 0): the sequence has 6 time steps; at most 4");
        AssertRefused(() => ScoresOneByOne(model, rows[7..8]), "'Values', row 0 (the first row is 0): the sequence has 6 time steps");
    }

    [TestMethod]
    [DataRow(Values)]
    [DataRow(Texts)]
    public void EmptySequences_AreRefusedOrZeros(string features)
    {
        var rows = SequenceRow.Random(40, 4);
        (rows[7].Values, rows[7].Text) = ([], "");
        var refusal = $"'{features}', row 7 (the first row is 0): the sequence is empty; allow empty sequences with EmptySequenceHandling.Zeros";
        AssertRefused(() => Fit(rows, Refuse, features), refusal);
        AssertRefused(() => Fit(rows, options => (options.Buffering, options.EmptySequenceHandling) = (Buffering.Streaming, EmptySequenceHandling.Throw), features), refusal);
        using (var refusing = Fit(rows[..7], Refuse, features))
        {
            AssertRefused(() => Scores(refusing, rows), refusal);
            AssertRefused(() => ScoresOneByOne(refusing, rows[7..8]), "row 0 (the first row is 0): the sequence is empty");
        }
        foreach (var pooling in Enum.GetValues<SequencePooling>())
        {
            using var model = Fit(rows, options => (options.EmptySequenceHandling, options.Pooling) = (EmptySequenceHandling.Zeros, pooling), features);
            var scores = Scores(model, rows);
            Assert.IsTrue(scores.All(float.IsFinite));
            // Nothing but the output layer's bias.
            Assert.AreEqual(model.Model.GetWeights("output.bias")[0], scores[7], 1e-6);
            Assert.AreEqual(scores[7], ScoresOneByOne(model, rows[7..8])[0], 1e-6);
        }

        static void Refuse(RecurrentOptions options) => options.EmptySequenceHandling = EmptySequenceHandling.Throw;
    }

    [TestMethod]
    public void MissingText_IsAnEmptySequence()
    {
        using var model = Fit(SequenceRow.Random(40, 4), options => options.EmptySequenceHandling = EmptySequenceHandling.Zeros, Texts);
        var scores = Scores(model, SequenceRow.OfText(null), SequenceRow.OfText(""), SequenceRow.OfText("   "));
        Assert.AreEqual(scores[1], scores[0], 1e-6);
        Assert.AreEqual(scores[1], scores[2], 1e-6);
    }

    [TestMethod]
    public void NotFinite_IsNamedByRowAndSlot()
    {
        var rows = SequenceRow.Random(40, 6);
        rows[7].Values = [1, 2, float.NegativeInfinity, 4];
        AssertRefused(() => Fit(rows), "'Values', row 7 (the first row is 0), slot 2: the value is -Infinity");
        using var model = Fit(rows[..7]);
        AssertRefused(() => Scores(model, rows), "'Values', row 7 (the first row is 0), slot 2: the value is -Infinity");
    }

    [TestMethod]
    public void ValuesThatAreNoWholeSteps_AreNamedByRow()
    {
        var rows = Enumerable.Range(0, 20).Select(i => SequenceRow.Of(new float[2 + (2 * (i % 3))])).ToArray();
        using var model = Fit(rows, options => options.StepSize = 2);
        rows[7].Values = new float[5];
        AssertRefused(() => Fit(rows, options => options.StepSize = 2), "'Values', row 7 (the first row is 0): 5 values are not a multiple of the step size 2");
        AssertRefused(() => Scores(model, rows), "'Values', row 7 (the first row is 0): 5 values are not a multiple of the step size 2");
    }

    [TestMethod]
    public void MissingKey_IsNamedByRowAndSlot()
    {
        var rows = SequenceRow.Random(60, 6);
        var model = ToKeys.Append(Binary(Keys, options => options.MissingKeyHandling = MissingKeyHandling.Throw)).Fit(SequenceRow.View(Ml, rows));
        rows[7].Text = "w1 w2 never w3";
        AssertRefused(() => Scores(model, rows), "'Keys', row 7 (the first row is 0), slot 2: the key is missing");
    }

    [TestMethod]
    public void UnknownCharacter_IsNamedWithItsRow()
    {
        using var model = Fit(SequenceRow.Random(60, 6), options => options.Tokenization = Tokenization.Characters(allowUnknown: false), Texts);
        AssertRefused(() => Scores(model, SequenceRow.OfText("w1"), SequenceRow.OfText("w1 \u00E4")), "'Text', row 1 (the first row is 0): The character '\u00E4' (U+00E4) is not among");
        using var tolerant = Fit(SequenceRow.Random(60, 6), options => options.Tokenization = Tokenization.Characters(), Texts);
        Assert.IsTrue(float.IsFinite(Scores(tolerant, SequenceRow.OfText("w1 \u00E4")).Single()));
    }

    [TestMethod]
    public void ColumnsThatAreNoSequences_AreRefused()
    {
        var data = SequenceRow.View(Ml, SequenceRow.Random(20));
        var doubles = Ml.Transforms.Conversion.ConvertType(Values, outputKind: DataKind.Double).Fit(data).Transform(data);
        var words = Ml.Transforms.Text.TokenizeIntoWords("Words", Texts).Fit(data).Transform(data);
        AssertRefused(() => Binary(Values).Fit(doubles), "'Values' has type", "Double", "a vector of keys", "Text");
        AssertRefused(() => Binary("Words").Fit(words), "'Words' has type", "it must be a Vector<Single>");
        AssertRefused(() => Binary("Target").Fit(data), "'Target' has type Single");
        AssertRefused(() => Binary("Class").Fit(data), "'Class' has type");
    }

    [TestMethod]
    public void Models_RefuseColumnsOfAnotherKind()
    {
        var data = SequenceRow.View(Ml, SequenceRow.Random(60));
        var asText = Ml.Transforms.CopyColumns(Values, Texts).Fit(data).Transform(data);
        using var model = Binary(Values).Fit(data);
        AssertRefused(() => Outcome.Scores(model.Transform(asText)), "'Values' has type String", "trained on Vector<Single>");
        var keys = ToKeys.Fit(data).Transform(data);
        using var ofKeys = Binary(Keys).Fit(keys);
        // Keys of another mapping are found by what they stand for.
        var fewer = SequenceRow.View(Ml, SequenceRow.OfText("w1 w2"));
        Outcome.AssertSameBits(Outcome.Scores(ofKeys.Transform(ToKeys.Fit(data).Transform(fewer))), Outcome.Scores(ofKeys.Transform(ToKeys.Fit(fewer).Transform(fewer))));
        var other = SequenceRow.View(Ml, SequenceRow.OfText("w1 never"));
        AssertRefused(() => Outcome.Scores(ofKeys.Transform(ToKeys.Fit(other).Transform(other))), "'Keys', row 0", "'never'", "the model does not have");
    }

    [TestMethod]
    public void NoRows_IsRefused()
    {
        var empty = SequenceRow.View(Ml);
        foreach (var features in new[] { Values, Texts })
        {
            foreach (var buffering in Enum.GetValues<Buffering>())
                AssertRefused(() => Binary(features, options => options.Buffering = buffering).Fit(empty), "no rows");
        }
    }

    [TestMethod]
    public void Options_AreCheckedByName()
    {
        (string Name, Action<RecurrentOptions> Set)[] bad =
        [
            ("Cell", o => o.Cell = (RecurrentCell)9),
            ("Layers", o => o.NumberOfLayers = 0),
            ("HiddenUnits", o => o.HiddenUnits = 0),
            ("Pooling", o => o.Pooling = (SequencePooling)9),
            ("Dropout", o => o.Dropout = 1),
            ("InputDropout", o => o.InputDropout = -0.1),
            ("StepSize", o => o.StepSize = 0),
            ("EmbeddingSize", o => o.EmbeddingSize = 0),
            ("Tokenization", o => o.Tokenization = null!),
            ("Tokenization", o => o.Tokenization = Tokenization.Words(2)),
            ("MaximumLength", o => o.MaximumLength = 0),
            ("LongSequenceHandling", o => o.LongSequenceHandling = (LongSequenceHandling)9),
            ("EmptySequenceHandling", o => o.EmptySequenceHandling = (EmptySequenceHandling)9),
            ("MissingKeyHandling", o => o.MissingKeyHandling = (MissingKeyHandling)9),
            ("ForgetBias", o => o.ForgetBias = double.NaN),
        ];
        foreach (var (name, set) in bad)
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => Binary(Values, set), name).Message);
        Assert.Contains("HiddenUnits", Assert.Throws<ArgumentException>(() => Ml.Regression.Trainers.Recurrent(hiddenUnits: -1)).Message);
    }

    private static void AssertRefused(Action action, params string[] parts)
    {
        var message = Outcome.Messages(Assert.Throws<Exception>(action));
        foreach (var part in parts)
            Assert.Contains(part, message);
    }
}
