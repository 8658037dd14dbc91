using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using MLExtensions.Persistence;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Models;

/// <summary>A saved classifier whose entries can be looked at and tampered with.</summary>
internal sealed class ModelZip : ModelZip<MulticlassNetworkTransformer>
{
    public ModelZip()
        : this(ml => ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options
        {
            LabelColumnName = nameof(Example.Class),
            HiddenLayers = [new HiddenLayer(4) { BatchNormalization = true, Dropout = 0.25 }],
            Epochs = 2,
            ValidationFraction = 0.2,
        }).Fit(Example.View(ml, Example.Create(60))))
    {
    }

    public ModelZip(Func<MLContext, MulticlassNetworkTransformer> fit)
        : base(fit, ml => Example.View(ml, Example.Create(1)))
    {
    }
}

/// <summary>A saved model whose entries can be looked at and tampered with.</summary>
internal class ModelZip<TModel> : IDisposable
    where TModel : class, ITransformer, IDisposable
{
    private const string Weights = "weights.safetensors";

    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _original;

    public ModelZip(Func<MLContext, TModel> fit, Func<MLContext, IDataView> data)
    {
        var ml = new MLContext(1);
        Model = fit(ml);
        ml.Model.Save(Model, data(ml).Schema, FilePath);
        _original = File.ReadAllBytes(FilePath);
    }

    public TModel Model { get; }

    public string FilePath => _folder.File("model.zip");

    public IReadOnlyList<string> EntryNames
    {
        get
        {
            using var zip = ZipFile.OpenRead(FilePath);
            return zip.Entries.Select(entry => entry.FullName.Replace('\\', '/')).ToArray();
        }
    }

    public byte[] Read(string entry)
    {
        using var zip = ZipFile.OpenRead(FilePath);
        using var stream = Find(zip, entry).Open();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>Writes the untouched model with one entry changed; null takes the entry away.</summary>
    public void Tamper(string entry, Func<byte[], byte[]?> change)
    {
        File.WriteAllBytes(FilePath, _original);
        Replace(entry, change(Read(entry)));
    }

    private void Replace(string entry, byte[]? content)
    {
        using var zip = ZipFile.Open(FilePath, ZipArchiveMode.Update);
        var old = Find(zip, entry);
        var name = old.FullName;
        old.Delete();
        if (content == null)
            return;
        using var stream = zip.CreateEntry(name).Open();
        stream.Write(content);
    }

    /// <summary>Tampers, and makes the checksums right again: what somebody does who means to deceive.</summary>
    public void Forge(string entry, Func<byte[], byte[]> change)
    {
        Tamper(entry, change);
        var checksums = new[] { "architecture.json", "history.json" }.ToDictionary(name => name, name => Convert.ToHexStringLower(SHA256.HashData(Read(name))));
        using var scope = TorchSharp.torch.NewDisposeScope();
        var tensors = SafeTensorsReader.Open(new MemoryStream(Read(Weights)), Weights).ReadAll();
        using var sealedWeights = new MemoryStream();
        SafeTensorsWriter.Write(sealedWeights, tensors, checksums);
        Replace(Weights, sealedWeights.ToArray());
    }

    public void ForgeText(string entry, string from, string to) => Forge(entry, bytes =>
    {
        var text = Encoding.UTF8.GetString(bytes);
        Assert.Contains(from, text);
        return Encoding.UTF8.GetBytes(text.Replace(from, to));
    });

    /// <summary>Where the packed bytes of an entry lie in the file, from the .zip's central directory.</summary>
    public (int Start, int Length) PlaceOf(string entry)
    {
        var end = _original.AsSpan().LastIndexOf("PK\x05\x06"u8);
        var at = BitConverter.ToInt32(_original, end + 16);
        for (var left = BitConverter.ToUInt16(_original, end + 10); left > 0; left--)
        {
            var nameLength = BitConverter.ToUInt16(_original, at + 28);
            var local = BitConverter.ToInt32(_original, at + 42);
            if (Encoding.UTF8.GetString(_original, at + 46, nameLength).EndsWith(entry, StringComparison.Ordinal))
                return (local + 30 + BitConverter.ToUInt16(_original, local + 26) + BitConverter.ToUInt16(_original, local + 28), BitConverter.ToInt32(_original, at + 20));
            at += 46 + nameLength + BitConverter.ToUInt16(_original, at + 30) + BitConverter.ToUInt16(_original, at + 32);
        }
        throw new InvalidOperationException($"The .zip has no entry {entry}.");
    }

    public void WriteFile(byte[] bytes) => File.WriteAllBytes(FilePath, bytes);

    public byte[] Original => (byte[])_original.Clone();

    public TModel Load() => (TModel)new MLContext().Model.Load(FilePath, out _);

    /// <summary>The refusal, wherever in the chain of exceptions ML.NET put it.</summary>
    public ModelFormatException Refusal(string what = "")
    {
        Exception? error = Assert.Throws<Exception>(() => Load(), what);
        while (error is not null and not ModelFormatException)
            error = error.InnerException;
        Assert.IsNotNull(error, what);
        return (ModelFormatException)error;
    }

    public void Dispose()
    {
        Model.Dispose();
        _folder.Dispose();
    }

    private static ZipArchiveEntry Find(ZipArchive zip, string entry) => zip.Entries.Single(candidate => candidate.FullName.EndsWith(entry, StringComparison.Ordinal));
}
