using System.Text.Json.Serialization;
using MLExtensions.Families.Recurrent;
using MLExtensions.Messages;
using MLExtensions.Networks;

namespace MLExtensions;

/// <summary>Stacked recurrent layers: each reads the outputs of the one below, time step by time step.</summary>
/// <param name="Cell">The recurrent cell.</param>
/// <param name="HiddenUnits">The number of hidden units of each layer and direction.</param>
/// <param name="NumberOfLayers">The number of layers.</param>
public sealed record RecurrentLayers(RecurrentCell Cell, int HiddenUnits, [property: JsonPropertyName("layers")] int NumberOfLayers = 1)
{
    internal const int MaximumUnits = 1 << 20;
    internal const int MaximumLayers = 1000;

    /// <summary>Whether layers are bidirectional (Schuster and Paliwal, 1997); outputs are then twice as wide.</summary>
    public bool Bidirectional { get; init; }

    /// <summary>The dropout rate between layers (Zaremba et al., 2014).</summary>
    public double Dropout { get; init; }

    /// <summary>The number of outputs of the last layer per time step.</summary>
    [JsonIgnore]
    public int OutputCount => HiddenUnits * Directions;

    /// <summary>The number of directions: 1, or 2 if the layers are bidirectional.</summary>
    internal int Directions => Bidirectional ? 2 : 1;

    /// <summary>The number of matrices of a cell: its gates and its candidate.</summary>
    internal int Gates => GatesOf(Cell);

    /// <summary>The number of state tensors of a layer.</summary>
    internal int StatesPerLayer => Cell == RecurrentCell.Lstm ? 2 : 1;

    internal static int GatesOf(RecurrentCell cell) => cell switch
    {
        RecurrentCell.Lstm => 4,
        RecurrentCell.Gru => 3,
        _ => 1,
    };

    /// <exception cref="OverflowException">The number exceeds 64 bits.</exception>
    internal long ParameterCount(long inputs) => Sum(inputs, biases: 2);

    /// <summary>The multiply-adds of one time step.</summary>
    internal long MultiplyAdds(long inputs) => Sum(inputs, biases: 0);

    /// <summary>The layers in the table of a network.</summary>
    /// <param name="inputs">The number of inputs per time step.</param>
    /// <param name="steps">The number of time steps; 0 if there are any number, and the table is of one of them.</param>
    internal IEnumerable<LayerDescription> Describe(long inputs, int steps)
    {
        var kind = Cell.ToString().ToUpperInvariant();
        for (var layer = 0; layer < NumberOfLayers; layer++)
        {
            var weights = checked(Gates * (long)HiddenUnits * (inputs + HiddenUnits));
            foreach (var (suffix, direction) in new[] { ("", ""), ("_reverse", ", reversed") }.Take(Directions))
                yield return new(FormattableString.Invariant($"recurrent.{layer}{suffix}"), kind + direction, Shape(steps, HiddenUnits), weights + (2L * Gates * HiddenUnits), checked(weights * Math.Max(1, steps)));
            if (Dropout > 0 && layer < NumberOfLayers - 1)
                yield return LayerDescription.Dropout("recurrent.dropout", Dropout, Shape(steps, OutputCount));
            inputs = OutputCount;
        }
    }

    /// <summary>The shape of the values of all time steps, or of one if there are any number.</summary>
    internal static string Shape(int steps, int values) =>
        steps == 0 ? LayerDescription.Size(values) : $"{LayerDescription.Size(steps)} x {LayerDescription.Size(values)}";

    internal RecurrentModule CreateModule(int inputs) => new(this, inputs);

    /// <exception cref="FormatException">A property is out of range; the message names it.</exception>
    internal void Check()
    {
        if (!Enum.IsDefined(Cell))
            throw new FormatException($"recurrent.cell is {Cell}, which is not a valid cell.");
        if (HiddenUnits < 1 || HiddenUnits > MaximumUnits)
            throw new FormatException(FormattableString.Invariant($"recurrent.hiddenUnits is {HiddenUnits}; it must be between 1 and {MaximumUnits}."));
        if (NumberOfLayers < 1 || NumberOfLayers > MaximumLayers)
            throw new FormatException(FormattableString.Invariant($"recurrent.layers is {NumberOfLayers}; it must be between 1 and {MaximumLayers}."));
        if (!(Dropout >= 0 && Dropout < 1))
            throw new FormatException(FormattableString.Invariant($"recurrent.dropout is {Dropout}; it must be in [0, 1)."));
    }

    private long Sum(long inputs, long biases)
    {
        long count = 0;
        for (var layer = 0; layer < NumberOfLayers; layer++)
        {
            count = checked(count + (Directions * Gates * (long)HiddenUnits * (inputs + HiddenUnits + biases)));
            inputs = OutputCount;
        }
        return count;
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(RecurrentLayers), PrintMembers);
}

/// <summary>The recurrent cell: what a recurrent layer computes at each time step.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RecurrentCell>))]
public enum RecurrentCell
{
    /// <summary>
    /// Long short-term memory: input, forget and output gates around a cell state (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).
    /// </summary>
    Lstm,

    /// <summary>Gated recurrent unit: reset and update gates, no cell state (Cho et al., 2014).</summary>
    Gru,

    /// <summary>The plain recurrent network with tanh (Elman, 1990); it forgets within about ten time steps.</summary>
    Rnn,
}
