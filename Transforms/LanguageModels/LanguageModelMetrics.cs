namespace MLExtensions;

/// <summary>How well a language model predicts a text.</summary>
/// <param name="LogProbability">The natural logarithm of the probability of all tokens that were predicted.</param>
/// <param name="Tokens">Their number, the ends of rows among them.</param>
/// <param name="Rows">The rows of the text.</param>
public sealed record LanguageModelMetrics(double LogProbability, long Tokens, long Rows)
{
    /// <summary>exp(<see cref="CrossEntropy"/>): how many equally likely tokens the model hesitates between, on average.</summary>
    public double Perplexity => Math.Exp(CrossEntropy);

    /// <summary>The mean of the tokens' negative log-probability, in nats.</summary>
    public double CrossEntropy => -LogProbability / Tokens;

    /// <summary><see cref="CrossEntropy"/> in bits: what a token costs a perfect compressor that knows the model.</summary>
    public double BitsPerToken => CrossEntropy / Math.Log(2);
}
