namespace MLExtensions.Families.HiddenMarkov;

/// <summary>
/// Sums of observations and of their products, as distances from the means before: differences of large numbers would cost digits.
/// </summary>
internal sealed class GaussianStatistics : EmissionStatistics
{
    private const double Noise = 0.5;

    private readonly GaussianEmissions _emissions;
    private readonly double[] _scales;
    private readonly double _floor;
    private readonly int _features;
    private readonly int _components;
    private readonly bool _isDense;
    private readonly int _size;
    private readonly double[] _weights;
    private readonly double[] _sums;
    private readonly double[] _products;
    private readonly double[] _shares;
    private readonly double[] _distance;

    /// <param name="emissions">The emissions before.</param>
    /// <param name="summary">The variances of the data, for floors.</param>
    /// <param name="floor">The least variance in any direction, as a fraction of that of the data.</param>
    public GaussianStatistics(GaussianEmissions emissions, DataSummary summary, double floor)
    {
        (_emissions, _floor, _features, _components) = (emissions, floor, emissions.NumberOfFeatures, emissions.NumberOfComponents);
        _scales = summary.Variances.Select(variance => variance > 0 ? variance : 1).ToArray();
        _isDense = GaussianEmissions.IsDense(emissions.Kind);
        _size = _isDense ? _features * _features : _features;
        var places = emissions.NumberOfStates * _components;
        (_weights, _sums, _products) = (new double[places], new double[places * _features], new double[places * _size]);
        (_shares, _distance) = (new double[_components], new double[_features]);
    }

    public override void Add(ObservedSequence sequence, int position, ReadOnlySpan<double> probabilities)
    {
        var observation = sequence.Vector(position);
        for (var state = 0; state < probabilities.Length; state++)
        {
            if (probabilities[state] == 0)
                continue;
            if (_components == 1)
            {
                Add(observation, state, probabilities[state]);
                continue;
            }
            _emissions.FillComponents(observation, state, _shares);
            for (var component = 0; component < _components; component++)
                Add(observation, (state * _components) + component, probabilities[state] * _shares[component]);
        }
    }

    public override HiddenMarkovEmissions Estimate()
    {
        var (weights, means, covariances) = (_emissions.WeightValues.ToArray(), _emissions.MeanValues.ToArray(), _emissions.CovarianceValues.ToArray());
        var (tied, kind) = (new double[_size], _emissions.Kind);
        for (var place = 0; place < _weights.Length; place++)
        {
            var weight = _weights[place];
            if (weight < BaumWelch.LeastCount)
                continue;
            var sums = _sums.AsSpan(place * _features, _features);
            var products = _products.AsSpan(place * _size, _size);
            var mean = means.AsSpan(place * _features, _features);
            for (var i = 0; i < _features; i++)
                mean[i] += sums[i] / weight;
            // Around the new mean.
            for (var i = 0; i < _size; i++)
            {
                if (!_isDense)
                    products[i] -= sums[i] * sums[i] / weight;
                else if (i % _features <= i / _features)
                    products[(i % _features * _features) + (i / _features)] = products[i] -= sums[i / _features] * sums[i % _features] / weight;
            }
            if (kind == CovarianceKind.Tied)
            {
                for (var i = 0; i < _size; i++)
                    tied[i] += products[i];
                continue;
            }
            var size = GaussianEmissions.SizeOf(kind, _features);
            Covariance(products, weight).CopyTo(covariances.AsSpan(place * size, size));
        }
        if (kind == CovarianceKind.Tied && _weights.Sum() is var total && total >= BaumWelch.LeastCount)
            covariances = Covariance(tied, total);
        for (var state = 0; state < _emissions.NumberOfStates && _components > 1; state++)
        {
            var row = weights.AsSpan(state * _components, _components);
            var counts = _weights.AsSpan(state * _components, _components);
            if (HiddenMarkovParameters.Normalize(counts) >= BaumWelch.LeastCount)
                counts.CopyTo(row);
        }
        return new GaussianEmissions(weights, means, covariances, _emissions.NumberOfStates, _components, kind);
    }

    public override HiddenMarkovEmissions Split(HiddenMarkovEmissions emissions, int dead, int model, Random random)
    {
        var gaussian = (GaussianEmissions)emissions;
        var order = Enumerable.Range(0, gaussian.NumberOfStates).ToArray();
        order[dead] = model;
        gaussian = (GaussianEmissions)gaussian.Reorder(order);
        var means = gaussian.MeanValues.ToArray();
        for (var component = 0; component < _components; component++)
        {
            var covariance = gaussian.Covariance(dead, component);
            for (var i = 0; i < _features; i++)
                means[(((dead * _components) + component) * _features) + i] += Noise * Math.Sqrt(covariance[i, i]) * SequenceSampler.Normal(random);
        }
        return new GaussianEmissions(gaussian.WeightValues.ToArray(), means, gaussian.CovarianceValues.ToArray(), gaussian.NumberOfStates, _components, gaussian.Kind);
    }

    private void Add(ReadOnlySpan<float> observation, int place, double weight)
    {
        if (weight == 0)
            return;
        _weights[place] += weight;
        var means = _emissions.MeanValues.Slice(place * _features, _features);
        var sums = _sums.AsSpan(place * _features, _features);
        var products = _products.AsSpan(place * _size, _size);
        for (var i = 0; i < _features; i++)
        {
            var distance = _distance[i] = observation[i] - means[i];
            sums[i] += weight * distance;
            if (!_isDense)
            {
                products[i] += weight * distance * distance;
                continue;
            }
            for (var j = 0; j <= i; j++)
                products[(i * _features) + j] += weight * distance * _distance[j];
        }
    }

    /// <summary>A packed covariance with its floor, which makes it the most likely of those with that floor.</summary>
    private double[] Covariance(ReadOnlySpan<double> products, double weight)
    {
        var result = products.ToArray();
        foreach (ref var value in result.AsSpan())
            value /= weight;
        if (_emissions.Kind == CovarianceKind.Spherical)
            return [Math.Max(result.Sum() / _features, _floor * _scales.Sum() / _features)];
        if (!_isDense)
        {
            for (var i = 0; i < _features; i++)
                result[i] = Math.Max(result[i], _floor * _scales[i]);
            return result;
        }
        // In units of the data's standard deviations.
        Scale(result, inverse: true);
        var above = (double[])result.Clone();
        for (var i = 0; i < _features; i++)
            above[(i * _features) + i] -= _floor;
        if (!Cholesky.TryFactor(above, new double[_size], _features))
            Cholesky.RaiseEigenvalues(result, _features, _floor);
        Scale(result, inverse: false);
        return result;
    }

    private void Scale(double[] matrix, bool inverse)
    {
        for (var i = 0; i < _size; i++)
        {
            var scale = Math.Sqrt(_scales[i / _features]) * Math.Sqrt(_scales[i % _features]);
            matrix[i] = inverse ? matrix[i] / scale : matrix[i] * scale;
        }
    }
}
