using Microsoft.ML;

namespace MLExtensions;

/// <summary>Adds generative models to the context: <c>mlContext.GenerativeModels</c>.</summary>
public static class GenerativeModelsCatalog
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Trainers of generative models, and evaluation: how close are samples to real data?</summary>
        /// <example>
        /// <code>
        /// using var gan = ml.GenerativeModels.Trainers.Gan(outputColumnName: "Features").Fit(train);
        /// var generated = gan.Generate(1000, seed: 1);
        /// Console.WriteLine(ml.GenerativeModels.EvaluateNearest(train, generated));
        /// </code>
        /// </example>
        public GenerativeModelCatalog GenerativeModels => new(context);
    }
}

/// <summary>Trainers and evaluation of generative models.</summary>
public sealed partial class GenerativeModelCatalog
{
    internal GenerativeModelCatalog(MLContext context) => Context = context;

    internal MLContext Context { get; }
}
