using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using MLExtensions.Families.Recurrent;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Recurrent layers over whole sequences, whose outputs are pooled into one vector for an output layer.</summary>
public sealed record RecurrentArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "lstm";

    // The number of rows that are scored at once: they have similar length, so that there is little padding.
    internal const int ChunkRows = 128;

    /// <summary>The format of the sequences.</summary>
    public required SequenceInput Input { get; init; }

    /// <summary>The embedding size of tokens; 0 for sequences of numbers.</summary>
    public int EmbeddingSize { get; init; }

    /// <summary>The recurrent layers.</summary>
    public required RecurrentLayers Recurrent { get; init; }

    /// <summary>How the outputs of all time steps are combined into one vector.</summary>
    public SequencePooling Pooling { get; init; }

    /// <summary>The dropout rate of the inputs of each time step.</summary>
    public double InputDropout { get; init; }

    /// <summary>The dropout rate of the pooled values.</summary>
    public double OutputDropout { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount
    {
        get
        {
            long width = Recurrent.OutputCount;
            var attention = Pooling == SequencePooling.Attention ? (width * width) + (2 * width) : 0;
            return checked(((long)Input.TokenCount * EmbeddingSize) + Recurrent.ParameterCount(StepWidth) + attention + ((width + 1) * OutputCount));
        }
    }

    internal override FeatureFormat Format => new SequenceFormat(Input);

    // Of one time step only: time steps are sequential, so threads can share only the work of one.
    internal override double MultiplyAdds => Recurrent.MultiplyAdds(StepWidth);

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "output";

    /// <summary>The number of inputs of the first recurrent layer per time step.</summary>
    internal int StepWidth => Input.TokenCount > 0 ? EmbeddingSize : Input.ValuesPerStep;

    internal override IEnumerable<LayerDescription> Describe()
    {
        var width = Recurrent.OutputCount;
        var steps = Input.MaximumLength;
        if (Input.TokenCount > 0)
            yield return new("embedding", "embedding", RecurrentLayers.Shape(steps, EmbeddingSize), checked((long)Input.TokenCount * EmbeddingSize));
        if (InputDropout > 0)
            yield return LayerDescription.Dropout("input_dropout", InputDropout, RecurrentLayers.Shape(steps, StepWidth));
        foreach (var layer in Recurrent.Describe(StepWidth, steps))
            yield return layer;
        if (Pooling == SequencePooling.Attention)
        {
            yield return new("pool.attention", "dense, Tanh", RecurrentLayers.Shape(steps, width), (width + 1L) * width, checked((long)width * width * steps));
            yield return new("pool.context", "attention", LayerDescription.Size(width), width, checked(2L * width * steps));
        }
        else
            yield return new("pool", $"{Pooling.ToString().ToLowerInvariant()} of the steps", LayerDescription.Size(width));
        if (OutputDropout > 0)
            yield return LayerDescription.Dropout("output_dropout", OutputDropout, LayerDescription.Size(width));
        yield return LayerDescription.Dense("output", width, OutputCount);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule() => new RecurrentNetwork(this);

    internal override string Write(GraphWriter graph, string rows)
    {
        var given = graph.Cast(graph.Slice(rows, 1, 0, 1), typeof(long));
        var values = graph.Transpose(graph.Reshape(graph.Slice(rows, 1, 1, long.MaxValue), 0, -1, Input.ValuesPerStep), 1, 0, 2);
        // An empty sequence counts as one time step, whose outputs are then replaced by zeros.
        var lengths = graph.Node("Max", [given, graph.Constant(1L)]);
        var x = Input.TokenCount == 0
            ? values
            : graph.Node("Gather", [graph.Weight("embedding.weight", Input.TokenCount, EmbeddingSize), graph.Node("Squeeze", graph.Cast(values, typeof(long)), node => node.AddAttribute("axes", new long[] { 2 }))]);
        var (outputs, last) = RecurrentGraph.Write(graph, Recurrent, "recurrent", x, StepWidth, graph.Reshape(graph.Cast(lengths, typeof(int)), -1));
        var isStep = Pooling == SequencePooling.Last ? "" : graph.IsStep(values, lengths);
        var pooled = RecurrentGraph.Pool(graph, Pooling, "pool", Recurrent.OutputCount, outputs, last, isStep, lengths);
        var isEmpty = graph.Node("Less", [given, graph.Constant(1L)]);
        var result = graph.Dense(graph.Node("Where", [isEmpty, graph.Constant(0.0), pooled]), OutputLayer, Recurrent.OutputCount, OutputCount);
        return Input.TokenCount > 0 ? result : graph.Add(result, RecurrentGraph.NotANumber(graph, values));
    }

    internal override void Check()
    {
        base.Check();
        if (Input == null)
            throw new FormatException("input is missing.");
        Input.Check();
        if (Recurrent == null)
            throw new FormatException("recurrent is missing.");
        Recurrent.Check();
        if (Input.TokenCount > 0 ? EmbeddingSize < 1 : EmbeddingSize != 0)
            throw new FormatException(FormattableString.Invariant($"embeddingSize is {EmbeddingSize}; it must be at least 1 for tokens, and 0 for numbers."));
        if (!Enum.IsDefined(Pooling))
            throw new FormatException($"pooling is {Pooling}, which is not a valid pooling.");
        if (!(InputDropout >= 0 && InputDropout < 1))
            throw new FormatException(FormattableString.Invariant($"inputDropout is {InputDropout}; it must be in [0, 1)."));
        if (!(OutputDropout >= 0 && OutputDropout < 1))
            throw new FormatException(FormattableString.Invariant($"outputDropout is {OutputDropout}; it must be in [0, 1)."));
        if (InputCount != Format.Width)
            throw new FormatException(FormattableString.Invariant($"inputCount is {InputCount}; it must be {Format.Width} for sequences of at most {Input.MaximumLength} steps of {Input.ValuesPerStep} values."));
    }
}

/// <summary>How the outputs of a recurrent network at all time steps are combined into one vector.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SequencePooling>))]
public enum SequencePooling
{
    /// <summary>The output at the last time step; for a reversed layer, at the first.</summary>
    Last,

    /// <summary>The mean over the time steps.</summary>
    Mean,

    /// <summary>The maximum over the time steps, for each unit.</summary>
    Max,

    /// <summary>
    /// Attention: a mean with learned weights, the softmax of the product of each output and a learned vector (Yang et al., 2016).
    /// </summary>
    Attention,
}
