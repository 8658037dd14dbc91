using System.Text.Json.Serialization;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// The immutable description of a network: what its family, its sizes and its layers are. It is saved as JSON with the model and
/// builds the network again; the weights come from beside it.
/// </summary>
[JsonDerivedType(typeof(MlpArchitecture), MlpArchitecture.FamilyName)]
[JsonDerivedType(typeof(CnnArchitecture), CnnArchitecture.FamilyName)]
[JsonDerivedType(typeof(ResNetArchitecture), ResNetArchitecture.FamilyName)]
[JsonDerivedType(typeof(RecurrentArchitecture), RecurrentArchitecture.FamilyName)]
[JsonDerivedType(typeof(ForecastArchitecture), ForecastArchitecture.FamilyName)]
[JsonDerivedType(typeof(LanguageModelArchitecture), LanguageModelArchitecture.FamilyName)]
[JsonDerivedType(typeof(RbmArchitecture), RbmArchitecture.FamilyName)]
[JsonDerivedType(typeof(AutoencoderArchitecture), AutoencoderArchitecture.FamilyName)]
public abstract record NetworkArchitecture
{
    private protected NetworkArchitecture()
    {
    }

    /// <summary>The number of features that the network takes.</summary>
    public required int InputCount { get; init; }

    /// <summary>The number of output units: 1 for binary classification and regression, the number of classes for multiclass.</summary>
    public required int OutputCount { get; init; }

    /// <summary>The number of weights and biases that training finds.</summary>
    /// <exception cref="OverflowException">The number is beyond 64 bits.</exception>
    [JsonIgnore]
    public abstract long ParameterCount { get; }

    /// <summary>What a row of the network's input is.</summary>
    internal virtual FeatureFormat Format => new DenseFormat(InputCount);

    /// <summary>The multiplications and additions, each pair as one, that a row costs.</summary>
    internal virtual double MultiplyAdds => ParameterCount;

    /// <summary>The number of rows that are best scored in one pass.</summary>
    internal virtual int ScoringRows => int.MaxValue;

    /// <summary>The number of rows that a training batch needs at least; 2 where batch statistics are taken.</summary>
    internal abstract int MinimumBatchRows { get; }

    /// <summary>The name of the layer whose first dimension is <see cref="OutputCount"/>, as in the names of its weights.</summary>
    internal abstract string OutputLayer { get; }

    /// <summary>Builds the module, float32 on the CPU, with weights that are not initialised yet; <c>[rows, InputCount]</c> to <c>[rows, OutputCount]</c>.</summary>
    internal abstract nn.Module<Tensor, Tensor> CreateModule();

    /// <summary>Checks every number, so that a damaged file cannot build an absurd network.</summary>
    /// <exception cref="FormatException">A member is out of range; the message names it.</exception>
    internal virtual void Check()
    {
        if (InputCount < 1)
            throw new FormatException($"inputCount is {InputCount}; it must be at least 1.");
        if (OutputCount < 1)
            throw new FormatException($"outputCount is {OutputCount}; it must be at least 1.");
    }
}

/// <summary>A network whose input holds lengths or token numbers: it must come in float32, whatever the network computes in.</summary>
internal interface IFullPrecisionInput;
