using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.LanguageModels;

/// <summary>Maps a column of text to the columns that say how probable it is.</summary>
internal sealed class LanguageModelMapper(LanguageModelTransformer transformer, DataViewSchema.Column text, TextScorer scorer) : IRowMapper
{
    private const int LogProbability = 0;
    private const int Tokens = 1;
    private const int Perplexity = 2;

    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
        column => column == text.Index && (activeOutput(LogProbability) || activeOutput(Tokens) || activeOutput(Perplexity));

    public DataViewSchema.DetachedColumn[] GetOutputColumns() =>
    [
        new(LanguageModelColumns.LogProbability, NumberDataViewType.Single),
        new(LanguageModelColumns.Tokens, NumberDataViewType.Int32),
        new(LanguageModelColumns.Perplexity, NumberDataViewType.Single),
    ];

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action? disposer)
    {
        disposer = null;
        var getters = new Delegate[3];
        if (!activeOutput(LogProbability) && !activeOutput(Tokens) && !activeOutput(Perplexity))
            return getters;
        var source = TextScoreSource.Create(input, input.Schema[text.Index], scorer);
        if (activeOutput(LogProbability))
            getters[LogProbability] = (ValueGetter<float>)((ref float value) => value = (float)source.Current().LogProbability);
        if (activeOutput(Tokens))
            getters[Tokens] = (ValueGetter<int>)((ref int value) => value = source.Current().Tokens);
        if (activeOutput(Perplexity))
            getters[Perplexity] = (ValueGetter<float>)((ref float value) => value = (float)source.Current().Perplexity);
        return getters;
    }

    public ITransformer GetTransformer() => transformer;

    public void Save(ModelSaveContext ctx) => ((ICanSaveModel)transformer).Save(ctx);
}
