namespace MLExtensions.LanguageModels;

/// <summary>How probable a text is.</summary>
/// <param name="LogProbability">The natural logarithm of its probability.</param>
/// <param name="Tokens">The tokens that were predicted, the end of the row among them.</param>
internal readonly record struct TextScore(double LogProbability, int Tokens)
{
    public double Perplexity => Math.Exp(-LogProbability / Tokens);
}
