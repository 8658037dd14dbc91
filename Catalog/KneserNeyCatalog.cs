namespace MLExtensions;

/// <content>Language models that count.</content>
public sealed partial class LanguageModelTrainers
{
    /// <summary>Trains a language model that counts n-grams of words, with modified Kneser-Ney smoothing. It needs no libtorch.</summary>
    /// <param name="textColumnName">The text column, whose rows are texts of their own.</param>
    /// <param name="order">The length of the longest n-grams, from 1 to 10. Default 3.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.LanguageModels.Trainers.KneserNey("Text", order: 3).Fit(train);
    /// Console.WriteLine(ml.LanguageModels.Evaluate(model.Transform(test)).Perplexity);
    /// </code>
    /// </example>
    public KneserNeyEstimator KneserNey(string textColumnName = "Text", int order = KneserNeyEstimator.DefaultOrder) =>
        KneserNey(new KneserNeyEstimator.Options { TextColumnName = textColumnName, Order = order });

    /// <summary>Trains a language model that counts n-grams, with all of its options.</summary>
    /// <param name="options">The options. The trainer keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var model = ml.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options
    /// {
    ///     Tokenization = Tokenization.Characters(minimumCount: 2),
    ///     PredictLineEnds = false,
    /// }).Fit(train);
    /// </code>
    /// </example>
    public KneserNeyEstimator KneserNey(KneserNeyEstimator.Options options) => new(_context, options);
}
