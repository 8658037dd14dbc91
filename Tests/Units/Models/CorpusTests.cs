using System.IO.Compression;
using System.Text.Json.Nodes;
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

    /// <summary>What was saved under a name is saved under it again: a renamed member would be read as its default, without a word.</summary>
    [TestMethod]
    [DynamicData(nameof(Files))]
    public void SavedAgain_SameMembers(string name)
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext();
        var model = ml.Model.Load(Path.Combine(Folder, name + ".zip"), out var schema);
        using var owned = model as IDisposable;
        ml.Model.Save(model, schema, folder.File("again.zip"));
        var before = Members(Path.Combine(Folder, name + ".zip"));
        var after = Members(folder.File("again.zip"));
        Assert.IsNotEmpty(before);
        foreach (var (entry, members) in before)
            CollectionAssert.AreEqual(members, after[entry], entry);
    }

    [TestMethod]
    public void EveryFamily_HasAModel() =>
        CollectionAssert.IsSubsetOf(CorpusWriter.Names.ToArray(), Files.Select(name => name[0]).ToArray(), "CorpusWriter says how one is added.");

    /// <summary>
    /// The values of a model's JSON entries by their paths, but for the version, and the fillers that version 1 had; of a policy, n-grams and a rhyme table their bytes.
    /// </summary>
    private static Dictionary<string, string[]> Members(string zip)
    {
        using var archive = ZipFile.OpenRead(zip);
        var members = new Dictionary<string, string[]>();
        foreach (var entry in archive.Entries.Where(entry => entry.Name is "architecture.json" or "generation.json" or "decoding.json" or "conversation.json" or "hidden-markov.json" or "neighbors.json" or "crop.json" or "calibration.json" or "gallery.json"))
        {
            using var stream = entry.Open();
            var json = JsonNode.Parse(stream)!;
            var isFiller = json["head"]?["$type"]?.GetValue<string>() is "features" or "language";
            members.Add(entry.FullName, Leaves(json).Where(leaf => !leaf.StartsWith("$.formatVersion") && !leaf.StartsWith("$.head=") && !(isFiller && leaf.StartsWith("$.head"))).Order().ToArray());
        }
        foreach (var entry in archive.Entries.Where(entry => entry.Name is "policy.bin" or "ngrams.bin" or "rhyme-table.txt" or "vectors.bin"))
        {
            using var stream = entry.Open();
            members.Add(entry.FullName, [Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(stream))]);
        }
        return members;
    }

    private static IEnumerable<string> Leaves(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => member.Value == null ? [$"{members.GetPath()}.{member.Key}="] : Leaves(member.Value)),
        JsonArray items => items.SelectMany(Leaves),
        _ => [$"{node?.GetPath()}={node?.ToJsonString()}"],
    };
}
