using System.Runtime.InteropServices;
using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A saved model gives the same numbers here and in a process that knows nothing of this library.</summary>
[TestClass]
public sealed class SaveLoadTests
{
    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Load_InThisProcess_EverythingIsThere(string name)
    {
        var subject = Subjects.Get(name);
        using var folder = new TemporaryFolder();
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction) = (3, 0.2), noisy: true);
        var loaded = (NetworkTransformer)SaveAndLoad(subject, model, folder.File("model.zip"), out var schema);
        Outcome.AssertSameBits(Outcome.Weights(model), Outcome.Weights(loaded));
        Assert.AreEqual(model.Model.History, loaded.Model.History);
        Assert.AreEqual(model.Model.Architecture, loaded.Model.Architecture);
        Assert.AreEqual(model.GetType(), loaded.GetType());
        Assert.AreEqual(subject.View(new MLContext(), 1).Schema.ToString(), schema.ToString());
        Outcome.AssertClose(Score(subject, model), Score(subject, loaded), 1e-6);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void SavedAgain_LoadsTheSame(string name)
    {
        var subject = Subjects.Get(name);
        using var folder = new TemporaryFolder();
        var model = subject.Fit(subject.Rows(60), o => o.Epochs = 1, noisy: true);
        var once = (NetworkTransformer)SaveAndLoad(subject, model, folder.File("1.zip"), out _);
        var twice = (NetworkTransformer)SaveAndLoad(subject, once, folder.File("2.zip"), out _);
        Outcome.AssertSameBits(Outcome.Weights(model), Outcome.Weights(twice));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Load_InAFreshProcess_SamePredictions(string name)
    {
        var subject = Subjects.Get(name);
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = subject.View(ml, 200);
        var pipeline = ml.Transforms.NormalizeMeanVariance(nameof(Example.Features)).Append(subject.CreateTrainer(ml, subject.Options(o => o.Epochs = 3, noisy: true)));
        var model = pipeline.Fit(data);
        ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        ChildProcess.Run(ScoreInChild, folder.Path, subject.FeatureCount.ToString()).AssertSuccess();
        var scores = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(folder.File("scores.bin"))).ToArray();
        Outcome.AssertClose(Outcome.Scores(model.Transform(subject.View(ml, 50, seed: 9))), scores, 1e-6);
    }

    /// <summary>No type of this library is touched here: ML.NET finds them through the file.</summary>
    private static void ScoreInChild(string[] args)
    {
        if (AppDomain.CurrentDomain.GetAssemblies().Any(assembly => assembly.GetName().Name!.StartsWith("MLExtensions.T", StringComparison.Ordinal) && assembly != typeof(SaveLoadTests).Assembly))
            throw new InvalidOperationException("The library is loaded before the model.");
        var ml = new MLContext();
        var model = ml.Model.Load(Path.Combine(args[0], "model.zip"), out _);
        var rows = Example.Create(50, int.Parse(args[1]), seed: 9);
        var scores = Outcome.Scores(model.Transform(Example.View(ml, rows)));
        File.WriteAllBytes(Path.Combine(args[0], "scores.bin"), MemoryMarshal.AsBytes<float>(scores).ToArray());
    }

    private static ITransformer SaveAndLoad(Subject subject, NetworkTransformer model, string file, out DataViewSchema schema)
    {
        var ml = new MLContext();
        ml.Model.Save(model, subject.View(ml, 1).Schema, file);
        return new MLContext().Model.Load(file, out schema);
    }

    private static float[] Score(Subject subject, ITransformer model) => Outcome.Scores(model.Transform(subject.View(new MLContext(), 50, seed: 9)));
}
