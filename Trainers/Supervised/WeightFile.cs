using MLExtensions.Persistence;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>A safetensors file, of whatever origin, that a network starts from.</summary>
internal sealed class WeightFile : IDisposable
{
    private readonly string _path;
    private readonly Stream _stream;
    private readonly SafeTensorsReader _reader;

    private WeightFile(string path, Stream stream, SafeTensorsReader reader)
    {
        _path = path;
        _stream = stream;
        _reader = reader;
    }

    /// <summary>Opens a file and reads its header, so that a wrong file is found before any data is read.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is damaged, or no safetensors file.</exception>
    public static WeightFile Open(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"InitialWeights is '{path}'; there is no such file.", path);
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

    /// <summary>Compares the file with a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="match">How well they must match.</param>
    /// <param name="isDraft">Whether the network's output may yet become one of another size.</param>
    /// <exception cref="ArgumentException">They do not match as they should; the message lists the tensors.</exception>
    public WeightReport Compare(nn.Module network, NetworkArchitecture architecture, WeightMatch match, bool isDraft = false)
    {
        var sources = _reader.Header.Entries.Select(entry => new WeightDescription(entry.Name, entry.Type, entry.Shape));
        var comparison = new WeightComparison(sources, network.state_dict());
        var asked = isDraft && match == WeightMatch.Strict ? WeightMatch.ExceptOutput : match;
        if (!comparison.Satisfies(asked, architecture.OutputLayer))
            throw new ArgumentException($"InitialWeights '{_path}' does not fit the network as InitialWeightsMatch = {match} asks; {comparison.Problems}.", nameof(NetworkTrainerOptions.InitialWeights));
        return comparison.Report;
    }

    /// <summary>Copies what fits into a network; once.</summary>
    /// <exception cref="ArgumentException">File and network do not match as they should.</exception>
    /// <exception cref="ModelFormatException">The file is damaged, or a weight in it is no finite number.</exception>
    public WeightReport CopyTo(nn.Module network, NetworkArchitecture architecture, WeightMatch match)
    {
        var report = Compare(network, architecture, match);
        var loaded = report.Loaded.ToHashSet(StringComparer.Ordinal);
        var targets = network.state_dict();
        using var noGradient = no_grad();
        _reader.ReadEach((name, value) =>
        {
            if (loaded.Contains(name))
                Copy(name, value, targets[name]);
        });
        return report;
    }

    public void Dispose() => _stream.Dispose();

    private void Copy(string name, Tensor value, Tensor target)
    {
        target.copy_(value);
        if (target.is_floating_point() && !target.isfinite().all().item<bool>())
            throw new ModelFormatException(_path, $"tensor '{name}' holds a number that is NaN, infinite, or too large for float32");
    }
}
