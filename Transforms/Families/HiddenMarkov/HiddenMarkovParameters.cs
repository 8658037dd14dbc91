using System.Globalization;

namespace MLExtensions;

/// <summary>
/// The parameters of a hidden Markov model: how a sequence begins, how states follow each other, and what each state emits. Immutable.
/// </summary>
public sealed class HiddenMarkovParameters
{
    // Sums of probabilities that were written with few digits.
    private const double SumTolerance = 1e-6;
    internal const int MaximumStates = 10_000;

    private readonly double[] _start;
    private readonly double[] _transitions;

    /// <summary>Creates parameters.</summary>
    /// <param name="startProbabilities">The probability that a sequence begins in each state. They sum up to 1.</param>
    /// <param name="transitionProbabilities">The probability of the next state (column) after each state (row). Rows sum up to 1.</param>
    /// <param name="emissions">What each state emits.</param>
    /// <exception cref="ArgumentException">
    /// A probability is negative or not finite, a sum is not 1, or the numbers of states differ; the message says where.
    /// </exception>
    public HiddenMarkovParameters(IReadOnlyList<double> startProbabilities, double[,] transitionProbabilities, HiddenMarkovEmissions emissions)
    {
        ArgumentNullException.ThrowIfNull(startProbabilities);
        ArgumentNullException.ThrowIfNull(transitionProbabilities);
        ArgumentNullException.ThrowIfNull(emissions);
        var count = startProbabilities.Count;
        if (count is < 1 or > MaximumStates)
            throw new ArgumentException(FormattableString.Invariant($"There are {count} start probabilities; a model has at least 1 state and at most {MaximumStates}."), nameof(startProbabilities));
        if (transitionProbabilities.GetLength(0) != count || transitionProbabilities.GetLength(1) != count)
            throw new ArgumentException(FormattableString.Invariant($"The transitions are {transitionProbabilities.GetLength(0)} x {transitionProbabilities.GetLength(1)}; with {count} start probabilities they must be {count} x {count}."), nameof(transitionProbabilities));
        if (emissions.NumberOfStates != count)
            throw new ArgumentException(FormattableString.Invariant($"The emissions are of {emissions.NumberOfStates} states; there are {count} start probabilities."), nameof(emissions));
        _start = Normalized([.. startProbabilities], count, "Start probabilities", nameof(startProbabilities));
        _transitions = Normalized(Flat(transitionProbabilities), count, "Transitions", nameof(transitionProbabilities));
        Emissions = emissions;
    }

    /// <summary>Takes arrays that are known to be probabilities; they are not copied.</summary>
    internal HiddenMarkovParameters(double[] start, double[] transitions, HiddenMarkovEmissions emissions) => (_start, _transitions, Emissions) = (start, transitions, emissions);

    /// <summary>The number of states.</summary>
    public int NumberOfStates => _start.Length;

    /// <summary>The probability that a sequence begins in each state, a copy.</summary>
    public double[] StartProbabilities => [.. _start];

    /// <summary>The probability of the next state (column) after each state (row), a copy.</summary>
    public double[,] TransitionProbabilities => Square(_transitions, NumberOfStates, NumberOfStates);

    /// <summary>What each state emits.</summary>
    public HiddenMarkovEmissions Emissions { get; }

    internal ReadOnlySpan<double> Start => _start;

    internal ReadOnlySpan<double> Transitions => _transitions;

    /// <summary>
    /// The probability of each state in a sequence that has been running for ever: p = p A. Where several are possible, because some states
    /// cannot be reached from others, it is the mean over time of a sequence that begins as <see cref="StartProbabilities"/> says.
    /// </summary>
    public double[] GetStationaryProbabilities()
    {
        // Half a step each time: a model that alternates between states settles, too. Squaring reaches 2^60 steps in 60 products.
        var count = NumberOfStates;
        var power = _transitions.Select((value, i) => (value + (i / count == i % count ? 1 : 0)) / 2).ToArray();
        var square = new double[power.Length];
        for (var (round, change) = (0, 1.0); round < 60 && change > 1e-16; round++)
        {
            change = 0;
            for (var i = 0; i < count; i++)
            {
                var row = square.AsSpan(i * count, count);
                row.Clear();
                for (var k = 0; k < count; k++)
                {
                    for (var j = 0; j < count; j++)
                        row[j] += power[(i * count) + k] * power[(k * count) + j];
                }
                Normalize(row);
                for (var j = 0; j < count; j++)
                    change = Math.Max(change, Math.Abs(row[j] - power[(i * count) + j]));
            }
            (power, square) = (square, power);
        }
        var result = new double[count];
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j < count; j++)
                result[j] += _start[i] * power[(i * count) + j];
        }
        return result;
    }

    /// <summary>Divides by the sum; returns it.</summary>
    internal static double Normalize(Span<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        foreach (ref var value in values)
            value /= sum;
        return sum;
    }

    internal static double[] Flat(double[,] values)
    {
        var flat = new double[values.Length];
        Buffer.BlockCopy(values, 0, flat, 0, sizeof(double) * flat.Length);
        return flat;
    }

    internal static double[,] Square(double[] values, int rows, int columns)
    {
        var result = new double[rows, columns];
        Buffer.BlockCopy(values, 0, result, 0, sizeof(double) * values.Length);
        return result;
    }

    /// <summary>Checks rows of probabilities, and rounds their sums to 1.</summary>
    /// <exception cref="ArgumentException">They are none; the message says where.</exception>
    internal static double[] Normalized(double[] values, int width, string what, string parameter)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!(values[i] >= 0 && double.IsFinite(values[i])))
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what}: number {i % width} of row {i / width} (the first is 0) is {values[i]}; probabilities are at least 0."), parameter);
        }
        for (var row = 0; row < values.Length / width; row++)
        {
            var span = values.AsSpan(row * width, width);
            var sum = 0.0;
            foreach (var value in span)
                sum += value;
            if (Math.Abs(sum - 1) > SumTolerance)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what}: the sum of row {row} (the first is 0) is {sum}; it must be 1."), parameter);
            // Probabilities that sum up to 1 but for a rounding keep their bits.
            if (Math.Abs(sum - 1) > 1e-14)
                Normalize(span);
        }
        return values;
    }
}
