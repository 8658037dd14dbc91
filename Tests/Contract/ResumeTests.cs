using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A checkpoint goes on with the training that it comes from, and with no other: never does corrected data give back the old network.</summary>
[TestClass]
public sealed class ResumeTests
{
    private const int Rows = 60;

    [TestMethod]
    [TestCategory("Heart")]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void CorrectedData_IsRefused(string name)
    {
        var subject = Subjects.Training(name);
        foreach (var buffering in subject.Bufferings)
        {
            using var folder = new TemporaryFolder();
            Train(subject, folder.Path, subject.Rows(Rows), o => o.Buffering = buffering).Dispose();
            AssertRefused("training data", () => Resume(subject, folder.Path, Corrected(subject), o => o.Buffering = buffering));
            // What the folder holds is still that of the first.
            using var resumed = Resume(subject, folder.Path, subject.Rows(Rows), o => o.Buffering = buffering);
            using var whole = Train(subject, null, subject.Rows(Rows), o => (o.Epochs, o.Buffering) = (3, buffering));
            Outcome.AssertSameBits(Outcome.Weights(whole), Outcome.Weights(resumed));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void RowsInAnotherOrder_AreRefused(string name)
    {
        var subject = Subjects.Training(name);
        foreach (var buffering in subject.Bufferings)
        {
            using var folder = new TemporaryFolder();
            Train(subject, folder.Path, subject.Rows(Rows), o => o.Buffering = buffering).Dispose();
            AssertRefused("training data", () => Resume(subject, folder.Path, subject.Rows(Rows).Reverse(), o => o.Buffering = buffering));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherValidationData_IsRefused(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        foreach (var buffering in subject.Bufferings)
        {
            using var folder = new TemporaryFolder();
            TrainedModel Fit(int validationSeed, bool resume)
            {
                var options = subject.Options(o => (o.Epochs, o.Buffering, o.CheckpointFolder, o.ResumeFromCheckpoint) = (resume ? 3 : 1, buffering, folder.Path, resume));
                return subject.Fit(subject.CreateEstimator(ml, options), subject.View(ml, Rows), subject.View(ml, 20, validationSeed));
            }
            Fit(3, resume: false).Dispose();
            AssertRefused("validation data", () => Fit(4, resume: true));
            AssertRefused("validation data", () => Resume(subject, folder.Path, subject.Rows(Rows), o => o.Buffering = buffering));
            Fit(3, resume: true).Dispose();
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherHalf_IsRefused(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        var rows = subject.Rows(2 * Rows);
        Resume(subject, folder.Path, rows[..Rows]).Dispose();
        AssertRefused("training data", () => Resume(subject, folder.Path, rows[Rows..]));
    }

    /// <summary>ML.NET trains each fold with one estimator: all have one folder.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Folds_NeverShareACheckpoint(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        using var folder = new TemporaryFolder();
        var trainer = subject.CreateTrainer(ml, subject.Options(o => (o.Epochs, o.CheckpointFolder, o.ResumeFromCheckpoint) = (1, folder.Path, true)));
        AssertRefused("training data", () => subject.Task.CrossValidate(ml, subject.View(ml, Rows), trainer, folds: 2));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherInitialModel_IsRefused(string name)
    {
        var subject = Subjects.Training(name);
        using var first = Train(subject, null, subject.Rows(Rows));
        using var second = Train(subject, null, subject.Rows(Rows), o => o.Epochs = 2);
        using var folder = new TemporaryFolder();
        Train(subject, folder.Path, subject.Rows(Rows), o => o.InitialModel = first.Transformer).Dispose();
        AssertRefused("initial weights", () => Resume(subject, folder.Path, subject.Rows(Rows), o => o.InitialModel = second.Transformer));
        AssertRefused("initial weights", () => Resume(subject, folder.Path, subject.Rows(Rows)));
        Resume(subject, folder.Path, subject.Rows(Rows), o => o.InitialModel = first.Transformer).Dispose();
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherInitialWeights_AreRefused(string name)
    {
        var subject = Subjects.Training(name);
        // A file has the weights of one network.
        if (subject.NetworkCount > 1)
            return;
        using var folder = new TemporaryFolder();
        var path = folder.File("weights.safetensors");
        void Save(int epochs)
        {
            using var model = Train(subject, null, subject.Rows(Rows), o => o.Epochs = epochs);
            model.Networks[0].SaveWeights(path);
        }
        Save(1);
        Train(subject, folder.File("checkpoint"), subject.Rows(Rows), o => o.InitialWeightsPath = path).Dispose();
        Save(2);
        AssertRefused("initial weights", () => Resume(subject, folder.File("checkpoint"), subject.Rows(Rows), o => o.InitialWeightsPath = path));
        Save(1);
        Resume(subject, folder.File("checkpoint"), subject.Rows(Rows), o => o.InitialWeightsPath = path).Dispose();
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherInitializationSeedOrOptimizer_IsRefused(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        Action<DataTrainingOptions> same = o => o.Initialization = WeightInitialization.XavierNormal;
        Train(subject, folder.Path, subject.Rows(Rows), same).Dispose();
        AssertRefused(nameof(DataTrainingOptions.Initialization), () => Resume(subject, folder.Path, subject.Rows(Rows), o => o.Initialization = WeightInitialization.HeNormal));
        AssertRefused(nameof(DataTrainingOptions.Seed), () => Resume(subject, folder.Path, subject.Rows(Rows), same + (o => o.Seed++)));
        AssertRefused(nameof(DataTrainingOptions.Optimizer), () => Resume(subject, folder.Path, subject.Rows(Rows), same + (o => o.Optimizer = new AdamOptimizer { Beta1 = 0.8 })));
        Resume(subject, folder.Path, subject.Rows(Rows), same).Dispose();
    }

    /// <summary>Half of the rows have exchanged a value or a label with a neighbor: all counts and sums are what they were.</summary>
    private static Example[] Corrected(TrainingSubject subject)
    {
        var rows = subject.Rows(Rows);
        for (var i = 0; i < rows.Length / 2; i += 2)
            (rows[i], rows[i + 1]) = subject.Exchange(rows[i], rows[i + 1]);
        return rows;
    }

    private static void AssertRefused(string what, Func<object> resume) =>
        Assert.Contains(what, Assert.ThrowsExactly<InvalidOperationException>(resume, $"other {what}").Message);

    private static TrainedModel Train(TrainingSubject subject, string? folder, IEnumerable<Example> rows, Action<DataTrainingOptions>? change = null) =>
        subject.Fit(rows, (o => (o.Epochs, o.CheckpointFolder) = (1, folder)) + change);

    private static TrainedModel Resume(TrainingSubject subject, string folder, IEnumerable<Example> rows, Action<DataTrainingOptions>? change = null) =>
        Train(subject, folder, rows, (o => (o.Epochs, o.ResumeFromCheckpoint) = (3, true)) + change);
}
