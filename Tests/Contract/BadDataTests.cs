using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Data that cannot be trained on is refused at once, by column, row and value; data that can be is trained on.</summary>
[TestClass]
public sealed class BadDataTests
{
    private const int BadRow = 7;

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void NotFiniteFeature_IsNamed(string name)
    {
        var subject = Subjects.Training(name);
        if (subject.TakesAnyValue)
            return;
        foreach (var buffering in subject.Bufferings)
        {
            foreach (var value in new[] { float.NaN, float.PositiveInfinity })
            {
                var message = TrainingRefusal<FormatException>(name, rows => rows[BadRow] = subject.Spoil(rows[BadRow], 1, value), o => o.Buffering = buffering);
                Assert.Contains(FormattableString.Invariant($"{subject.PlaceOf(BadRow, 1)}: the value is {value}"), message);
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void BadWeight_IsNamed(string name)
    {
        foreach (var value in new[] { -1f, float.NaN, float.PositiveInfinity })
        {
            var message = Refusal<FormatException>(name, rows => rows[BadRow].Weight = value, o => o.ExampleWeightColumnName = nameof(Example.Weight));
            Assert.Contains(FormattableString.Invariant($"'Weight', row 7 (the first row is 0): the value is {value}"), message);
        }
        Assert.Contains("Every example weight", Refusal<ArgumentException>(name, rows => Array.ForEach(rows, row => row.Weight = 0), o => o.ExampleWeightColumnName = nameof(Example.Weight)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void MissingLabels_AreLeftOutWithOneWarning(string name)
    {
        var subject = Subjects.Get(name);
        var rows = subject.Rows(100);
        var whole = rows.Where((_, i) => i % 10 != 0).ToArray();
        if (!rows.Where((_, i) => i % 10 == 0).ToArray().All(subject.Task.RemoveLabel))
            return;
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, log) => warnings.AddRange(log.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning ? [log.Message] : []);
        var model = subject.Fit(rows, o => o.Epochs = 2, noisy: true, ml);
        var warning = warnings.Single(line => line.Contains("no label"));
        Assert.Contains("10 rows", warning);
        CollectionAssert.Contains(model.History.Warnings.ToArray(), warning[(warning.IndexOf(']') + 1)..].Trim());
        Assert.Contains(subject.Task.LabelColumn, warning);
        Outcome.AssertSameBits(Outcome.Weights(subject.Fit(whole, o => o.Epochs = 2, noisy: true)), Outcome.Weights(model));
        warnings.Clear();
        subject.Fit(rows, o => (o.Epochs, o.Buffering) = (3, Buffering.Streaming), ml: ml);
        Assert.Contains("10 rows", warnings.Single(line => line.Contains("no label")));
        Assert.Contains("None of the 100 rows", Refusal<ArgumentException>(name, all => Array.ForEach(all, row => subject.Task.RemoveLabel(row)), rows: 100));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void FeatureColumn_MissingOrOfAWrongType_IsNamed(string name)
    {
        var subject = Subjects.Training(name);
        Assert.Contains("'Nowhere' is not in the data", TrainingRefusal<ArgumentException>(name, change: o => subject.SetFeatureColumn(o, "Nowhere")));
        Assert.Contains($"'{nameof(Example.Flag)}' has type", TrainingRefusal<ArgumentException>(name, change: o => subject.SetFeatureColumn(o, nameof(Example.Flag))));
        Assert.Contains($"'{nameof(Example.Class)}' has type", TrainingRefusal<ArgumentException>(name, change: o => subject.SetFeatureColumn(o, nameof(Example.Class))));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Columns_MissingOrOfAWrongType_AreNamed(string name)
    {
        var label = Subjects.Get(name).Task.LabelColumn;
        Assert.Contains("'Nowhere' is not in the data", Refusal<ArgumentException>(name, change: o => o.LabelColumnName = "Nowhere"));
        Assert.Contains("'Nowhere' is not in the data", Refusal<ArgumentException>(name, change: o => o.ExampleWeightColumnName = "Nowhere"));
        Assert.Contains("'Features' has type", Refusal<ArgumentException>(name, change: o => o.LabelColumnName = "Features"));
        Assert.Contains("'Features' has type", Refusal<ArgumentException>(name, change: o => o.ExampleWeightColumnName = "Features"));
        var others = new[] { nameof(Example.Flag), nameof(Example.Class), nameof(Example.Target) }.Where(other => other != label);
        foreach (var other in others)
            Assert.Contains($"'{other}' has type", Refusal<ArgumentException>(name, change: o => o.LabelColumnName = other));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void VectorOfUnknownSize_IsRefusedByName(string name)
    {
        var subject = Subjects.Training(name);
        if (subject.TakesAnyLength)
            return;
        var ml = new MLContext(1);
        var trainer = subject.CreateEstimator(ml, subject.Options());
        var error = Assert.Throws<ArgumentException>(() => trainer.Fit(Example.View(ml, subject.Rows(20), width: 0)));
        Assert.Contains("'Features'", error.Message);
        Assert.Contains("known size", error.Message);
        Assert.Throws<ArgumentException>(() => trainer.GetOutputSchema(SchemaShape.Create(Example.View(ml, subject.Rows(1), width: 0).Schema)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void NoRows_IsRefused(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var empty = Example.View(ml, [], subject.FeatureCount);
        foreach (var buffering in subject.Bufferings)
        {
            var trainer = subject.CreateEstimator(ml, subject.Options(o => o.Buffering = buffering));
            Assert.Contains(subject.NoRows, Assert.Throws<ArgumentException>(() => trainer.Fit(empty)).Message);
            Assert.Contains(subject.NoValidationRows, Assert.Throws<ArgumentException>(() => subject.Fit(trainer, subject.View(ml, 10), empty)).Message);
        }
        if (subject.RowsAreExamples)
            Assert.Contains("ValidationFraction", TrainingRefusal<ArgumentException>(name, change: o => o.ValidationFraction = 0.01, rows: 3));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void OneRow_OneClass_EqualFeatures_GiveFiniteScores(string name)
    {
        var subject = Subjects.Training(name);
        var rows = subject.Rows(40);
        var equal = rows.Select(subject.MakeEqual).ToArray();
        foreach (var set in new[] { rows[..subject.MinimumRows], rows.Where(row => row.Flag == rows[0].Flag && (row.Class == rows[0].Class || !subject.TakesOneClass)).ToArray(), equal })
        {
            var model = subject.Fit(set, o => o.Epochs = 3);
            Assert.IsTrue(subject.Values(model.Transform(subject.View(new MLContext(), 20))).All(float.IsFinite));
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void EqualLabels_AreLearned(string name)
    {
        var subject = Subjects.Get(name);
        var rows = subject.Rows(40);
        foreach (var row in rows)
            row.Target = 5;
        var constant = subject.Fit(rows, o => o.Epochs = 60);
        if (subject.Task == ContractTask.Regression)
            Floor.Near(5, Outcome.Scores(constant.Transform(subject.View(new MLContext(), 20))).Average(), 0.1, name);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void RowOfAnotherLength_IsNamed(string name)
    {
        var subject = Subjects.Training(name);
        if (subject.TakesAnyLength)
            return;
        var message = TrainingRefusal<Exception>(name, rows => rows[BadRow] = rows[BadRow].With(1, 2, 3, 4));
        Assert.Contains($"'Features', row 7 (the first row is 0): there are 4 values; there must be {subject.FeatureCount}", message);
    }

    private static string Refusal<TException>(string name, Action<Example[]>? spoil = null, Action<SupervisedTrainerOptions>? change = null, int rows = 20)
        where TException : Exception =>
        TrainingRefusal<TException>(name, spoil, o => change?.Invoke((SupervisedTrainerOptions)o), rows);

    private static string TrainingRefusal<TException>(string name, Action<Example[]>? spoil = null, Action<DataTrainingOptions>? change = null, int rows = 20)
        where TException : Exception
    {
        var subject = Subjects.Training(name);
        var data = subject.Rows(rows);
        spoil?.Invoke(data);
        return Assert.Throws<TException>(() => subject.Fit(data, change)).Message;
    }
}
