using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Models;

/// <summary>Models that earlier versions saved (Tests/Data/Models, which is only ever added to) load, and say what they said then.</summary>
[TestClass]
public sealed class CorpusTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Models");

    public static IEnumerable<object[]> Files => Directory.GetFiles(Folder, "*.zip").Select(file => new object[] { Path.GetFileNameWithoutExtension(file) }).OrderBy(name => name[0]);

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void SavedModel_SaysWhatItSaid(string name)
    {
        var expected = CorpusRecord.Read(Path.Combine(Folder, name + ".json"));
        var ml = new MLContext();
        var model = ml.Model.Load(Path.Combine(Folder, name + ".zip"), out _);
        using var owned = model as IDisposable;
        var actual = CorpusRecord.Of(ml, model, expected.Rows);
        CollectionAssert.IsSubsetOf(expected.Numbers.Keys, actual.Numbers.Keys);
        foreach (var (column, values) in expected.Numbers)
            Outcome.AssertSameComputation(values.SelectMany(row => row).ToArray(), actual.Numbers[column].SelectMany(row => row).ToArray());
        foreach (var (column, values) in expected.Texts)
            CollectionAssert.AreEqual(values, actual.Texts[column]);
        Assert.IsNotEmpty(expected.Numbers.Keys.Concat(expected.Texts.Keys));
    }

    [TestMethod]
    public void EveryFamily_HasAModel() =>
        CollectionAssert.IsSubsetOf(CorpusWriter.Names.ToArray(), Files.Select(name => name[0]).ToArray(), "CorpusWriter says how one is added.");
}
