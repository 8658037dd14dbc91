using Microsoft.ML;

namespace MLExtensions;

/// <summary>Adds generative models to the context: <c>mlContext.GenerativeModels</c>.</summary>
public static class GenerativeModelsCatalog
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Evaluation of generative models: how close are samples to real data?</summary>
        /// <example>
        /// <code>
        /// IDataView generated = data;
        /// Console.WriteLine(ml.GenerativeModels.Evaluate(test, generated));
        /// </code>
        /// </example>
        public GenerativeModelCatalog GenerativeModels => new(context);
    }
}

/// <summary>Evaluation of generative models.</summary>
public sealed partial class GenerativeModelCatalog
{
    internal GenerativeModelCatalog(MLContext context) => Context = context;

    internal MLContext Context { get; }
}
