using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Examples.Autoencoder;

/// <summary>ML.NET's principal components of a training set, for comparison with latent representations of the same size.</summary>
internal sealed class PrincipalComponents
{
    private const string Column = "Components";
    private readonly ITransformer _projection;
    private readonly double[] _mean;

    private PrincipalComponents(ITransformer projection, double[] mean) => (_projection, _mean) = (projection, mean);

    public static PrincipalComponents Of(MLContext mlContext, IDataView data, int count)
    {
        double[]? sum = null;
        var rows = 0;
        foreach (var features in data.GetColumn<float[]>("Features"))
        {
            sum ??= new double[features.Length];
            for (var i = 0; i < features.Length; i++)
                sum[i] += features[i];
            rows++;
        }
        var projection = mlContext.Transforms.ProjectToPrincipalComponents(Column, "Features", rank: count, overSampling: 50, ensureZeroMean: true).Fit(data);
        return new PrincipalComponents(projection, Array.ConvertAll(sum ?? [], value => value / rows));
    }

    /// <summary>The components of each row.</summary>
    public IEnumerable<float[]> Transform(IDataView data) => _projection.Transform(data).GetColumn<float[]>(Column);

    /// <summary>
    /// The mean squared error of a feature when the rows are reconstructed from their components. The components are orthonormal, so what they miss
    /// of a row is its squared distance from the mean minus the squares of its components.
    /// </summary>
    public double ReconstructionError(IDataView data)
    {
        var (missed, rows) = (0.0, 0);
        foreach (var (features, components) in data.GetColumn<float[]>("Features").Zip(Transform(data)))
        {
            missed += features.Zip(_mean, (value, mean) => (value - mean) * (value - mean)).Sum() - components.Sum(value => (double)value * value);
            rows++;
        }
        return missed / rows / _mean.Length;
    }
}
