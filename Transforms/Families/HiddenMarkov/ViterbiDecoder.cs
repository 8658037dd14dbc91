using System.Runtime.InteropServices;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>
/// Finds the most probable path of states (Viterbi, 1967). It keeps one or two bytes for each state and observation.
/// </summary>
internal sealed class ViterbiDecoder(HiddenMarkovParameters parameters)
{
    private readonly double[] _start = Array.ConvertAll(parameters.Start.ToArray(), Math.Log);
    private readonly double[] _transitions = Array.ConvertAll(parameters.Transitions.ToArray(), Math.Log);
    private readonly int _states = parameters.NumberOfStates;

    /// <summary>Finds the path; the first of several that are as probable.</summary>
    /// <param name="sequence">The sequence. Its impossible observations must have been made missing ones.</param>
    /// <param name="path">Receives the states.</param>
    /// <returns>The logarithm of the probability of path and observations together.</returns>
    public double Decode(ObservedSequence sequence, Span<int> path)
    {
        // The list of bytes serves both: one place for each state, or two.
        var wide = _states > 256;
        var from = new List<byte>();
        CollectionsMarshal.SetCount(from, checked(sequence.Length * _states * (wide ? 2 : 1)));
        var bytes = CollectionsMarshal.AsSpan(from);
        var words = MemoryMarshal.Cast<byte, ushort>(bytes);
        var (best, previous, densities) = (new double[_states], new double[_states], new double[_states]);
        for (var position = 0; position < sequence.Length; position++)
        {
            if (sequence.IsMissing(position))
                Array.Clear(densities);
            else
                parameters.Emissions.Fill(sequence, position, asLogs: true, densities);
            (best, previous) = (previous, best);
            for (var state = 0; state < _states; state++)
            {
                var (greatest, choice) = (position == 0 ? _start[state] : double.NegativeInfinity, 0);
                for (var other = 0; other < _states && position > 0; other++)
                {
                    var value = previous[other] + _transitions[(other * _states) + state];
                    if (value > greatest)
                        (greatest, choice) = (value, other);
                }
                best[state] = greatest + densities[state];
                if (wide)
                    words[(position * _states) + state] = (ushort)choice;
                else
                    bytes[(position * _states) + state] = (byte)choice;
            }
        }
        var last = Array.IndexOf(best, best.Max());
        for (var (position, state) = (sequence.Length - 1, last); position >= 0; position--)
        {
            path[position] = state;
            state = wide ? words[(position * _states) + state] : bytes[(position * _states) + state];
        }
        return best[last];
    }
}
