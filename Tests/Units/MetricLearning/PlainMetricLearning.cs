namespace MLExtensions.Tests.MetricLearning;

/// <summary>Losses and metrics of embeddings as their definitions have them, in double precision: loops over pairs and triplets.</summary>
internal static class PlainMetricLearning
{
    /// <summary>Random rows of length 1, near to a center of their class.</summary>
    public static double[][] Rows(int[] classes, int size, int seed, double noise = 0.7)
    {
        var random = new Random(seed);
        var centers = Enumerable.Range(0, classes.Max() + 1).Select(_ => Draw(1)).ToArray();
        return Array.ConvertAll(classes, place => Unit(Draw(noise).Zip(centers[place], (x, center) => x + center).ToArray()));

        double[] Draw(double scale) => Enumerable.Range(0, size).Select(_ => scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())).ToArray();
    }

    public static double[] Unit(double[] row)
    {
        var length = Math.Sqrt(row.Sum(x => x * x));
        return Array.ConvertAll(row, x => x / length);
    }

    public static double Squared(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    public static double Cosine(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    public static IEnumerable<(int Anchor, int Positive)> SamePairs(int[] classes) =>
        from anchor in Enumerable.Range(0, classes.Length)
        from positive in Enumerable.Range(0, classes.Length)
        where anchor != positive && classes[anchor] == classes[positive]
        select (anchor, positive);

    public static IEnumerable<int> Negatives(int[] classes, int anchor) => Enumerable.Range(0, classes.Length).Where(row => classes[row] != classes[anchor]);

    /// <summary>The mean over those triplets whose loss is not 0; with a soft margin over all.</summary>
    public static double Triplet(double[][] rows, IEnumerable<(int Anchor, int Positive, int Negative)> triplets, double margin, bool soft)
    {
        var differences = triplets.Select(t => Squared(rows[t.Anchor], rows[t.Positive]) - Squared(rows[t.Anchor], rows[t.Negative])).ToArray();
        var losses = soft ? Array.ConvertAll(differences, x => Math.Log(1 + Math.Exp(x))) : differences.Select(x => x + margin).Where(loss => loss > 0).ToArray();
        return losses.Length == 0 ? 0 : losses.Average();
    }

    public static double Contrastive(double[][] rows, int[] classes, double margin)
    {
        var far = Enumerable.Range(0, rows.Length).SelectMany(a => Negatives(classes, a).Select(n => margin - Math.Sqrt(Squared(rows[a], rows[n])))).Where(x => x > 0).ToArray();
        return SamePairs(classes).Average(pair => Squared(rows[pair.Anchor], rows[pair.Positive])) + (far.Length == 0 ? 0 : far.Average(x => x * x));
    }

    public static double MultiSimilarity(double[][] rows, int[] classes, MultiSimilarityLoss loss) => Enumerable.Range(0, rows.Length).Average(anchor =>
    {
        var positives = SamePairs(classes).Where(pair => pair.Anchor == anchor).Select(pair => Cosine(rows[anchor], rows[pair.Positive])).ToArray();
        var negatives = Negatives(classes, anchor).Select(row => Cosine(rows[anchor], rows[row])).ToArray();
        var hardPositives = positives.Where(s => s - loss.Epsilon < negatives.Max()).ToArray();
        var hardNegatives = negatives.Where(s => positives.Length > 0 && s + loss.Epsilon > positives.Min()).ToArray();
        return (Math.Log(1 + hardPositives.Sum(s => Math.Exp(-loss.Alpha * (s - loss.Base)))) / loss.Alpha) + (Math.Log(1 + hardNegatives.Sum(s => Math.Exp(loss.Beta * (s - loss.Base)))) / loss.Beta);
    });

    public static double NormalizedTemperature(double[][] rows, int[] classes, double temperature) => SamePairs(classes).Average(pair =>
    {
        var right = Math.Exp(Cosine(rows[pair.Anchor], rows[pair.Positive]) / temperature);
        return -Math.Log(right / (right + Negatives(classes, pair.Anchor).Sum(row => Math.Exp(Cosine(rows[pair.Anchor], rows[row]) / temperature))));
    });

    public static double ArcFace(double[][] rows, double[][] centers, int[] classes, ArcFaceLoss loss) => Enumerable.Range(0, rows.Length).Average(row =>
    {
        var logits = Enumerable.Range(0, centers.Length).Select(place =>
        {
            var cosine = Cosine(rows[row], Unit(centers[place]));
            if (place != classes[row])
                return loss.Scale * cosine;
            var angle = Math.Acos(Math.Clamp(cosine, -1, 1)) + loss.Margin;
            return loss.Scale * (angle < Math.PI ? Math.Cos(angle) : cosine - (loss.Margin * Math.Sin(loss.Margin)));
        }).ToArray();
        var largest = logits.Max();
        return largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest))) - logits[classes[row]];
    });

    /// <summary>The share of pairs of a class that are nearer than pairs of different classes.</summary>
    public static double Auc(double[][] rows, int[] classes)
    {
        var pairs = from i in Enumerable.Range(0, rows.Length) from j in Enumerable.Range(i + 1, rows.Length - i - 1) select (Same: classes[i] == classes[j], Distance: Squared(rows[i], rows[j]));
        var (same, different) = (pairs.Where(pair => pair.Same).Select(pair => pair.Distance).ToArray(), pairs.Where(pair => !pair.Same).Select(pair => pair.Distance).ToArray());
        return same.Average(s => different.Average(d => d > s ? 1 : d == s ? 0.5 : 0));
    }

    /// <summary>Precision at 1, R-precision and MAP@R: means over the rows that are not alone in their class.</summary>
    public static (double First, double R, double Map) Retrieval(double[][] rows, int[] classes)
    {
        var queries = Enumerable.Range(0, rows.Length).Where(row => classes.Count(place => place == classes[row]) > 1).Select(row =>
        {
            var ranked = Enumerable.Range(0, rows.Length).Where(other => other != row).OrderBy(other => Squared(rows[row], rows[other])).Select(other => classes[other] == classes[row]).ToArray();
            var count = ranked.Count(isSame => isSame);
            var precisions = Enumerable.Range(1, count).Select(rank => ranked[rank - 1] ? (double)ranked.Take(rank).Count(isSame => isSame) / rank : 0);
            return (First: ranked[0] ? 1.0 : 0, R: (double)ranked.Take(count).Count(isSame => isSame) / count, Map: precisions.Sum() / count);
        }).ToArray();
        return (queries.Average(query => query.First), queries.Average(query => query.R), queries.Average(query => query.Map));
    }
}
