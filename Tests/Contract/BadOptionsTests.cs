using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Options are checked when the trainer is made, and copied.</summary>
[TestClass]
public sealed class BadOptionsTests
{
    private static readonly (string Option, string Value, Action<DataTrainingOptions> Set)[] Bad =
    [
        ("Epochs", "0", o => o.Epochs = 0),
        ("BatchSize", "-3", o => o.BatchSize = -3),
        ("LearningRate", "0", o => o.LearningRate = 0),
        ("LearningRate", "NaN", o => o.LearningRate = double.NaN),
        ("LearningRate", "Infinity", o => o.LearningRate = double.PositiveInfinity),
        ("L2Regularization", "-0.5", o => o.L2Regularization = -0.5),
        ("L1Regularization", "-0.5", o => o.L1Regularization = -0.5),
        ("WeightDecay", "-0.5", o => o.WeightDecay = -0.5),
        ("GradientClipNorm", "0", o => o.GradientClipNorm = 0),
        ("Initialization", "77", o => o.Initialization = (WeightInitialization)77),
        ("ValidationFraction", "1", o => o.ValidationFraction = 1),
        ("ValidationFraction", "-0.1", o => o.ValidationFraction = -0.1),
        ("EarlyStopping.Patience", "0", o => o.EarlyStopping = new EarlyStopping { Patience = 0 }),
        ("EarlyStopping.MinimumDelta", "-1", o => o.EarlyStopping = new EarlyStopping { MinimumDelta = -1 }),
        ("EmaDecay", "1", o => o.EmaDecay = 1),
        ("Device", "tpu", o => o.Device = "tpu"),
        ("Device", "cuda:-1", o => o.Device = "cuda:-1"),
        ("Precision", "9", o => o.Precision = (Precision)9),
        ("ThreadCount", "0", o => o.ThreadCount = 0),
        ("Buffering", "9", o => o.Buffering = (Buffering)9),
        ("CheckpointInterval", "0", o => o.CheckpointInterval = 0),
        ("ResumeFromCheckpoint", "CheckpointFolder", o => o.ResumeFromCheckpoint = true),
        ("Momentum", "2", o => o.Optimizer = new SgdOptimizer { Momentum = 2 }),
        ("Optimizer", "", o => o.Optimizer = null!),
        ("LearningRateSchedule", "", o => o.LearningRateSchedule = null!),
        ("Device", "", o => o.Device = null!),
    ];

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void OutOfRange_IsRefusedAtConstruction(string name)
    {
        var subject = Subjects.Training(name);
        foreach (var (option, value, set) in Bad.Concat(subject.BadOptions))
        {
            var error = Assert.Throws<ArgumentException>(() => subject.CreateEstimator(new MLContext(), subject.Options(set)), $"{option} = {value}");
            Assert.Contains(option, error.Message);
            Assert.Contains(value, error.Message);
        }
        Assert.Throws<ArgumentNullException>(() => subject.CreateEstimator(new MLContext(), null!));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void ChangedAfterwards_HasNoEffect(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var options = subject.Options(o => o.Epochs = 2);
        var trainer = subject.CreateEstimator(ml, options);
        options.Epochs = 5;
        options.BatchSize = 0;
        options.LearningRate = double.NaN;
        options.Seed = 99;
        subject.SetEveryColumn(options, "Nowhere");
        options.Optimizer = new SgdOptimizer();
        var model = subject.Fit(trainer, subject.View(ml, 60));
        Outcome.AssertSameBits(Outcome.Weights(subject.Fit(subject.Rows(60), o => o.Epochs = 2)), Outcome.Weights(model));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void EarlyStoppingWithoutValidation_SaysWhatToDo(string name)
    {
        var subject = Subjects.Training(name);
        // Where there is no best epoch, the option is refused at construction, with validation data or without.
        if (!subject.HasGoal)
            return;
        var error = Assert.Throws<ArgumentException>(() => subject.Fit(subject.Rows(20), o => o.EarlyStopping = new EarlyStopping()));
        Assert.Contains(nameof(DataTrainingOptions.ValidationFraction), error.Message);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void NoSuchDevice_SaysWhatToDo(string name)
    {
        var subject = Subjects.Training(name);
        var error = Assert.Throws<InvalidOperationException>(() => subject.Fit(subject.Rows(20), o => o.Device = "cuda:63"));
        Assert.Contains("cuda:63", error.Message);
        Assert.Contains("cpu", error.Message);
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void EveryOptimizerAndSchedule_Trains(string name)
    {
        var subject = Subjects.Training(name);
        Optimizer[] optimizers = [new SgdOptimizer { Momentum = 0.9, Nesterov = true }, new AdamOptimizer(), new AdamWOptimizer(), new RmsPropOptimizer(), new AdagradOptimizer(), new AdadeltaOptimizer()];
        LearningRateSchedule[] schedules = [new ConstantSchedule { WarmupEpochs = 1 }, new StepSchedule(), new ExponentialSchedule(), new CosineSchedule(), new OneCycleSchedule(), new ConstantSchedule()];
        foreach (var (optimizer, schedule) in optimizers.Zip(schedules))
        {
            var model = subject.Fit(subject.Rows(200), o => (o.Epochs, o.Optimizer, o.LearningRateSchedule, o.LearningRate) = (8, optimizer, schedule, subject.RateOf(optimizer) ?? o.LearningRate));
            // Networks above the first are trained on what it gives them, of which there is less to learn.
            var history = model.Histories.First();
            if (subject.HasGoal)
                Floor.Below(0.98, history.Epochs[^1].TrainingLoss / history.Epochs[0].TrainingLoss, $"{name} {optimizer.GetType().Name}");
        }
    }
}
