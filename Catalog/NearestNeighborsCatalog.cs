using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds the search for nearest neighbors to ML.NET's transforms catalog.</summary>
public static class NearestNeighborsCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Finds for each row the nearest of the vectors that the step is fitted on. The search is exact.</summary>
        /// <param name="featureColumnName">The column of the vectors, a <c>Vector&lt;Single&gt;</c> of known size.</param>
        /// <param name="labelColumnName">A column whose values come back with the neighbors: Text, a key, Single, Int32, UInt32 or Int64; null for none.</param>
        /// <param name="numberOfNeighbors">How many neighbors are found.</param>
        /// <param name="distance">What is near.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var search = ml.Transforms.NearestNeighbors("Features", labelColumnName: "Name", numberOfNeighbors: 5).Fit(train);
        /// var found = search.Transform(test); // adds NeighborRows, NeighborDistances and NeighborLabels
        /// </code>
        /// </example>
        public NearestNeighborsEstimator NearestNeighbors(
            string featureColumnName = DefaultColumnNames.Features, string? labelColumnName = null, int numberOfNeighbors = 10, VectorDistance distance = VectorDistance.Cosine) =>
            catalog.NearestNeighbors(new NearestNeighborsEstimator.Options
            {
                FeatureColumnName = featureColumnName,
                LabelColumnName = labelColumnName,
                NumberOfNeighbors = numberOfNeighbors,
                Distance = distance,
            });

        /// <summary>Finds for each row the nearest of the vectors that the step is fitted on. The search is exact.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <inheritdoc cref="NearestNeighbors(TransformsCatalog, string, string, int, VectorDistance)" path="/exception"/>
        public NearestNeighborsEstimator NearestNeighbors(NearestNeighborsEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
