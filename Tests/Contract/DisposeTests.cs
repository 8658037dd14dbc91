using System.Globalization;
using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A network in use is not freed; one that was disposed says so, whatever is asked of it.</summary>
[TestClass]
public sealed class DisposeTests
{
    private const int Threads = 8;

    private static readonly MLContext Ml = new(1);
    private static readonly Dictionary<string, byte[]> Files = [];

    /// <summary>eng/dispose-stress sets more.</summary>
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("MLEXTENSIONS_DISPOSE_ROUNDS") is { Length: > 0 } value ? value : "2", CultureInfo.InvariantCulture);

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void Disposed_EveryUseThrows(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        var model = Load(subject);
        var data = subject.View(Ml, 20);
        var scored = model.Transform(data);
        var good = folder.File("weights.safetensors");
        model.Networks[0].SaveWeights(good);
        var length = new FileInfo(good).Length;
        model.Dispose();
        AssertThrows(() => subject.Values(scored));
        AssertThrows(() => model.Transform(data));
        AssertThrows(() => ModelUse.Of(model.Transformer));
        AssertThrows(() => Ml.Model.Save(model.Transformer, data.Schema, new MemoryStream()));
        AssertThrows(() => model.Networks[0].SaveWeights(good));
        AssertThrows(() => model.Networks[0].GetWeights("weight"));
        if (subject.IsInitialModel)
            AssertThrows(() => subject.Fit(subject.Rows(20), options => options.InitialModel = model.Transformer));
        if (subject.MapsRows)
            AssertThrows(() => subject.PredictRows(Ml, model.Transformer, subject.Rows(1)));
        if (model.Transformer is BinaryNetworkTransformer binary)
        {
            AssertThrows(() => binary.DecisionThreshold = 0.25);
            Assert.AreEqual(0.5, binary.DecisionThreshold, "what needs no weights can still be read");
        }
        Assert.AreEqual(length, new FileInfo(good).Length, "the good file is untouched");
        model.Dispose();

        void AssertThrows(Action action)
        {
            var exception = Assert.ThrowsExactly<ObjectDisposedException>(action);
            Assert.AreEqual(model.Transformer.GetType().Name, exception.ObjectName);
            Assert.Contains("OwnsTransformer is false", exception.Message);
        }
    }

    /// <summary>A training that has begun has the weights of its initial model, all RBMs of a stack included.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void InitialModelDisposedDuringTraining_ChangesNothing(string name)
    {
        var subject = Subjects.Training(name);
        var rows = subject.Rows(40);
        using var kept = Load(subject);
        using var expected = subject.Fit(rows, options => (options.Epochs, options.InitialModel) = (2, kept.Transformer));
        var initial = Load(subject);
        var reports = 0;
        var progress = new Listener(_ =>
        {
            if (reports++ == 0)
                initial.Dispose();
        });
        using var model = subject.Fit(rows, options => (options.Epochs, options.InitialModel, options.Progress) = (2, initial.Transformer, progress));
        Assert.IsGreaterThan(0, reports);
        Outcome.AssertSameBits(Outcome.Weights(expected), Outcome.Weights(model));
        Assert.ThrowsExactly<ObjectDisposedException>(() => ModelUse.Of(initial.Transformer));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkTransformerNames), typeof(Subjects))]
    public void EngineThatOwnsTheTransformer_SavingThrows(string name)
    {
        var subject = Subjects.Training(name);
        if (!subject.MapsRows)
            return;
        var data = subject.View(Ml, 20);
        var chain = Ml.Transforms.CopyColumns("Copy", nameof(Example.Weight)).Fit(data).Append(Load(subject).Transformer);
        using (Ml.Model.CreatePredictionEngine<Example, Output>(chain, inputSchemaDefinition: Example.Schema(subject.FeatureCount)))
        {
        }
        Assert.ThrowsExactly<ObjectDisposedException>(() => Ml.Model.Save(chain, data.Schema, new MemoryStream()));
    }

    /// <summary>Threads read views, use engines and call methods while another one disposes the transformer.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void DisposedWhileInUse_OnlyThrowsThatItIsDisposed(string name)
    {
        var subject = Subjects.Training(name);
        var model = Load(subject);
        // The same threads in all rounds: each new one would start libtorch's threads anew.
        using var start = new Barrier(Threads + 1);
        var users = Enumerable.Range(0, Threads).Select(user => Task.Factory.StartNew(() => Use(user), TaskCreationOptions.LongRunning)).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            start.SignalAndWait();
            Thread.SpinWait(round * 7919 % 100_000);
            model.Dispose();
            start.SignalAndWait();
            model = Load(subject);
        }
        start.RemoveParticipant();
        Task.WaitAll(users);
        model.Dispose();

        void Use(int user)
        {
            var ml = new MLContext(1);
            var rows = subject.Rows(8);
            var data = Example.View(ml, rows);
            try
            {
                for (var round = 0; round < Rounds; round++)
                {
                    start.SignalAndWait();
                    UseUntilDisposed(() => UseOnce(subject, model, user, ml, rows, data));
                    start.SignalAndWait();
                }
            }
            finally
            {
                start.RemoveParticipant();
            }
        }
    }

    private static void UseOnce(TrainingSubject subject, TrainedModel model, int user, MLContext ml, IReadOnlyList<Example> rows, IDataView data)
    {
        if (user % 3 == 0)
            subject.Values(model.Transform(data));
        else if (user % 3 == 1 && subject.MapsRows)
            subject.PredictRows(ml, model.Transformer, rows);
        else
            ModelUse.Of(model.Transformer);
    }

    private static void UseUntilDisposed(Action use)
    {
        while (true)
        {
            try
            {
                use();
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static TrainedModel Load(TrainingSubject subject)
    {
        if (!Files.TryGetValue(subject.Name, out var file))
        {
            using var model = subject.Fit(subject.Rows(40), options => options.Epochs = 1);
            using var stream = new MemoryStream();
            Ml.Model.Save(model.Transformer, subject.View(Ml, 1).Schema, stream);
            Files.Add(subject.Name, file = stream.ToArray());
        }
        return new TrainedModel(new MLContext(1).Model.Load(new MemoryStream(file), out _));
    }

    private sealed class Output
    {
        public float Weight { get; set; }
    }
}
