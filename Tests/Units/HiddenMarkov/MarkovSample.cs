using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions.Tests.HiddenMarkov;

/// <summary>Sequences and models whose answers are known.</summary>
internal static class MarkovSample
{
    public static readonly MLContext Ml = new(1);

    /// <summary>Russell and Norvig's umbrella world; the symbols are umbrella and none.</summary>
    public static readonly HiddenMarkovParameters Umbrella = new([0.5, 0.5], new[,] { { 0.7, 0.3 }, { 0.3, 0.7 } }, new DiscreteEmissions(new[,] { { 0.9, 0.1 }, { 0.2, 0.8 } }));

    /// <summary>The weather of Wikipedia's article on Viterbi's algorithm: rainy and sunny; walk, shop and clean.</summary>
    public static readonly HiddenMarkovParameters Weather = new([0.6, 0.4], new[,] { { 0.7, 0.3 }, { 0.4, 0.6 } }, new DiscreteEmissions(new[,] { { 0.1, 0.4, 0.5 }, { 0.6, 0.3, 0.1 } }));

    /// <summary>The dishonest casino of Durbin et al.</summary>
    public static readonly HiddenMarkovParameters Casino = new([1, 0], new[,] { { 0.95, 0.05 }, { 0.1, 0.9 } }, new DiscreteEmissions(new[,] { { 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0 }, { 0.1, 0.1, 0.1, 0.1, 0.1, 0.5 } }));

    /// <summary>The book's three dice of 4, 6 and 8 sides, and ten throws of them.</summary>
    public static readonly int[] Throws = [1, 6, 3, 5, 2, 7, 3, 5, 2, 4];

    public static HiddenMarkovParameters Dice(bool loaded)
    {
        var emissions = new double[3, 8];
        for (var die = 0; die < 3; die++)
        {
            for (var side = 0; side < 4 + (2 * die); side++)
                emissions[die, side] = 1.0 / (4 + (2 * die));
        }
        const double Third = 1 / 3.0;
        double[,] transitions = { { Third, Third, Third }, { loaded ? 0 : Third, loaded ? 0.9 : Third, loaded ? 0.1 : Third }, { Third, Third, Third } };
        return new HiddenMarkovParameters([Third, Third, Third], transitions, new DiscreteEmissions(emissions));
    }

    /// <summary>Numbers with two features in three sequences of 25, 1 and 34 rows; single-precision numbers in any language.</summary>
    public static IDataView Vectors() => Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 60).Select(Vector));

    public static VectorRow Vector(int t) => new()
    {
        Sequence = t < 25 ? "a" : t < 26 ? "b" : "c",
        Observation =
        [
            (float)((3 * (t / 5 % 3)) + (((t * 37 % 11) - 5) / 4.0)),
            (float)((((t * 53 % 13) - 6) / 3.0) - (t / 5 % 3 == 1 ? 2 : 0) + (((t * 37 % 11) - 5) / 8.0)),
        ],
    };

    public static ObservedSequence Sequence(params int[] symbols)
    {
        var sequence = new ObservedSequence(0);
        foreach (var symbol in symbols)
            sequence.Add(symbol);
        return sequence;
    }

    /// <summary>A model with given parameters, without training.</summary>
    public static HiddenMarkovTransformer Known(HiddenMarkovParameters parameters, string symbols, Action<DiscreteHiddenMarkovEstimator.Options>? change = null)
    {
        var options = new DiscreteHiddenMarkovEstimator.Options { InitialParameters = parameters, MaximumIterations = 0, SymbolNames = symbols.Select(symbol => symbol.ToString()).ToArray(), Seed = 1 };
        change?.Invoke(options);
        return Ml.HiddenMarkovModels.Trainers.Discrete(options).Fit(Texts(symbols));
    }

    /// <summary>A row for each letter; sequences are named by their numbers. A space is missing.</summary>
    public static IDataView Texts(params string[] sequences) => Ml.Data.LoadFromEnumerable(Rows(sequences));

    public static TextRow[] Rows(params string[] sequences) =>
        sequences.SelectMany((sequence, i) => sequence.Select(symbol => new TextRow { Sequence = $"{i}", Observation = symbol == ' ' ? "" : symbol.ToString() })).ToArray();

    /// <summary>All paths of states with their probability together with the observations: slow and simple.</summary>
    public static IEnumerable<(int[] Path, double Probability)> Paths(HiddenMarkovParameters model, IReadOnlyList<double[]> densities)
    {
        var (states, transitions) = (model.NumberOfStates, model.TransitionProbabilities);
        for (var number = 0; number < Math.Pow(states, densities.Count); number++)
        {
            var path = new int[densities.Count];
            for (var (position, rest) = (0, number); position < path.Length; position++, rest /= states)
                path[position] = rest % states;
            var probability = model.StartProbabilities[path[0]];
            for (var position = 0; position < path.Length; position++)
                probability *= densities[position][path[position]] * (position == 0 ? 1 : transitions[path[position - 1], path[position]]);
            yield return (path, probability);
        }
    }

    public static double[][] Densities(HiddenMarkovParameters model, int[] symbols)
    {
        var table = ((DiscreteEmissions)model.Emissions).Probabilities;
        return symbols.Select(symbol => Enumerable.Range(0, model.NumberOfStates).Select(state => symbol < 0 ? 1 : table[state, symbol]).ToArray()).ToArray();
    }

    internal sealed class TextRow
    {
        public string Sequence { get; set; } = "0";

        public string Observation { get; set; } = "";

        public string State { get; set; } = "";
    }

    internal sealed class VectorRow
    {
        public string Sequence { get; set; } = "0";

        [VectorType(2)]
        public float[] Observation { get; set; } = [];

        public string State { get; set; } = "";
    }
}
