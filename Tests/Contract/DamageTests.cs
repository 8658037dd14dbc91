using System.IO.Compression;
using Microsoft.ML;
using TorchSharp;

namespace MLExtensions.Tests.Contract;

/// <summary>A damaged file is refused by the name of the entry, and leaves nothing behind.</summary>
[TestClass]
public sealed class DamageTests
{
    private static readonly string[] Entries = ["architecture.json", "weights.safetensors", "history.json"];

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void MissingOrTruncatedEntry_IsNamed(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        using var model = subject.Fit(subject.Rows(40), o => o.Epochs = 1, noisy: true);
        var file = folder.File("model.zip");
        var ml = new MLContext();
        ml.Model.Save(model.Transformer, subject.View(ml, 1).Schema, file);
        var entries = EntriesOf(file);
        Assert.HasCount(model.Networks.Concat(model.Untrained).Sum(network => network.History == null ? Entries.Length - 1 : Entries.Length), entries);
        var original = File.ReadAllBytes(file);
        foreach (var entry in entries)
        {
            foreach (var part in new double?[] { null, 0, 0.5, 0.99 })
            {
                File.WriteAllBytes(file, original);
                Truncate(file, entry, part);
                Assert.EndsWith(Refusal(file, $"{entry}, {part}").EntryName, entry);
            }
        }
    }

    private static string[] EntriesOf(string file)
    {
        using var zip = ZipFile.OpenRead(file);
        return zip.Entries.Select(entry => entry.FullName).Where(entry => Entries.Any(entry.EndsWith)).ToArray();
    }

    /// <param name="part">The share of the entry that stays; null takes it away.</param>
    private static void Truncate(string file, string entry, double? part)
    {
        using var zip = ZipFile.Open(file, ZipArchiveMode.Update);
        var old = zip.GetEntry(entry)!;
        using var content = new MemoryStream();
        using (var stream = old.Open())
            stream.CopyTo(content);
        old.Delete();
        if (part == null)
            return;
        using var cut = zip.CreateEntry(entry).Open();
        cut.Write(content.ToArray().AsSpan(0, (int)(content.Length * part.Value)));
    }

    /// <summary>The refusal, wherever in the chain of exceptions ML.NET put it.</summary>
    private static ModelFormatException Refusal(string file, string what)
    {
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Exception? error = Assert.Throws<Exception>(() => new MLContext().Model.Load(file, out _), what);
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount, $"tensors after {what}");
        while (error is not (null or ModelFormatException))
            error = error.InnerException;
        return error as ModelFormatException ?? throw new AssertFailedException($"{what}: no {nameof(ModelFormatException)}");
    }
}
