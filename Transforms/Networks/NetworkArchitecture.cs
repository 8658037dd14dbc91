using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Messages;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// The immutable description of a network: its family, sizes and layers. It is saved as JSON with the model and rebuilds the network; the
/// weights are saved separately.
/// </summary>
[JsonDerivedType(typeof(MlpArchitecture), MlpArchitecture.FamilyName)]
[JsonDerivedType(typeof(CnnArchitecture), CnnArchitecture.FamilyName)]
[JsonDerivedType(typeof(ResNetArchitecture), ResNetArchitecture.FamilyName)]
[JsonDerivedType(typeof(RecurrentArchitecture), RecurrentArchitecture.FamilyName)]
[JsonDerivedType(typeof(ForecastArchitecture), ForecastArchitecture.FamilyName)]
[JsonDerivedType(typeof(LanguageModelArchitecture), LanguageModelArchitecture.FamilyName)]
[JsonDerivedType(typeof(QuatrainLineArchitecture), QuatrainLineArchitecture.FamilyName)]
[JsonDerivedType(typeof(SequenceToSequenceArchitecture), SequenceToSequenceArchitecture.FamilyName)]
[JsonDerivedType(typeof(RbmArchitecture), RbmArchitecture.FamilyName)]
[JsonDerivedType(typeof(AutoencoderArchitecture), AutoencoderArchitecture.FamilyName)]
[JsonDerivedType(typeof(DecoderArchitecture), DecoderArchitecture.FamilyName)]
[JsonDerivedType(typeof(GeneratorArchitecture), GeneratorArchitecture.FamilyName)]
[JsonDerivedType(typeof(DiscriminatorArchitecture), DiscriminatorArchitecture.FamilyName)]
[JsonDerivedType(typeof(ActionValueArchitecture), ActionValueArchitecture.FamilyName)]
[JsonDerivedType(typeof(StyleNetworkArchitecture), StyleNetworkArchitecture.FamilyName)]
public abstract record NetworkArchitecture
{
    private protected NetworkArchitecture()
    {
    }

    /// <summary>The number of input features.</summary>
    public required int InputCount { get; init; }

    /// <summary>The number of output units: 1 for binary classification and regression, the number of classes for multiclass.</summary>
    public required int OutputCount { get; init; }

    /// <summary>The number of trainable weights and biases.</summary>
    /// <exception cref="OverflowException">The number exceeds 64 bits.</exception>
    [JsonIgnore]
    public abstract long ParameterCount { get; }

    /// <summary>
    /// Returns a table of the layers: name, kind, output shape, parameters, multiply-adds per row. Sequences are as long as the network takes
    /// them; a language model has one token.
    /// </summary>
    /// <exception cref="OverflowException">A number exceeds 64 bits.</exception>
    public string Summary() => NetworkSummary.Create(Describe(), OutputCount);

    /// <summary>The format of a row of input.</summary>
    internal virtual FeatureFormat Format => new DenseFormat(InputCount);

    /// <summary>The multiply-adds per row.</summary>
    internal virtual double MultiplyAdds => ParameterCount;

    /// <summary>The least number of values per row that the layers keep until gradients are computed.</summary>
    internal virtual double ValuesPerRow => (double)InputCount + OutputCount;

    /// <summary>The best number of rows per scoring pass.</summary>
    internal virtual int ScoringRows => int.MaxValue;

    /// <summary>The minimum number of rows of a training batch; 2 with batch normalization.</summary>
    internal abstract int MinimumBatchRows { get; }

    /// <summary>The name of the output layer, as in the names of its weights; its first dimension is <see cref="OutputCount"/>.</summary>
    internal abstract string OutputLayer { get; }

    /// <summary>The layers from the inputs to the outputs; together they have <see cref="ParameterCount"/> parameters.</summary>
    internal abstract IEnumerable<LayerDescription> Describe();

    /// <summary>
    /// Creates the module, float32 on the CPU, with uninitialized weights; it maps <c>[rows, InputCount]</c> to <c>[rows, OutputCount]</c>.
    /// </summary>
    internal abstract nn.Module<Tensor, Tensor> CreateModule();

    /// <summary>Whether only libtorch computes with the network, so that it becomes a module at once.</summary>
    internal virtual bool NeedsLibtorch => false;

    /// <summary>Whether the network can be written as ONNX operators.</summary>
    internal virtual bool HasGraph => true;

    /// <summary>Writes what the module computes in scoring as ONNX operators, with all of its weights.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="rows">The rows, as <see cref="Format"/> has them.</param>
    /// <returns>The outputs.</returns>
    /// <exception cref="NotSupportedException">The network is more than a graph can say.</exception>
    internal virtual string Write(GraphWriter graph, string rows) => throw new NotSupportedException($"{GetType().Name} cannot be written as a graph.");

    /// <summary>Checks every number, so that a damaged file cannot create an invalid network.</summary>
    /// <exception cref="FormatException">A property is out of range; the message names it.</exception>
    internal virtual void Check()
    {
        if (InputCount < 1)
            throw new FormatException(FormattableString.Invariant($"inputCount is {InputCount}; it must be at least 1."));
        if (OutputCount < 1)
            throw new FormatException(FormattableString.Invariant($"outputCount is {OutputCount}; it must be at least 1."));
    }

    /// <summary>Returns the values as text.</summary>
    public sealed override string ToString() => RecordText.Of(GetType().Name, PrintMembers);
}

/// <summary>
/// A network whose input contains lengths or token numbers and must be float32, whatever the precision of the computation.
/// </summary>
internal interface IFullPrecisionInput;
