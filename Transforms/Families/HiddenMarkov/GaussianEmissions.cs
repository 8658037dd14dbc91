using System.Globalization;
using System.Text.Json.Serialization;
using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions;

/// <summary>The form of the covariances of a hidden Markov model.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CovarianceKind>))]
public enum CovarianceKind
{
    /// <summary>A variance for each feature; features of a state are independent.</summary>
    Diagonal,

    /// <summary>One variance for all features of a state.</summary>
    Spherical,

    /// <summary>A covariance for each pair of features.</summary>
    Full,

    /// <summary>A covariance for each pair of features, the same one for all states.</summary>
    Tied,
}

/// <summary>Each state emits numbers that are normally distributed, or drawn from a mixture of normal distributions.</summary>
public sealed class GaussianEmissions : HiddenMarkovEmissions
{
    private const double HalfLogTwoPi = 0.91893853320467274178;
    private const double SymmetryTolerance = 1e-9;

    private readonly double[] _weights;
    private readonly double[] _means;
    private readonly double[] _covariances;
    private readonly double[] _factors;
    private readonly double[] _constants;

    /// <summary>Creates emissions of one normal distribution a state.</summary>
    /// <param name="means">The mean of each feature (column) in each state (row).</param>
    /// <param name="covariances">The covariance matrix of each state; of <see cref="CovarianceKind.Tied"/> once or as often as there are states.</param>
    /// <param name="kind">Their form.</param>
    /// <exception cref="ArgumentException">A number is not finite, or a matrix has another form or is no covariance; the message says which.</exception>
    public GaussianEmissions(double[,] means, IReadOnlyList<double[,]> covariances, CovarianceKind kind)
        : this(Ones(means), means, covariances, kind)
    {
    }

    /// <summary>Creates emissions of mixtures of normal distributions.</summary>
    /// <param name="weights">The probability of each component (column) in each state (row). Rows sum up to 1.</param>
    /// <param name="means">The mean of each feature (column) of each component: the components of the first state, then those of the second, and so on.</param>
    /// <param name="covariances">The covariance matrix of each component, in the same order; of <see cref="CovarianceKind.Tied"/> once or as often as there are components.</param>
    /// <param name="kind">Their form.</param>
    /// <exception cref="ArgumentException">A number is not finite, or a matrix has another form or is no covariance; the message says which.</exception>
    public GaussianEmissions(double[,] weights, double[,] means, IReadOnlyList<double[,]> covariances, CovarianceKind kind)
        : this(CheckWeights(weights, means), CheckMeans(means), CheckCovariances(means, covariances, kind), weights.GetLength(0), weights.GetLength(1), kind)
    {
    }

    /// <summary>Takes arrays without copying: covariances are packed as <see cref="SizeOf"/> says.</summary>
    /// <exception cref="ArgumentException">A covariance is not positive definite.</exception>
    internal GaussianEmissions(double[] weights, double[] means, double[] covariances, int states, int components, CovarianceKind kind)
        : base(states)
    {
        (_weights, _means, _covariances, NumberOfComponents, Kind) = (weights, means, covariances, components, kind);
        NumberOfFeatures = means.Length / weights.Length;
        var size = SizeOf(kind, NumberOfFeatures);
        _factors = new double[covariances.Length];
        _constants = new double[weights.Length];
        var halfLogs = new double[covariances.Length / size];
        for (var matrix = 0; matrix < halfLogs.Length; matrix++)
            halfLogs[matrix] = Factor(covariances.AsSpan(matrix * size, size), _factors.AsSpan(matrix * size, size), matrix);
        for (var i = 0; i < weights.Length; i++)
            _constants[i] = Math.Log(weights[i]) - (NumberOfFeatures * HalfLogTwoPi) - halfLogs[kind == CovarianceKind.Tied ? 0 : i];
    }

    /// <summary>The number of features of an observation.</summary>
    public int NumberOfFeatures { get; }

    /// <summary>The number of normal distributions of each state; 1 without mixtures.</summary>
    public int NumberOfComponents { get; }

    /// <summary>The form of the covariances.</summary>
    public CovarianceKind Kind { get; }

    internal ReadOnlySpan<double> WeightValues => _weights;

    internal ReadOnlySpan<double> MeanValues => _means;

    internal ReadOnlySpan<double> CovarianceValues => _covariances;

    internal override long FreeParameters => ((long)NumberOfStates * (NumberOfComponents - 1)) + _means.Length + Kind switch
    {
        CovarianceKind.Full or CovarianceKind.Tied => (long)_covariances.Length / NumberOfFeatures * (NumberOfFeatures + 1) / 2,
        _ => _covariances.Length,
    };

    /// <summary>The probability of a component of a state; 1 without mixtures.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <param name="component">The component, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state or component.</exception>
    public double Weight(int state, int component) => _weights[Place(state, component)];

    /// <summary>The mean of each feature in a state, or in a component of it; a copy.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <param name="component">The component, from 0. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state or component.</exception>
    public double[] Mean(int state, int component = 0) => _means.AsSpan(Place(state, component) * NumberOfFeatures, NumberOfFeatures).ToArray();

    /// <summary>The covariance matrix of a state, or of a component of it, whatever its form; a copy.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <param name="component">The component, from 0. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state or component.</exception>
    public double[,] Covariance(int state, int component = 0)
    {
        var place = Place(state, component);
        var values = Packed(_covariances, place);
        var result = new double[NumberOfFeatures, NumberOfFeatures];
        for (var i = 0; i < NumberOfFeatures; i++)
        {
            for (var j = 0; j < NumberOfFeatures; j++)
                result[i, j] = IsDense(Kind) ? values[(i * NumberOfFeatures) + j] : i == j ? values[values.Length == 1 ? 0 : i] : 0;
        }
        return result;
    }

    /// <summary>The number of values of a packed covariance: one, the diagonal, or all.</summary>
    internal static int SizeOf(CovarianceKind kind, int features) => kind switch
    {
        CovarianceKind.Spherical => 1,
        CovarianceKind.Diagonal => features,
        _ => features * features,
    };

    internal static bool IsDense(CovarianceKind kind) => kind is CovarianceKind.Full or CovarianceKind.Tied;

    internal override double Fill(ObservedSequence sequence, int position, bool asLogs, Span<double> densities)
    {
        var observation = sequence.Vector(position);
        var greatest = double.NegativeInfinity;
        for (var state = 0; state < densities.Length; state++)
        {
            densities[state] = LogDensity(observation, state);
            greatest = Math.Max(greatest, densities[state]);
        }
        if (asLogs || double.IsNegativeInfinity(greatest))
        {
            // So far away from all states that squares are infinite: all states are as bad.
            if (double.IsNegativeInfinity(greatest) && !asLogs)
                densities.Clear();
            return 0;
        }
        foreach (ref var density in densities)
            density = Math.Exp(density - greatest);
        return greatest;
    }

    /// <summary>The share of each component of a state in an observation.</summary>
    internal void FillComponents(ReadOnlySpan<float> observation, int state, Span<double> shares)
    {
        var greatest = double.NegativeInfinity;
        for (var component = 0; component < shares.Length; component++)
        {
            shares[component] = LogComponent(observation, (state * NumberOfComponents) + component);
            greatest = Math.Max(greatest, shares[component]);
        }
        foreach (ref var share in shares)
            share = Math.Exp(share - greatest);
        HiddenMarkovParameters.Normalize(shares);
    }

    internal override HiddenMarkovEmissions Reorder(ReadOnlySpan<int> states)
    {
        var size = Kind == CovarianceKind.Tied ? 0 : NumberOfComponents * SizeOf(Kind, NumberOfFeatures);
        List<double> weights = [], means = [], covariances = [];
        foreach (var state in states)
        {
            weights.AddRange(_weights.AsSpan(state * NumberOfComponents, NumberOfComponents));
            means.AddRange(_means.AsSpan(state * NumberOfComponents * NumberOfFeatures, NumberOfComponents * NumberOfFeatures));
            covariances.AddRange(_covariances.AsSpan(state * size, size));
        }
        return new GaussianEmissions([.. weights], [.. means], Kind == CovarianceKind.Tied ? _covariances : [.. covariances], states.Length, NumberOfComponents, Kind);
    }

    internal override void Draw(int state, Random random, ObservedSequence sequence)
    {
        var component = SequenceSampler.Choose(_weights.AsSpan(state * NumberOfComponents, NumberOfComponents), random);
        var place = (state * NumberOfComponents) + component;
        var normal = new double[NumberOfFeatures];
        foreach (ref var value in normal.AsSpan())
            value = SequenceSampler.Normal(random);
        var factor = Packed(_factors, place);
        // Factors are inverted: L x = normal is solved instead of multiplied.
        var values = new float[NumberOfFeatures];
        for (var i = 0; i < NumberOfFeatures; i++)
        {
            if (!IsDense(Kind))
            {
                normal[i] *= Math.Sqrt(Packed(_covariances, place)[Kind == CovarianceKind.Spherical ? 0 : i]);
            }
            else
            {
                for (var j = 0; j < i; j++)
                    normal[i] -= factor[(i * NumberOfFeatures) + j] * normal[j];
                normal[i] /= factor[(i * NumberOfFeatures) + i];
            }
            values[i] = (float)(_means[(place * NumberOfFeatures) + i] + normal[i]);
        }
        sequence.Add(values);
    }

    private double LogDensity(ReadOnlySpan<float> observation, int state)
    {
        if (NumberOfComponents == 1)
            return LogComponent(observation, state);
        var (greatest, sum) = (double.NegativeInfinity, 0.0);
        for (var component = 0; component < NumberOfComponents; component++)
        {
            // One pass: the sum is relative to the greatest so far.
            var value = LogComponent(observation, (state * NumberOfComponents) + component);
            if (value > greatest)
                (sum, greatest) = ((sum * Math.Exp(greatest - value)) + 1, value);
            else if (!double.IsNegativeInfinity(value))
                sum += Math.Exp(value - greatest);
        }
        return greatest + Math.Log(sum);
    }

    private double LogComponent(ReadOnlySpan<float> observation, int place)
    {
        var means = _means.AsSpan(place * NumberOfFeatures, NumberOfFeatures);
        var factor = Packed(_factors, place);
        var sum = 0.0;
        if (!IsDense(Kind))
        {
            for (var i = 0; i < means.Length; i++)
            {
                var distance = observation[i] - means[i];
                sum += distance * distance * factor[factor.Length == 1 ? 0 : i];
            }
        }
        else
        {
            for (var i = 0; i < means.Length; i++)
            {
                var product = 0.0;
                for (var j = 0; j <= i; j++)
                    product += factor[(i * means.Length) + j] * (observation[j] - means[j]);
                sum += product * product;
            }
        }
        return _constants[place] - (0.5 * sum);
    }

    private ReadOnlySpan<double> Packed(double[] values, int place)
    {
        var size = SizeOf(Kind, NumberOfFeatures);
        return values.AsSpan(Kind == CovarianceKind.Tied ? 0 : place * size, size);
    }

    /// <summary>Inverts variances, or the Cholesky factor of a matrix; returns half the logarithm of the determinant.</summary>
    private double Factor(ReadOnlySpan<double> covariance, Span<double> factor, int matrix)
    {
        if (!IsDense(Kind))
        {
            var logs = 0.0;
            for (var i = 0; i < covariance.Length; i++)
            {
                if (!(covariance[i] > 0 && double.IsFinite(covariance[i])))
                    throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Covariance {matrix} (the first is 0) has the variance {covariance[i]}; variances are above 0."));
                factor[i] = 1 / covariance[i];
                logs += Math.Log(covariance[i]);
            }
            return 0.5 * logs * (Kind == CovarianceKind.Spherical ? NumberOfFeatures : 1);
        }
        var lower = new double[covariance.Length];
        if (!Cholesky.TryFactor(covariance, lower, NumberOfFeatures))
            throw new ArgumentException(FormattableString.Invariant($"Covariance {matrix} (the first is 0) is not positive definite."));
        var half = 0.0;
        for (var i = 0; i < NumberOfFeatures; i++)
            half += Math.Log(lower[(i * NumberOfFeatures) + i]);
        Cholesky.Invert(lower, factor, NumberOfFeatures);
        return half;
    }

    private int Place(int state, int component)
    {
        if ((uint)state >= (uint)NumberOfStates)
            throw new ArgumentOutOfRangeException(nameof(state), state, FormattableString.Invariant($"It must be from 0 to {NumberOfStates - 1}."));
        if ((uint)component >= (uint)NumberOfComponents)
            throw new ArgumentOutOfRangeException(nameof(component), component, FormattableString.Invariant($"It must be from 0 to {NumberOfComponents - 1}."));
        return (state * NumberOfComponents) + component;
    }

    private static double[,] Ones(double[,] means)
    {
        ArgumentNullException.ThrowIfNull(means);
        var ones = new double[means.GetLength(0), 1];
        for (var i = 0; i < ones.Length; i++)
            ones[i, 0] = 1;
        return ones;
    }

    private static double[] CheckWeights(double[,] weights, double[,] means)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(means);
        if (weights.Length == 0 || means.Length == 0 || weights.Length != means.GetLength(0))
            throw new ArgumentException(FormattableString.Invariant($"There are {weights.GetLength(0)} x {weights.GetLength(1)} weights and {means.GetLength(0)} x {means.GetLength(1)} means; there must be a row of means for each weight."), nameof(means));
        return HiddenMarkovParameters.Normalized(HiddenMarkovParameters.Flat(weights), weights.GetLength(1), "Weights", nameof(weights));
    }

    private static double[] CheckMeans(double[,] means) => HiddenMarkovParameters.Flat(means) is var flat && Array.FindIndex(flat, value => !double.IsFinite(value)) is var bad && bad < 0
        ? flat
        : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Number {bad % means.GetLength(1)} of row {bad / means.GetLength(1)} (the first is 0) of the means is {flat[bad]}; it must be finite."), nameof(means));

    private static double[] CheckCovariances(double[,] means, IReadOnlyList<double[,]> covariances, CovarianceKind kind)
    {
        ArgumentNullException.ThrowIfNull(covariances);
        if (!Enum.IsDefined(kind))
            throw new ArgumentOutOfRangeException(nameof(kind), kind, $"It must be one of {string.Join(", ", Enum.GetNames<CovarianceKind>())}.");
        var (count, features) = (means.GetLength(0), means.GetLength(1));
        if (covariances.Count != count && !(kind == CovarianceKind.Tied && covariances.Count == 1))
            throw new ArgumentException(FormattableString.Invariant($"There are {covariances.Count} covariances; there must be {count}, one for each row of means."), nameof(covariances));
        var packed = new List<double>();
        for (var place = 0; place < (kind == CovarianceKind.Tied ? 1 : count); place++)
        {
            var matrix = covariances[place];
            if (matrix == null || matrix.GetLength(0) != features || matrix.GetLength(1) != features)
                throw new ArgumentException(FormattableString.Invariant($"Covariance {place} (the first is 0) must be a matrix of {features} x {features}."), nameof(covariances));
            for (var i = 0; i < features; i++)
            {
                for (var j = 0; j < features; j++)
                {
                    var scale = SymmetryTolerance * Math.Sqrt(Math.Abs(matrix[i, i] * matrix[j, j]));
                    var fits = IsDense(kind) ? Math.Abs(matrix[i, j] - matrix[j, i]) <= scale : i == j || matrix[i, j] == 0;
                    if (!fits || (kind == CovarianceKind.Spherical && matrix[i, i] != matrix[0, 0]))
                        throw new ArgumentException(FormattableString.Invariant($"Covariance {place} (the first is 0) is not of the kind {kind} in row {i}, column {j}."), nameof(covariances));
                    if (IsDense(kind) || (i == j && (kind == CovarianceKind.Diagonal || i == 0)))
                        packed.Add(matrix[i, j]);
                }
            }
        }
        if (kind == CovarianceKind.Tied && covariances.Any(matrix => !HiddenMarkovParameters.Flat(matrix).SequenceEqual(packed)))
            throw new ArgumentException("Tied covariances must all be the same.", nameof(covariances));
        return [.. packed];
    }
}
