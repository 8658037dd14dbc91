using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Quatrains;

namespace MLExtensions;

/// <summary>Adds the check of Chinese quatrains to the catalog of text transforms.</summary>
public static class QuatrainCatalog
{
    /// <param name="catalog">The catalog.</param>
    extension(TransformsCatalog.TextTransforms catalog)
    {
        /// <summary>
        /// Says of each poem in a text column what is right and wrong with it as a regulated Chinese quatrain: tones, rhymes, pattern, faults by
        /// position. The columns are listed at <see cref="QuatrainCheckTransformer"/>.
        /// </summary>
        /// <param name="inputColumnName">The column of the poems, a <c>Text</c>.</param>
        /// <param name="outputColumnPrefix">What the names of the added columns begin with; may be empty.</param>
        /// <exception cref="ArgumentException">A name is empty.</exception>
        /// <example>
        /// <code>
        /// var checkedPoems = ml.Transforms.Text.CheckQuatrain("Poem").Fit(data).Transform(data);
        /// foreach (var faults in checkedPoems.GetColumn&lt;string&gt;("QuatrainFaults"))
        ///     Console.WriteLine(faults);
        /// </code>
        /// </example>
        public QuatrainCheckEstimator CheckQuatrain(string inputColumnName = QuatrainColumns.Poem, string outputColumnPrefix = QuatrainColumns.Prefix) =>
            catalog.CheckQuatrain(new QuatrainCheckEstimator.Options { InputColumnName = inputColumnName, OutputColumnPrefix = outputColumnPrefix });

        /// <summary>Says of each poem in a text column what is right and wrong with it as a regulated Chinese quatrain, with all options.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">A name is empty.</exception>
        public QuatrainCheckEstimator CheckQuatrain(QuatrainCheckEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
