using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Images;

/// <summary>Builds a pretrained network up to a layer.</summary>
internal static class FeatureNetwork
{
    /// <summary>Checks file and layer as far as possible without data, and returns the names of the layers.</summary>
    public static IReadOnlyList<string> Check(ImageFeaturesEstimator.Options options)
    {
        using var file = WeightFile.Open(options.WeightsPath, nameof(options.WeightsPath));
        var architecture = options.Architecture ?? RecognizedNetwork.Of(file, nameof(options.WeightsPath)).UsualArchitecture;
        if (options.Layer != null)
            LayerCut.CheckName(architecture, options.Layer, nameof(options.Layer));
        return LayerCut.NamesIn(architecture).ToArray();
    }

    /// <summary>Builds the network for a column of images and loads its weights from the file; the rest of the file is not kept.</summary>
    public static NetworkModelParameters Load(IHostEnvironment env, ImageFeaturesEstimator.Options options, DataViewSchema.Column column)
    {
        using var file = WeightFile.Open(options.WeightsPath, nameof(options.WeightsPath));
        var whole = options.Architecture ?? RecognizedNetwork.Of(file, nameof(options.WeightsPath)).UsualArchitecture;
        var architecture = Cut(whole, options, column);
        return PretrainedNetwork.Load(env, file, architecture, nameof(options.WeightsPath));
    }

    private static CnnArchitecture Cut(ImageArchitecture whole, ImageFeaturesEstimator.Options options, DataViewSchema.Column column)
    {
        var shape = ImageShape.Of(column, options.ImageShape ?? options.Architecture?.Image.Shape);
        var image = whole.Image with
        {
            Shape = shape,
            Scaling = options.PixelScaling ?? whole.Image.Scaling,
            CropSize = options.CropSize ?? whole.Image.CropSize,
        };
        try
        {
            return LayerCut.Cut(whole with { InputCount = checked((int)shape.Count), Image = image }, options.Layer, options.Pool);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"The network does not take the images of column '{column.Name}': {e.Message}", e);
        }
    }
}

/// <summary>Reads the weights of a network from a file of any program.</summary>
internal static class PretrainedNetwork
{
    /// <param name="env">The environment.</param>
    /// <param name="file">The file; what the network does not have is not read.</param>
    /// <param name="architecture">The network.</param>
    /// <param name="option">The option with the path of the file, for messages.</param>
    /// <exception cref="ArgumentException">The file lacks weights of the network, or they have other shapes; the message names them.</exception>
    public static NetworkModelParameters Load(IHostEnvironment env, WeightFile file, NetworkArchitecture architecture, string option)
    {
        using var state = TorchState.Enter();
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        try
        {
            var comparison = new WeightComparison(file.Tensors, network.state_dict());
            if (!comparison.Report.IsComplete)
                throw new ArgumentException($"{option} '{file.Path}' does not match the network; missing: {NameList.Of(comparison.Report.Missing)}; of another shape: {NameList.Of(comparison.Report.OtherShape)}.", option);
            file.CopyTo(network, comparison.Report.Loaded);
            network.DetachFromDisposeScope();
            return new NetworkModelParameters(env, architecture, head: null, network, history: null);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
