using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>A safetensors file, of whatever origin, whose tensors go into a network.</summary>
internal sealed class WeightFile : IDisposable
{
    private readonly Stream _stream;
    private readonly SafeTensorsReader _reader;

    private WeightFile(string path, Stream stream, SafeTensorsReader reader)
    {
        Path = path;
        _stream = stream;
        _reader = reader;
        Tensors = reader.Header.Entries.Select(entry => new WeightDescription(entry.Name, entry.Type, entry.Shape)).ToArray();
    }

    public string Path { get; }

    /// <summary>What the header describes.</summary>
    public IReadOnlyList<WeightDescription> Tensors { get; }

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="path">The file.</param>
    /// <param name="option">What error messages call the setting that names the file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is damaged, or no safetensors file.</exception>
    public static WeightFile Open(string path, string option)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{option} is '{path}'; there is no such file.", path);
        var stream = File.OpenRead(path);
        try
        {
            return new WeightFile(path, stream, SafeTensorsReader.Open(stream, path));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Copies tensors of the file into a network's of the same names and shapes; once.</summary>
    /// <exception cref="ModelFormatException">The file is damaged, or a weight in it is no finite number.</exception>
    public void CopyTo(nn.Module network, IEnumerable<string> names)
    {
        var wanted = names.ToHashSet(StringComparer.Ordinal);
        var targets = network.state_dict();
        using var noGradient = no_grad();
        _reader.ReadEach((name, value) =>
        {
            if (wanted.Contains(name))
                Copy(name, value, targets[name]);
        });
    }

    public void Dispose() => _stream.Dispose();

    private void Copy(string name, Tensor value, Tensor target)
    {
        target.copy_(value);
        if (target.is_floating_point() && !target.isfinite().all().item<bool>())
            throw new ModelFormatException(Path, $"tensor '{name}' holds a number that is NaN, infinite, or too large for float32");
    }
}
