using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Images;
using MLExtensions.Models;
using MLExtensions.Persistence;

namespace MLExtensions.Families.Style;

/// <summary>A file with the weights of a loss network.</summary>
internal sealed class LossNetworkFile : IDisposable
{
    private readonly WeightFile _file;
    private readonly ImageArchitecture _architecture;

    /// <exception cref="FileNotFoundException">The file does not exist; the message says what file is needed.</exception>
    /// <exception cref="ModelFormatException">The file is damaged or not a safetensors file.</exception>
    /// <exception cref="ArgumentException">The network is not recognized, or does not take pictures in color.</exception>
    public LossNetworkFile(string path, string option, ImageArchitecture? architecture)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{option} is '{path}'; the file does not exist. It must be a safetensors file with the weights of an image network trained on many kinds of pictures, with torchvision's names: squeezenet1_0 (features.0.weight [96, 3, 7, 7], features.3.squeeze.weight [16, 96, 1, 1], ...), vgg16 or vgg19 (features.0.weight [64, 3, 3, 3], ...). safetensors.torch.save_file(model.state_dict(), path) writes one in Python.", path);
        _file = WeightFile.Open(path, option);
        try
        {
            _architecture = architecture ?? RecognizedNetwork.Of(_file, option).UsualArchitecture;
            if (_architecture.Image.Shape.Channels != 3)
                throw new ArgumentException($"{option} '{path}': the network takes images of {_architecture.Image.Shape}; style is compared in pictures of 3 channels.", option);
            Layers = LossLayers.Of(_architecture);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>The layers.</summary>
    public IReadOnlyList<LossLayer> Layers { get; }

    /// <summary>Reads the weights up to the last of some layers.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="paths">The full names of the layers.</param>
    /// <param name="pooling">How poolings compute.</param>
    /// <param name="option">The option with the path of the file, for messages.</param>
    public NetworkModelParameters Load(IHostEnvironment env, IEnumerable<string> paths, LossPooling pooling, string option)
    {
        var last = Layers.Last(layer => paths.Contains(layer.Path)).Path;
        var cut = LayerCut.Cut(_architecture, last, pool: true);
        if (pooling == LossPooling.Average)
            cut = cut with { Layers = cut.Layers.Select(Averaging).ToArray() };
        return PretrainedNetwork.Load(env, _file, cut, option);
    }

    public void Dispose() => _file.Dispose();

    private static ImageLayer Averaging(ImageLayer layer) => layer switch
    {
        MaxPoolingLayer pooling => new AveragePoolingLayer(pooling.KernelSize) { Name = pooling.Name, Stride = pooling.Stride, Padding = pooling.Padding, CeilMode = pooling.CeilMode },
        SequenceLayer sequence => sequence with { Layers = sequence.Layers.Select(Averaging).ToArray() },
        _ => layer,
    };
}
