using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>
/// A whole <c>Fit</c> of a restricted Boltzmann machine, reading and measuring included, against scikit-learn's on the same rows: persistent chains, as many as a batch has
/// rows, as scikit-learn does it.
/// </summary>
internal sealed class BoltzmannTraining : IBenchmark
{
    private const double LearningRate = 0.06;

    public string Name => "boltzmann";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        if (!ScikitLearnRbm.IsInstalled())
            return [new ResultRow("restricted Boltzmann machine against scikit-learn's", "> 1.0x", "not measured", "there is no scikit-learn (Debian: python3-sklearn); PYTHON names another interpreter")];
        // As scikit-learn's example has them: 8 x 8 pixels, 5 x 1,797 rows of which 4/5 train.
        var digits = settings.Training.Rows.Take(7188).Select(row => Shrink(row.Features)).ToList();
        var images = settings.Training.Rows.Select(row => row.Features).ToList();
        return
        [
            Compare(settings, digits, hidden: 100, batch: 10, epochs: 10),
            Compare(settings, digits, hidden: 100, batch: 100, epochs: 10),
            Compare(settings, images, hidden: 500, batch: 10, epochs: 1),
            Compare(settings, images, hidden: 500, batch: 100, epochs: 1),
        ];
    }

    private static ResultRow Compare(BenchmarkSettings settings, List<float[]> rows, int hidden, int batch, int epochs)
    {
        var width = rows[0].Length;
        using var theirs = new ScikitLearnRbm(rows);
        var comparison = Timing.Compare(
            settings.Rounds,
            Contender.Of("Fit", () => Fit(rows, hidden, batch, epochs)),
            new Contender("BernoulliRBM", () => theirs.Fit(width, hidden, batch, epochs, LearningRate)));
        return Bound.Row($"restricted Boltzmann machine {width}-{hidden}, batch {batch}, against scikit-learn's", 1, comparison, "rows", (double)rows.Count * epochs);
    }

    private static void Fit(List<float[]> rows, int hidden, int batch, int epochs)
    {
        var ml = new MLContext(1);
        var schema = SchemaDefinition.Create(typeof(FeatureRow));
        schema[nameof(FeatureRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Length);
        var data = ml.Data.LoadFromEnumerable(rows.Select(features => new FeatureRow { Features = features }), schema);
        ml.Transforms.Rbm(new RbmEstimator.Options
        {
            HiddenLayers = [hidden],
            BatchSize = batch,
            PersistentChains = batch,
            Epochs = epochs,
            LearningRate = LearningRate,
        }).Fit(data).Dispose();
    }

    /// <summary>8 x 8 pixels of 28 x 28: the means of 3 x 3, the margin left out.</summary>
    private static float[] Shrink(float[] image)
    {
        const int side = 28, small = 8, step = 3, margin = 2;
        var result = new float[small * small];
        for (var i = 0; i < result.Length; i++)
        {
            var (top, left) = (margin + (i / small * step), margin + (i % small * step));
            for (var pixel = 0; pixel < step * step; pixel++)
                result[i] += image[((top + (pixel / step)) * side) + left + (pixel % step)] / (step * step);
        }
        return result;
    }

    private sealed class FeatureRow
    {
        public float[] Features { get; set; } = [];
    }
}
