namespace MLExtensions.Families.HiddenMarkov;

/// <summary>Parameters to begin with.</summary>
internal static class RandomEmissions
{
    private const int Rounds = 10;
    private const double LeastVariance = 0.01; // of that of the data

    /// <summary>Random parameters: every second start prefers to stay in a state.</summary>
    public static HiddenMarkovParameters Create(int states, int start, HiddenMarkovEmissions emissions, Random random)
    {
        var (transitions, stay) = (new double[states * states], start % 2 == 0 ? 0.7 : 0);
        for (var state = 0; state < states; state++)
        {
            var row = transitions.AsSpan(state * states, states);
            SequenceSampler.Uniform(row, random);
            foreach (ref var value in row)
                value *= 1 - stay;
            row[state] += stay;
        }
        return new HiddenMarkovParameters(Enumerable.Repeat(1.0 / states, states).ToArray(), transitions, emissions);
    }

    /// <summary>The frequencies of symbols, times random factors.</summary>
    public static DiscreteEmissions Symbols(int states, DataSummary summary, double floor, Random random)
    {
        var symbols = summary.SymbolCounts.Length;
        var values = new double[states * symbols];
        for (var state = 0; state < states; state++)
        {
            var row = values.AsSpan(state * symbols, symbols);
            SequenceSampler.Uniform(row, random);
            for (var symbol = 0; symbol < symbols; symbol++)
                row[symbol] *= summary.SymbolCounts[symbol];
            HiddenMarkovParameters.Normalize(row);
            DiscreteStatistics.Raise(row, floor);
        }
        return new DiscreteEmissions(values, states);
    }

    /// <summary>Means of clusters of observations; their spread for all of them.</summary>
    public static GaussianEmissions Normal(int states, int components, CovarianceKind kind, DataSummary summary, Random random)
    {
        var features = summary.Means.Length;
        var scales = summary.Variances.Select(variance => variance > 0 ? Math.Sqrt(variance) : 1).ToArray();
        var points = summary.Sample.Select(vector => vector.Select((value, i) => (value - summary.Means[i]) / scales[i]).ToArray()).ToArray();
        var (centers, members) = Cluster(points, states, random);
        if (components > 1)
            centers = Enumerable.Range(0, states).SelectMany(state => Cluster(points.Where((_, i) => members[i] == state).DefaultIfEmpty(centers[state]).ToArray(), components, random).Centers).ToArray();
        var spread = new double[features];
        foreach (var point in points)
        {
            var center = centers[Nearest(point, centers)];
            for (var i = 0; i < features; i++)
                spread[i] += (point[i] - center[i]) * (point[i] - center[i]) / points.Length;
        }
        for (var i = 0; i < features; i++)
            spread[i] = Math.Max(spread[i], LeastVariance) * scales[i] * scales[i];
        var means = centers.SelectMany(center => center.Select((value, i) => (value * scales[i]) + summary.Means[i])).ToArray();
        double[] covariance = kind switch
        {
            CovarianceKind.Spherical => [spread.Average()],
            CovarianceKind.Diagonal => spread,
            _ => Enumerable.Range(0, features * features).Select(i => i / features == i % features ? spread[i % features] : 0).ToArray(),
        };
        var weights = Enumerable.Repeat(1.0 / components, states * components).ToArray();
        return new GaussianEmissions(weights, means, Enumerable.Repeat(covariance, kind == CovarianceKind.Tied ? 1 : weights.Length).SelectMany(value => value).ToArray(), states, components, kind);
    }

    /// <summary>K-means from centers that are far apart (Arthur and Vassilvitskii, 2007).</summary>
    private static (double[][] Centers, int[] Members) Cluster(double[][] points, int count, Random random)
    {
        var centers = new List<double[]> { points[random.Next(points.Length)] };
        var distances = points.Select(_ => double.PositiveInfinity).ToArray();
        while (centers.Count < count)
        {
            for (var i = 0; i < points.Length; i++)
                distances[i] = Math.Min(distances[i], Distance(points[i], centers[^1]));
            var sum = distances.Sum();
            // Fewer different points than centers: a little noise tells them apart.
            var choice = sum > 0 ? SequenceSampler.Choose(distances.Select(distance => distance / sum).ToArray(), random) : random.Next(points.Length);
            centers.Add(sum > 0 ? points[choice] : points[choice].Select(value => value + (0.1 * SequenceSampler.Normal(random))).ToArray());
        }
        var (result, members) = (centers.Select(center => center.ToArray()).ToArray(), new int[points.Length]);
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < points.Length; i++)
                members[i] = Nearest(points[i], result);
            foreach (var group in Enumerable.Range(0, points.Length).GroupBy(i => members[i]))
            {
                for (var feature = 0; feature < result[group.Key].Length; feature++)
                    result[group.Key][feature] = group.Average(i => points[i][feature]);
            }
        }
        return (result, members);
    }

    private static int Nearest(double[] point, double[][] centers)
    {
        var (best, least) = (0, double.PositiveInfinity);
        for (var i = 0; i < centers.Length; i++)
        {
            var distance = Distance(point, centers[i]);
            if (distance < least)
                (best, least) = (i, distance);
        }
        return best;
    }

    private static double Distance(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }
}
