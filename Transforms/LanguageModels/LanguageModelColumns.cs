using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.LanguageModels;

/// <summary>The columns that a language model adds.</summary>
internal static class LanguageModelColumns
{
    public const string LogProbability = nameof(LogProbability);
    public const string Tokens = nameof(Tokens);
    public const string Perplexity = nameof(Perplexity);

    public static IReadOnlyList<DataViewSchema.DetachedColumn> All { get; } =
    [
        new(LogProbability, NumberDataViewType.Single),
        new(Tokens, NumberDataViewType.Int32),
        new(Perplexity, NumberDataViewType.Single),
    ];

    /// <summary>The getters of the columns, in their order.</summary>
    public static Delegate[] CreateGetters(TextScoreSource source) =>
    [
        (ValueGetter<float>)((ref float value) => value = (float)source.Current().LogProbability),
        (ValueGetter<int>)((ref int value) => value = source.Current().Tokens),
        (ValueGetter<float>)((ref float value) => value = (float)source.Current().Perplexity),
    ];
}

/// <summary>How probable a text is.</summary>
/// <param name="LogProbability">The natural logarithm of its probability.</param>
/// <param name="Tokens">The tokens that were predicted, the end of the row among them.</param>
internal readonly record struct TextScore(double LogProbability, int Tokens)
{
    public double Perplexity => Math.Exp(-LogProbability / Tokens);
}
