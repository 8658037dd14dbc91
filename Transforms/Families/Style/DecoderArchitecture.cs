using System.Text.Json.Serialization;
using MLExtensions.Families.Style;
using MLExtensions.Messages;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A network that paints pictures from what a layer of an image network sees: 3x3 convolutions with ReLU between them, and enlargements by
/// repeating positions, no normalization. Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", 2017.
/// </summary>
/// <remarks>
/// Its input has <see cref="NetworkArchitecture.InputCount"/> channels at each position, its output the three colors of <see cref="Scale"/> x
/// <see cref="Scale"/> pixels for each. Its weights are <c>layers.0.weight [channels, inputs, 3, 3]</c>, <c>layers.0.bias</c> and so on.
/// </remarks>
public sealed record DecoderArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "decoder";

    private const int Kernel = 3;
    private const int Colors = 3;
    private const int MaximumScale = 64;
    private const int MaximumLayers = 1000;

    /// <summary>The convolutions, from the deepest to the colors.</summary>
    public required IReadOnlyList<DecoderLayer> Layers { get; init; }

    /// <summary>What the inputs are divided by: about their size, greater than 0.</summary>
    public required double InputDivisor { get; init; }

    /// <summary>The pixels of a position, a side: the product of the enlargements.</summary>
    [JsonIgnore]
    public int Scale => Layers.Aggregate(1, (scale, layer) => checked(scale * layer.Scale));

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => Placed.Sum(layer => WeightsOf(layer.Inputs, layer.Channels));

    /// <inheritdoc/>
    public bool Equals(DecoderArchitecture? other) => base.Equals(other) && InputDivisor.Equals(other.InputDivisor) && Layers.SequenceEqual(other.Layers);

    /// <inheritdoc/>
    public override int GetHashCode() => Layers.Aggregate(HashCode.Combine(base.GetHashCode(), InputDivisor), HashCode.Combine);

    /// <summary>The multiply-adds per position of the input.</summary>
    internal override double MultiplyAdds => Placed.Sum(layer => (double)Kernel * Kernel * layer.Inputs * layer.Channels * layer.Scale * layer.Scale);

    /// <summary>The values per position of the input.</summary>
    internal override double ValuesPerRow => InputCount + Placed.Sum(layer => (double)(layer.Inputs + layer.Channels) * layer.Scale * layer.Scale);

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => FormattableString.Invariant($"layers.{Layers.Count - 1}");

    /// <summary>The values per position of the input at the worst moment of painting: the features, and of a layer its input, enlarged and with its borders, and its output.</summary>
    internal double PassingValues => InputCount + Placed.Max(layer => layer.Scale * layer.Scale *
        (((double)layer.Inputs / (layer.Enlarges * layer.Enlarges)) + layer.Inputs + (layer.Enlarges > 1 ? Math.Max(layer.Inputs, layer.Channels) : layer.Channels)));

    private IEnumerable<(int Index, long Inputs, int Channels, int Enlarges, long Scale)> Placed
    {
        get
        {
            var (inputs, scale) = ((long)InputCount, 1L);
            for (var i = 0; i < Layers.Count; i++)
            {
                scale *= Layers[i].Scale;
                yield return (i, inputs, Layers[i].Channels, Layers[i].Scale, scale);
                inputs = Layers[i].Channels;
            }
        }
    }

    /// <summary>
    /// The mirror image of an encoder: for each convolution or block one with the channels exchanged, for each pooling or stride an enlargement.
    /// At least two convolutions follow the last enlargement, for colors that are not blocks.
    /// </summary>
    internal static DecoderArchitecture MirrorOf(StyleEncoder encoder, double inputDivisor)
    {
        var layers = new List<DecoderLayer>();
        var (channels, scale) = (encoder.Channels, 1);
        var first = encoder.Steps.First(step => step.Convolves);
        foreach (var step in encoder.Steps.Reverse())
        {
            if (step.Convolves && !ReferenceEquals(step, first))
                Add(step.Inputs);
            else if (step.Convolves && step.Stride > 1)
                Add(Math.Max(Colors, channels / 2));
            scale *= step.Stride;
        }
        if (scale > 1)
            Add(channels);
        Add(Colors);
        return new DecoderArchitecture { InputCount = encoder.Channels, OutputCount = Colors, Layers = layers, InputDivisor = inputDivisor };

        void Add(int count)
        {
            layers.Add(new DecoderLayer(count) { Scale = scale });
            (channels, scale) = (count, 1);
        }
    }

    internal override IEnumerable<LayerDescription> Describe() => Placed.Select(layer => new LayerDescription(
        FormattableString.Invariant($"layers.{layer.Index}"),
        FormattableString.Invariant($"{(layer.Enlarges > 1 ? FormattableString.Invariant($"enlargement x {layer.Enlarges}, ") : "")}convolution {Kernel}x{Kernel}{(layer.Index < Layers.Count - 1 ? ", ReLU" : "")}"),
        FormattableString.Invariant($"{layer.Channels} x {layer.Scale} x {layer.Scale}"),
        WeightsOf(layer.Inputs, layer.Channels),
        checked(Kernel * Kernel * layer.Inputs * layer.Channels * layer.Scale * layer.Scale)));

    internal override bool NeedsLibtorch => true;

    internal override nn.Module<Tensor, Tensor> CreateModule() => new DecoderNetwork(this);

    internal override void Check()
    {
        base.Check();
        if (OutputCount != Colors)
            throw new FormatException(FormattableString.Invariant($"outputCount is {OutputCount}; a decoder paints {Colors} colors."));
        if (Layers is not { Count: >= 1 and <= MaximumLayers })
            throw new FormatException(FormattableString.Invariant($"layers has {Layers?.Count ?? 0} entries; it must have 1 to {MaximumLayers}."));
        if (!(InputDivisor > 0 && double.IsFinite(InputDivisor)))
            throw new FormatException(FormattableString.Invariant($"inputDivisor is {InputDivisor}; it must be finite and greater than 0."));
        var scale = 1L;
        for (var i = 0; i < Layers.Count; i++)
        {
            if (Layers[i] is not { Channels: >= 1, Scale: >= 1 and <= MaximumScale })
                throw new FormatException(FormattableString.Invariant($"layers[{i}] is {Layers[i]?.ToString() ?? "null"}; its channels must be at least 1, its scale from 1 to {MaximumScale}."));
            scale = Math.Min(scale * Layers[i].Scale, int.MaxValue);
        }
        if (scale > MaximumScale)
            throw new FormatException(FormattableString.Invariant($"layers enlarge {scale} times; at most {MaximumScale}."));
        if (Layers[^1].Channels != OutputCount)
            throw new FormatException(FormattableString.Invariant($"the last of layers has {Layers[^1].Channels} channels; it must have outputCount, {OutputCount}."));
    }

    private static long WeightsOf(long inputs, long channels) => checked(((Kernel * Kernel * inputs) + 1) * channels);

    /// <summary>
    /// The module: maps <c>[rows, InputCount, height, width]</c> to pictures <c>[rows, 3, height * Scale, width * Scale]</c>, about from 0 to 255.
    /// </summary>
    private sealed class DecoderNetwork : nn.Module<Tensor, Tensor>
    {
        // A network that computes 0 paints gray.
        private const double Gray = 127.5;

        private readonly ModuleList<ReflectedConvolution> layers;
        private readonly DecoderArchitecture _architecture;

        public DecoderNetwork(DecoderArchitecture architecture)
            : base(nameof(DecoderNetwork))
        {
            _architecture = architecture;
            layers = nn.ModuleList<ReflectedConvolution>();
            foreach (var layer in architecture.Placed)
                layers.Add(new ReflectedConvolution(layer.Inputs, layer.Channels, Kernel));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            x = x.div(Number.Of(_architecture.InputDivisor));
            for (var i = 0; i < layers.Count; i++)
            {
                var layer = i;
                x = TensorMemory.Replace(x, old => layers[layer].Enlarged(old, _architecture.Layers[layer].Scale));
                if (i < layers.Count - 1)
                    x = x.relu_();
            }
            return TensorMemory.Replace(x, old => old.mul(Number.Of(Gray)).add(Number.Of(Gray), Number.One));
        }
    }
}

/// <summary>A 3x3 convolution of a decoder.</summary>
/// <param name="Channels">The number of its output channels.</param>
public sealed record DecoderLayer(int Channels)
{
    /// <summary>How many times as high and wide its input is made before, by repeating positions. Default 1.</summary>
    public int Scale { get; init; } = 1;

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(DecoderLayer), PrintMembers);
}
