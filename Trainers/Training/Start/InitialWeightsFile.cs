using MLExtensions.Persistence;
using static TorchSharp.torch;

namespace MLExtensions.Training.Start;

/// <summary>The file of weights that a training starts from.</summary>
internal sealed class InitialWeightsFile : IDisposable
{
    private readonly WeightFile _file;

    private InitialWeightsFile(WeightFile file) => _file = file;

    /// <inheritdoc cref="WeightFile.Open"/>
    public static InitialWeightsFile Open(string path) => new(WeightFile.Open(path, nameof(TrainingOptions.InitialWeights)));

    /// <summary>Compares the file with a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="match">How well they must match.</param>
    /// <param name="isDraft">Whether the network's output may yet become one of another size.</param>
    /// <exception cref="ArgumentException">They do not match as they should; the message lists the tensors.</exception>
    public WeightReport Compare(nn.Module network, NetworkArchitecture architecture, WeightMatch match, bool isDraft = false)
    {
        var comparison = new WeightComparison(_file.Tensors, network.state_dict());
        var asked = isDraft && match == WeightMatch.Strict ? WeightMatch.ExceptOutput : match;
        if (!comparison.Satisfies(asked, architecture.OutputLayer))
            throw new ArgumentException($"InitialWeights '{_file.Path}' does not fit the network as InitialWeightsMatch = {match} asks; {comparison.Problems}.", nameof(TrainingOptions.InitialWeights));
        return comparison.Report;
    }

    /// <summary>Copies what fits into a network; once.</summary>
    /// <exception cref="ArgumentException">File and network do not match as they should.</exception>
    /// <exception cref="ModelFormatException">The file is damaged, or a weight in it is no finite number.</exception>
    public WeightReport CopyTo(nn.Module network, NetworkArchitecture architecture, WeightMatch match)
    {
        var report = Compare(network, architecture, match);
        _file.CopyTo(network, report.Loaded);
        return report;
    }

    public void Dispose() => _file.Dispose();
}
