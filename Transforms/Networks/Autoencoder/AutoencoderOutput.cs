using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>What the features of an autoencoder are, and so what its output is and how far from them it is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AutoencoderOutput>))]
public enum AutoencoderOutput
{
    /// <summary>Values in [0, 1], such as the intensity of pixels: the output is a sigmoid, training minimises the cross entropy.</summary>
    Probability,

    /// <summary>Real numbers, best of mean 0 and variance 1: the output is linear, training minimises the squared error.</summary>
    Real,
}
