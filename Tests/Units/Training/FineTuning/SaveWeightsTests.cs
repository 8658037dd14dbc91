using MLExtensions.Persistence;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training.FineTuning;

/// <summary>A model's weights as a file of their own.</summary>
[TestClass]
public sealed class SaveWeightsTests
{
    [TestMethod]
    public void FileHasTheStateDictionary_AsTorchHasIt()
    {
        using var folder = new TemporaryFolder();
        using var model = Tuning.Fit();
        var path = folder.File("new/weights.safetensors");
        model.Model.SaveWeights(path);
        using (var stream = File.OpenRead(path))
        {
            var header = SafeTensorsReader.Open(stream, path, requireChecksum: true).Header;
            CollectionAssert.AreEquivalent(model.Model.WeightShapes.Keys.ToArray(), header.Entries.Select(entry => entry.Name).ToArray());
            var counter = header.Entries.Single(entry => entry.Name == "hidden.0.norm.num_batches_tracked");
            Assert.AreEqual("I64[]", counter.Description);
            Assert.AreEqual("F32[5,6]", header.Entries.Single(entry => entry.Name == "hidden.0.linear.weight").Description);
        }
        foreach (var (name, value) in Tuning.Read(path))
            Outcome.AssertSameBits(model.Model.GetWeights(name), value.to(ScalarType.Float32).data<float>().ToArray());
        Assert.HasCount(1, Directory.GetFiles(folder.File("new")));
    }
}
