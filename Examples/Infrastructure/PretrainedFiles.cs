namespace MLExtensions.Examples.Infrastructure;

/// <summary>Files of networks that others trained.</summary>
internal static class PretrainedFiles
{
    public static ExternalData SqueezeNet { get; } =
        new("The weights of SqueezeNet 1.0", "weights", "FILE", "Weights of SqueezeNet 1.0, a safetensors file with torchvision's names.", "pretrained/squeezenet1_0.safetensors");

    /// <summary>Weights of any network that the examples recognize.</summary>
    public static ExternalData Network { get; } =
        new("The weights of a pretrained network", "weights", "FILE", "Weights of a network, a safetensors file with torchvision's names.", "pretrained/squeezenet1_0.safetensors");

    public static ExternalData ClassNames { get; } =
        new("The list of class names", "labels", "FILE", "Names of the network's classes, in order: a JSON list, or one name per line.", "pretrained/imagenet-simple-labels.json");
}
