using System.Runtime.InteropServices;
using MLExtensions.Families.Images;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>A file from any program whose tensors are loaded into a network: safetensors, or dlib's face network as a weights manifest.</summary>
internal abstract class WeightFile : IDisposable
{
    private const string ManifestExtension = ".json";

    private protected WeightFile(string path, IReadOnlyList<WeightDescription> tensors) => (Path, Tensors) = (path, tensors);

    public string Path { get; }

    /// <summary>The tensors in the header.</summary>
    public IReadOnlyList<WeightDescription> Tensors { get; }

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="path">The file.</param>
    /// <param name="option">The name of the option with the path, for error messages.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="ModelFormatException">The file is damaged or of another format.</exception>
    public static WeightFile Open(string path, string option)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{option} is '{path}'; the file does not exist.", path);
        return System.IO.Path.GetExtension(path).Equals(ManifestExtension, StringComparison.OrdinalIgnoreCase)
            ? DlibFaceFile.Open(path)
            : SafeTensorsFile.Open(path);
    }

    /// <summary>Copies tensors of the file into those of a network with the same names and shapes. Call it once.</summary>
    /// <exception cref="ModelFormatException">The file is damaged, or a weight is not finite.</exception>
    public void CopyTo(nn.Module network, IEnumerable<string> names)
    {
        var wanted = names.ToHashSet(StringComparer.Ordinal);
        var targets = network.state_dict();
        using var noGradient = no_grad();
        ReadEach((name, value) =>
        {
            if (wanted.Contains(name))
                Copy(name, value, targets[name]);
        });
    }

    public virtual void Dispose()
    {
    }

    /// <summary>Reads the tensors one after the other.</summary>
    private protected abstract void ReadEach(Action<string, Tensor> read);

    private void Copy(string name, Tensor value, Tensor target)
    {
        target.copy_(value);
        WeightCheck.RequireFinite([new(name, target)], Path);
    }
}

/// <summary>A safetensors file.</summary>
internal sealed class SafeTensorsFile : WeightFile
{
    private readonly Stream _stream;
    private readonly SafeTensorsReader _reader;

    private SafeTensorsFile(string path, Stream stream, SafeTensorsReader reader)
        : base(path, reader.Header.Entries.Select(entry => new WeightDescription(entry.Name, entry.Type, entry.Shape)).ToArray()) =>
        (_stream, _reader) = (stream, reader);

    public static SafeTensorsFile Open(string path)
    {
        var stream = File.OpenRead(path);
        try
        {
            return new SafeTensorsFile(path, stream, SafeTensorsReader.Open(stream, path));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public override void Dispose() => _stream.Dispose();

    private protected override void ReadEach(Action<string, Tensor> read) => _reader.ReadEach(read);
}

/// <summary>Refuses weights that no training leaves behind, whatever checksum they have: the network would answer NaN.</summary>
internal static class WeightCheck
{
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="entryName">Where they come from, for the message.</param>
    /// <exception cref="ModelFormatException">A number is NaN or infinite; the message names the tensor.</exception>
    public static void RequireFinite(IEnumerable<KeyValuePair<string, Tensor>> tensors, string entryName)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, value) in tensors)
        {
            if (value.is_floating_point() && !IsFinite(value))
                throw new ModelFormatException(entryName, $"tensor '{name}' contains a number that is NaN, infinite, or too large for float32");
        }
    }

    private static bool IsFinite(Tensor value)
    {
        var isFinite = true;
        TensorMemory.ForEachPiece(value.detach().to(ScalarType.Float32).cpu().contiguous(), piece => isFinite &= FiniteCheck.FirstNonFinite(MemoryMarshal.Cast<byte, float>(piece)) < 0);
        return isFinite;
    }
}

/// <summary>Compares the descriptions of the tensors of a file or a model with those of a network.</summary>
internal sealed class WeightComparison
{
    // PyTorch's loader also allows it to be missing.
    private const string BatchCounter = "num_batches_tracked";

    private readonly List<string> _loaded = [];
    private readonly List<string> _missing = [];
    private readonly List<OtherWeight> _otherShape = [];
    private readonly List<string> _unexpected;

    /// <param name="sources">The tensors to load.</param>
    /// <param name="targets">The tensors of the network.</param>
    public WeightComparison(IEnumerable<WeightDescription> sources, IDictionary<string, Tensor> targets)
    {
        var byName = sources.ToDictionary(source => source.Name);
        _unexpected = byName.Keys.Where(name => !targets.ContainsKey(name)).ToList();
        foreach (var (name, target) in targets)
            Compare(name, target, byName.GetValueOrDefault(name));
        Report = new WeightReport { Loaded = _loaded, Missing = _missing, Unexpected = _unexpected, OtherShape = _otherShape.Select(other => other.Description).ToList() };
    }

    public WeightReport Report { get; }

    /// <summary>The differences, as text.</summary>
    public string Problems => $"missing: {NameList.Of(_missing)}; unexpected: {NameList.Of(_unexpected)}; of another shape: {NameList.Of(Report.OtherShape)}";

    public bool HasSameNames => _missing.Count == 0 && _unexpected.Count == 0;

    /// <summary>The tensors with another shape or type.</summary>
    public IReadOnlyList<OtherWeight> OtherShape => _otherShape;

    private void Compare(string name, Tensor target, WeightDescription? source)
    {
        if (source == null)
        {
            if (!name.EndsWith(BatchCounter, StringComparison.Ordinal))
                _missing.Add(name);
            return;
        }
        var sameKind = is_floating_point(source.Type) == is_floating_point(target.dtype);
        if (sameKind && source.Shape.SequenceEqual(target.shape))
        {
            _loaded.Add(name);
            return;
        }
        var description = $"{name} ({SafeTensorsEntry.Describe(source.Type, source.Shape)} given, but the network has {SafeTensorsEntry.Describe(target.dtype, target.shape)})";
        _otherShape.Add(new OtherWeight(name, description, sameKind && DifferInFirstOnly(source.Shape, target.shape)));
    }

    private static bool DifferInFirstOnly(IReadOnlyList<long> a, IReadOnlyList<long> b) => a.Count == b.Count && a.Skip(1).SequenceEqual(b.Skip(1));
}

/// <summary>A tensor's name, type and shape.</summary>
internal sealed record WeightDescription(string Name, ScalarType Type, IReadOnlyList<long> Shape);

/// <summary>A tensor whose shape or type differs in the network.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">The name and both shapes.</param>
/// <param name="FirstDimensionOnly">Whether the shapes differ only in the first dimension.</param>
internal sealed record OtherWeight(string Name, string Description, bool FirstDimensionOnly);
