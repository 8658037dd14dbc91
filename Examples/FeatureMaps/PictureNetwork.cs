using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.FeatureMaps;

/// <summary>A network to look into: pretrained, or one that another example saved.</summary>
/// <param name="WeightsFile">Its weights.</param>
/// <param name="Architecture">Its architecture; null if it is recognized by the weights.</param>
/// <param name="White">Value of a white pixel in its training.</param>
internal sealed record PictureNetwork(string WeightsFile, ImageArchitecture? Architecture, int White)
{
    private const int UsualSide = 224;

    public (int Channels, int Height, int Width) ImageSize =>
        Architecture?.Image.Shape is { } shape ? (shape.Channels, shape.Height, shape.Width) : (3, UsualSide, UsualSide);

    /// <summary>The network of a saved model. Its weights are written to a file.</summary>
    public static PictureNetwork OfModel(MLContext mlContext, string path, int white, OutputFolder output)
    {
        var model = ModelFile.Load(mlContext, path);
        using var owned = model as IDisposable;
        if (model.Networks() is not [{ Architecture: ImageArchitecture architecture } network])
            throw new InvalidDataException($"{path} does not hold a network for images.");
        var weights = output.PathOf("weights.safetensors");
        network.SaveWeights(weights);
        return new PictureNetwork(weights, architecture, white);
    }

    /// <summary>The network up to a layer, whose outputs keep their shape.</summary>
    public ImageFeaturesEstimator UpTo(MLContext mlContext, string? layer) => mlContext.Transforms.ImageFeatures(new ImageFeaturesEstimator.Options
    {
        OutputColumnName = "Maps",
        WeightsPath = WeightsFile,
        Architecture = Architecture,
        Layer = layer,
        Pool = false,
        ImageShape = Architecture?.Image.Shape,
        PixelScaling = Architecture?.Image.Scaling is { PerImage: false } scaling ? scaling with { Factor = scaling.Factor * White / 255 } : null,
    });
}
