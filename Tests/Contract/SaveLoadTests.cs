using System.Runtime.InteropServices;
using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A saved model gives the same numbers here and in a process that knows nothing of this library.</summary>
[TestClass]
public sealed class SaveLoadTests
{
    private static readonly TemporaryFolder Folder = new();
    private static readonly Lazy<Dictionary<string, float[]>> Fresh = new(ScoreAllInAChild);

    [ClassCleanup]
    public static void DeleteFolder() => Folder.Dispose();

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void Load_InThisProcess_EverythingIsThere(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction) = (3, 0.2), noisy: true);
        var loaded = SaveAndLoad(subject, model, folder.File("model.zip"), out var schema);
        Outcome.AssertSameBits(Outcome.Weights(model), Outcome.Weights(loaded));
        CollectionAssert.AreEqual(model.Histories.ToArray(), loaded.Histories.ToArray());
        CollectionAssert.AreEqual(model.Networks.Select(network => network.Architecture).ToArray(), loaded.Networks.Select(network => network.Architecture).ToArray());
        Assert.AreEqual(model.Transformer.GetType(), loaded.Transformer.GetType());
        Assert.AreEqual(subject.View(new MLContext(), 1).Schema.ToString(), schema.ToString());
        Outcome.AssertSameComputation(Score(subject, model), Score(subject, loaded));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void SavedAgain_LoadsTheSame(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        var model = subject.Fit(subject.Rows(60), o => o.Epochs = 1, noisy: true);
        var once = SaveAndLoad(subject, model, folder.File("1.zip"), out _);
        var twice = SaveAndLoad(subject, once, folder.File("2.zip"), out _);
        Outcome.AssertSameBits(Outcome.Weights(model), Outcome.Weights(twice));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void Load_InAFreshProcess_SamePredictions(string name)
    {
        var expected = Fresh.Value[name];
        var folder = Path.Combine(Folder.Path, name);
        if (File.Exists(Path.Combine(folder, "error.txt")))
            Assert.Fail(File.ReadAllText(Path.Combine(folder, "error.txt")));
        Outcome.AssertSameComputation(expected, MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, "scores.bin"))).ToArray());
    }

    /// <summary>Saves a model of each subject, and lets one process load and score them all.</summary>
    /// <returns>What each scores here.</returns>
    private static Dictionary<string, float[]> ScoreAllInAChild()
    {
        var scores = new Dictionary<string, float[]>();
        foreach (var subject in Subjects.TransformerNames.Select(row => Subjects.Training((string)row[0])))
        {
            var ml = new MLContext(1);
            var data = subject.View(ml, 200);
            using var model = subject.Normalizer(ml).Append(subject.CreateEstimator(ml, subject.Options(o => o.Epochs = 3, noisy: true))).Fit(data);
            ml.Model.Save(model, data.Schema, Folder.File(subject.Name, "model.zip"));
            var test = subject.View(ml, 50, seed: 9);
            using (var file = File.Create(Folder.File(subject.Name, "test.idv")))
                ml.Data.SaveAsBinary(test, file);
            File.WriteAllLines(Folder.File(subject.Name, "columns.txt"), subject.ValueColumns);
            scores.Add(subject.Name, subject.Values(model.Transform(test)));
        }
        ChildProcess.Run(ScoreInChild, Folder.Path).AssertSuccess();
        return scores;
    }

    /// <summary>No type of this library is touched here: ML.NET finds them through the files.</summary>
    private static void ScoreInChild(string[] args)
    {
        if (AppDomain.CurrentDomain.GetAssemblies().Any(assembly => assembly.GetName().Name is "MLExtensions.Transforms" or "MLExtensions.Trainers"))
            throw new InvalidOperationException("The library is loaded before the models.");
        foreach (var folder in Directory.GetDirectories(args[0]))
        {
            try
            {
                var ml = new MLContext();
                var model = ml.Model.Load(Path.Combine(folder, "model.zip"), out _);
                var scores = Outcome.Values(model.Transform(ml.Data.LoadFromBinary(Path.Combine(folder, "test.idv"))), File.ReadAllLines(Path.Combine(folder, "columns.txt")));
                File.WriteAllBytes(Path.Combine(folder, "scores.bin"), MemoryMarshal.AsBytes<float>(scores).ToArray());
            }
            catch (Exception e)
            {
                File.WriteAllText(Path.Combine(folder, "error.txt"), e.ToString());
            }
        }
    }

    private static TrainedModel SaveAndLoad(TrainingSubject subject, TrainedModel model, string file, out DataViewSchema schema)
    {
        var ml = new MLContext();
        ml.Model.Save(model.Transformer, subject.View(ml, 1).Schema, file);
        return new TrainedModel(new MLContext().Model.Load(file, out schema));
    }

    private static float[] Score(TrainingSubject subject, TrainedModel model) => subject.Values(model.Transform(subject.View(new MLContext(), 50, seed: 9)));
}
