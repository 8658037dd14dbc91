using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Examples.HiddenMarkov;

/// <summary>States that were learned have no names: finds the order in which they are most like known ones.</summary>
internal static class StateMatching
{
    /// <summary>The same model with its states in the order of another.</summary>
    public static HiddenMarkovTransformer Match(MLContext mlContext, HiddenMarkovTransformer model, HiddenMarkovTransformer known)
    {
        var symbols = known.SymbolNames!;
        var places = symbols.Select(symbol => model.SymbolNames!.ToList().IndexOf(symbol)).ToArray();
        var (learned, truth) = (((DiscreteEmissions)model.Parameters.Emissions).Probabilities, ((DiscreteEmissions)known.Parameters.Emissions).Probabilities);
        var order = Permutations(model.NumberOfStates).MinBy(Distance)!;
        var (start, transitions) = (model.Parameters.StartProbabilities, model.Parameters.TransitionProbabilities);
        var (emissions, moved) = (new double[order.Length, symbols.Count], new double[order.Length, order.Length]);
        for (var state = 0; state < order.Length; state++)
        {
            for (var symbol = 0; symbol < symbols.Count; symbol++)
                emissions[state, symbol] = places[symbol] < 0 ? 0 : learned[order[state], places[symbol]];
            for (var next = 0; next < order.Length; next++)
                moved[state, next] = transitions[order[state], order[next]];
        }
        return mlContext.HiddenMarkovModels.Trainers.Discrete(new DiscreteHiddenMarkovEstimator.Options
        {
            InitialParameters = new HiddenMarkovParameters(order.Select(state => start[state]).ToArray(), moved, new DiscreteEmissions(emissions)),
            MaximumIterations = 0,
            SequenceColumnName = null,
            SymbolNames = symbols,
        }).Fit(Symbols.View(mlContext, string.Concat(symbols)));

        double Distance(int[] candidate)
        {
            var sum = 0.0;
            for (var state = 0; state < candidate.Length; state++)
            {
                for (var symbol = 0; symbol < symbols.Count; symbol++)
                    sum += Math.Abs(truth[state, symbol] - (places[symbol] < 0 ? 0 : learned[candidate[state], places[symbol]]));
            }
            return sum;
        }
    }

    /// <summary>The largest difference of a transition or emission probability.</summary>
    public static double LargestError(HiddenMarkovTransformer model, HiddenMarkovTransformer known) =>
        Parameters(Enumerable.Repeat("", known.NumberOfStates).ToArray(), known.SymbolNames!).Max(parameter => Math.Abs(parameter.Value(model.Parameters) - parameter.Value(known.Parameters)));

    /// <summary>The transition and emission probabilities, with names.</summary>
    public static IEnumerable<(string Name, Func<HiddenMarkovParameters, double> Value)> Parameters(IReadOnlyList<string> states, IReadOnlyList<string> symbols)
    {
        for (var state = 0; state < states.Count; state++)
        {
            var from = state;
            for (var next = 0; next < states.Count; next++)
            {
                var to = next;
                yield return ($"{states[from]} to {states[to]}", parameters => parameters.TransitionProbabilities[from, to]);
            }
            for (var i = 0; i < symbols.Count; i++)
            {
                var symbol = i;
                yield return ($"{states[from]}: {symbols[symbol]}", parameters => ((DiscreteEmissions)parameters.Emissions).Probabilities[from, symbol]);
            }
        }
    }

    private static IEnumerable<int[]> Permutations(int count) => count == 0
        ? [[]]
        : Permutations(count - 1).SelectMany(order => Enumerable.Range(0, count), (order, place) => (int[])[.. order[..place], count - 1, .. order[place..]]);
}

/// <summary>Sequences of characters as data.</summary>
internal static class Symbols
{
    private static readonly string[] Texts = Enumerable.Range(0, 128).Select(code => ((char)code).ToString()).ToArray();

    /// <summary>A row for each character; one sequence.</summary>
    public static IDataView View(MLContext mlContext, string symbols) => mlContext.Data.LoadFromEnumerable(symbols.Select(symbol => new Row { Observation = Texts[symbol] }));

    public static T[] Column<T>(IDataView data, string name) => data.GetColumn<T>(name).ToArray();

    private sealed class Row
    {
        public string Observation { get; set; } = "";
    }
}
