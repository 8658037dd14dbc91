using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Onnx;

namespace MLExtensions.Families.Recurrent;

/// <summary>
/// Writes how a column of sequences becomes rows as ONNX operators: the number of time steps, then their values. In a graph the sequences of a
/// batch are equally long, so that shorter ones are filled up at the end, with NaN or with missing keys (0).
/// </summary>
internal sealed class SequenceGraph(GraphWriter graph, SequenceInput input)
{
    private readonly long _size = input.ValuesPerStep;

    /// <summary>Writes a column of numbers.</summary>
    /// <param name="numbers"><c>[rows, values]</c>.</param>
    /// <param name="steps">The number of time steps; null if unknown.</param>
    public string Numbers(string numbers, int? steps)
    {
        var values = graph.Reshape(steps == null ? OfAnySize(numbers) : numbers, 0, -1, _size);
        var isStep = graph.Node("Not", graph.Node("IsNaN", graph.Reshape(graph.Slice(values, 2, 0, 1), 0, -1)));
        var lengths = EndOf(isStep);
        return Rows(graph.Node("Where", [graph.Node("Unsqueeze", BeforeEnd(isStep, lengths), node => node.AddAttribute("axes", new long[] { 2 })), values, graph.Constant(0.0)]), lengths, steps);
    }

    /// <summary>Writes a column of keys.</summary>
    /// <param name="keys"><c>[rows, keys]</c>, from 1; 0 is missing.</param>
    /// <param name="places">The place of each key among the tokens.</param>
    /// <param name="steps">The number of keys of a row; null if unknown.</param>
    public string Keys(string keys, IReadOnlyList<long> places, int? steps)
    {
        keys = steps == null ? OfAnySize(keys) : keys;
        var isKey = graph.Node("Greater", [keys, graph.Constant(0L)]);
        var lengths = EndOf(isKey);
        if (input.MissingKeyHandling == MissingKeyHandling.Skip)
        {
            lengths = graph.Reduce("ReduceSum", graph.Cast(isKey, typeof(long)), keepDimensions: true, 1);
            keys = graph.Node("GatherElements", [keys, KeysFirst(isKey)], node => node.AddAttribute("axis", 1L));
        }
        // What fills up is any key: it is not read.
        var filled = graph.Node("Where", [BeforeEnd(keys, lengths), keys, graph.Constant(1L)]);
        var tokens = graph.Find(places, graph.Add(filled, graph.Constant(-1L)), "key in a sequence");
        return Rows(graph.Reshape(graph.Cast(tokens, typeof(float)), 0, -1, 1), lengths, steps);
    }

    /// <summary>
    /// The same values, of which a graph says no number. ML.NET declares one where the number is unknown (as for the words of a text), and ONNX
    /// Runtime would compute with that. How many values a Compress keeps is known to nobody beforehand; this one keeps all.
    /// </summary>
    private string OfAnySize(string values)
    {
        var any = graph.Cast(values, typeof(bool));
        var all = graph.Reshape(graph.Node("Or", [any, graph.Node("Not", any)]), -1);
        var rows = graph.Slice(graph.Node("Shape", values), 0, 0, 1);
        return graph.Node("Reshape", [graph.Node("Compress", [values, all]), graph.Concatenate(0, rows, graph.Numbers(-1))]);
    }

    /// <summary>The rows, cut to the greatest length.</summary>
    /// <param name="values"><c>[rows, steps, values]</c>.</param>
    /// <param name="lengths"><c>[rows, 1]</c>.</param>
    /// <param name="steps">The number of time steps; null if unknown.</param>
    private string Rows(string values, string lengths, int? steps)
    {
        if (input.EmptySequenceHandling == EmptySequenceHandling.Throw)
            lengths = graph.StopIf(lengths, graph.Node("Less", [lengths, graph.Constant(1L)]), "answer to an empty sequence");
        if (steps is not { } known || known > input.MaximumLength)
            (values, lengths) = Cut(values, lengths);
        return graph.Concatenate(1, graph.Cast(lengths, typeof(float)), graph.Node("Flatten", values));
    }

    private (string Values, string Lengths) Cut(string values, string lengths)
    {
        var most = graph.Constant((long)input.MaximumLength);
        var kept = graph.Node("Min", [lengths, most]);
        var lost = graph.Node("Sub", [lengths, kept]);
        var step = graph.Slice(Positions(values), 1, 0, input.MaximumLength);
        if (input.LongSequenceHandling == LongSequenceHandling.Throw)
            kept = graph.StopIf(kept, graph.Node("Greater", [lost, graph.Constant(0L)]), "answer to a sequence that is too long");
        var source = input.LongSequenceHandling switch
        {
            LongSequenceHandling.KeepBeginning => graph.Add(step, graph.Multiply(lost, graph.Constant(0L))),
            LongSequenceHandling.KeepBeginningAndEnd => graph.Add(step, graph.Node("Where", [graph.Node("Less", [step, graph.Constant((input.MaximumLength + 1L) / 2)]), graph.Constant(0L), lost])),
            _ => graph.Add(step, lost),
        };
        var places = graph.Node("Expand", [graph.Node("Unsqueeze", source, node => node.AddAttribute("axes", new long[] { 2 })), graph.Numbers(1, 1, _size)]);
        return (graph.Node("GatherElements", [values, places], node => node.AddAttribute("axis", 1L)), kept);
    }

    /// <summary>The number of time steps up to the last one that is there, <c>[rows, 1]</c>.</summary>
    /// <param name="isThere">Whether a time step is there, <c>[rows, steps]</c>.</param>
    private string EndOf(string isThere) => graph.Reduce(
        "ReduceMax",
        graph.Multiply(graph.Cast(isThere, typeof(long)), graph.Add(Positions(isThere), graph.Constant(1L))),
        keepDimensions: true,
        1);

    private string BeforeEnd(string like, string lengths) => graph.Node("Less", [Positions(like), lengths]);

    /// <summary>The places of the keys, in their order, and then those of missing ones.</summary>
    private string KeysFirst(string isKey)
    {
        var steps = StepsOf(isKey);
        var bonus = graph.Multiply(graph.Cast(isKey, typeof(long)), steps);
        var rank = graph.Node("Sub", [bonus, Positions(isKey)]);
        return graph.Nodes("TopK", [rank, graph.Reshape(steps, 1)], 2)[1];
    }

    /// <summary>The numbers of the time steps, <c>[1, steps]</c>.</summary>
    private string Positions(string like) => graph.Reshape(graph.Range(StepsOf(like)), 1, -1);

    private string StepsOf(string like) => graph.SizeOf(like, 1);
}
