using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>What a recurrent layer computes at each step.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RecurrentCell>))]
public enum RecurrentCell
{
    /// <summary>Long short-term memory: input, forget and output gates around a cell state (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).</summary>
    Lstm,

    /// <summary>Gated recurrent unit: reset and update gates, no cell state (Cho et al., 2014).</summary>
    Gru,

    /// <summary>The plain recurrent network with tanh (Elman, 1990); it forgets within some ten steps.</summary>
    Rnn,
}
