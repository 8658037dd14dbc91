using Microsoft.ML;
using TorchSharp;

namespace MLExtensions.Tests.Contract;

/// <summary>What the host has set for all of torch, in the process or on its thread, changes no number and is not changed.</summary>
[TestClass]
[DoNotParallelize]
public sealed class HostStateTests
{
    private static readonly Dictionary<string, float[]> Expected = [];

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void TypesDeviceThreadsAndNoGradients_ChangeNothing(string name)
    {
        var subject = Subjects.Training(name);
        var expected = ExpectedOf(subject);
        var (type, device, threads) = (torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads());
        try
        {
            torch.set_default_dtype(torch.ScalarType.Float64);
            torch.set_default_device(new torch.Device(DeviceType.META)); // a tensor without a device of its own has no values there
            torch.set_num_threads(3);
            using var anomalies = torch.autograd.set_detect_anomaly(name == "Autoencoder"); // takes a hundred times as long
            using var noGradients = torch.no_grad();
            AssertUnchanged(() => Outcome.AssertSameBits(expected, Run(subject)));
        }
        finally
        {
            torch.set_default_dtype(type);
            torch.set_default_device(device);
            torch.set_num_threads(threads);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkTransformerNames), typeof(Subjects))]
    public void InferenceModeAndAScope_ChangeNothing(string name)
    {
        var subject = Subjects.Training(name);
        var expected = ExpectedOf(subject);
        using var inference = torch.inference_mode();
        using var scope = torch.NewDisposeScope();
        AssertUnchanged(() => Outcome.AssertSameBits(expected, Run(subject)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void HandlerThatLeavesStateBehind_ChangesNothing(string name)
    {
        var subject = Subjects.Training(name);
        var rows = subject.Rows(40);
        void Options(DataTrainingOptions options) => (options.Epochs, options.ValidationFraction) = (3, 0.25);
        using var plain = subject.Fit(rows, Options, noisy: true);
        var reports = 0;
        AssertUnchanged(() =>
        {
            var listener = new Listener(_ =>
            {
                reports++;
                GC.SuppressFinalize(reports % 2 == 0 ? torch.no_grad() : torch.inference_mode());
                torch.set_num_threads(2);
            });
            using var disturbed = subject.Fit(
                rows,
                options =>
                {
                    Options(options);
                    options.Progress = listener;
                },
                noisy: true);
            Outcome.AssertSameBits(Outcome.Weights(plain), Outcome.Weights(disturbed));
        });
        Assert.IsGreaterThanOrEqualTo(3, reports);
    }

    /// <summary>What belongs to the whole process is the program's, also when a handler sets it.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void HandlerThatSetsTypeAndDevice_ChangesNothing_AndIsObeyed(string name)
    {
        var subject = Subjects.Training(name);
        var rows = subject.Rows(40);
        void Options(DataTrainingOptions options) => (options.Epochs, options.ValidationFraction) = (3, 0.25);
        using var plain = subject.Fit(rows, Options, noisy: true);
        var (type, device) = (torch.get_default_dtype(), torch.get_default_device());
        try
        {
            var listener = new Listener(_ =>
            {
                torch.set_default_dtype(torch.ScalarType.Float64);
                torch.set_default_device(new torch.Device(DeviceType.META));
            });
            using var disturbed = subject.Fit(
                rows,
                options =>
                {
                    Options(options);
                    options.Progress = listener;
                },
                noisy: true);
            Outcome.AssertSameBits(Outcome.Weights(plain), Outcome.Weights(disturbed));
            Assert.AreEqual((torch.ScalarType.Float64, DeviceType.META), (torch.get_default_dtype(), torch.get_default_device().type));
        }
        finally
        {
            torch.set_default_dtype(type);
            torch.set_default_device(device);
        }
    }

    private static float[] ExpectedOf(TrainingSubject subject)
    {
        if (!Expected.TryGetValue(subject.Name, out var values))
            Expected.Add(subject.Name, values = Run(subject));
        return values;
    }

    /// <summary>Trains, saves, loads, scores and uses a model.</summary>
    private static float[] Run(TrainingSubject subject)
    {
        var ml = new MLContext(1);
        var rows = subject.Rows(40);
        using var model = subject.Fit(rows, options => (options.Epochs, options.ValidationFraction) = (2, 0.25), noisy: true, ml);
        using var file = new MemoryStream();
        var data = Example.View(ml, rows);
        ml.Model.Save(model.Transformer, data.Schema, file);
        file.Position = 0;
        using var loaded = new TrainedModel(ml.Model.Load(file, out _));
        using var warm = subject.Fit(rows, options => (options.Epochs, options.InitialModel) = (1, subject.IsInitialModel ? loaded.Transformer : null), noisy: true, ml);
        return
        [
            .. Outcome.Weights(model),
            .. Outcome.Weights(loaded),
            .. Outcome.Weights(warm),
            .. subject.Values(loaded.Transform(data)),
            .. subject.MapsRows ? subject.PredictRows(ml, loaded.Transformer, rows.Take(3)) : [],
            .. ModelUse.Of(loaded.Transformer),
        ];
    }

    private static void AssertUnchanged(Action action)
    {
        var before = State();
        action();
        Assert.AreEqual(before, State());
    }

    private static string State()
    {
        using var generator = torch.Generator.Default;
        using var random = generator.get_state();
        return $"{torch.get_default_dtype()}, {torch.get_default_device()}, gradients {torch.is_grad_enabled()}, inference {torch.is_inference_mode_enabled()}, {torch.get_num_threads()} threads, anomalies {AnomalyMode.IsEnabled}, random {Convert.ToHexString(random.bytes)}";
    }
}
