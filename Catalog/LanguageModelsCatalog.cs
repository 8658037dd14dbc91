using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.LanguageModels;

namespace MLExtensions;

/// <summary>Language models: <c>mlContext.LanguageModels</c>.</summary>
public static class LanguageModelsCatalog
{
    /// <param name="context">The context.</param>
    extension(MLContext context)
    {
        /// <summary>Trainers of language models, and what measures them.</summary>
        public LanguageModelCatalog LanguageModels => new(context);
    }
}

/// <summary>What can be done with language models.</summary>
public sealed class LanguageModelCatalog
{
    private readonly MLContext _context;

    internal LanguageModelCatalog(MLContext context)
    {
        _context = context;
        Trainers = new LanguageModelTrainers(context);
    }

    /// <summary>The trainers.</summary>
    public LanguageModelTrainers Trainers { get; }

    /// <summary>
    /// Measures a language model on rows that are texts of their own: the sums over what <see cref="NetworkColumnsTransformer.Transform"/>
    /// says of each, whose first token is predicted from nothing but the end of another row.
    /// </summary>
    /// <remarks>
    /// Where the rows are one text, as the lines of a book or the Penn Treebank's sentences, this is a little worse than
    /// <see cref="EvaluateContinuous"/>, which the perplexities of the literature compare with.
    /// </remarks>
    /// <param name="data">The transformed data, with the columns <c>LogProbability</c> and <c>Tokens</c>.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows.</exception>
    public LanguageModelMetrics Evaluate(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return LanguageModelEvaluator.Evaluate(data);
    }

    /// <summary>
    /// Measures a language model on rows that are one long text, in their order: the network's state is carried from row to row, as in
    /// training, and each token is predicted from all before it. The first token of all is not predicted.
    /// </summary>
    /// <remarks>This is what perplexities of the literature are, the Penn Treebank's among them (Mikolov et al., 2010; Zaremba et al., 2014).</remarks>
    /// <param name="model">The model.</param>
    /// <param name="data">Data with the model's column of text; not transformed.</param>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type, or the text has not two tokens.</exception>
    /// <exception cref="FormatException">A row has something that the vocabulary lacks; the message names column and row.</exception>
    public LanguageModelMetrics EvaluateContinuous(LanguageModelTransformer model, IDataView data)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        return LanguageModelEvaluator.EvaluateContinuous(model, data);
    }

    /// <summary>Makes a transformer that adds a column of generated text: what a language model writes after each row's prompt.</summary>
    /// <param name="model">The model, which stays the caller's to dispose; its own column of text plays no part.</param>
    /// <param name="outputColumnName">The column to add.</param>
    /// <param name="inputColumnName">The column of prompts.</param>
    /// <param name="options">How to write; null for the defaults. Without a seed the context's is taken, or one is drawn here.</param>
    /// <exception cref="ArgumentException">A name is empty or an option out of range; the message names it.</exception>
    public TextGenerationTransformer GenerateText(
        LanguageModelTransformer model,
        string outputColumnName = "GeneratedText",
        string inputColumnName = "Text",
        GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        options ??= new GenerationOptions();
        options.Check();
        return new TextGenerationTransformer(_context, model, outputColumnName, inputColumnName, options, ownsModel: false);
    }
}

/// <summary>The trainers of language models.</summary>
public sealed class LanguageModelTrainers
{
    private readonly MLContext _context;

    internal LanguageModelTrainers(MLContext context) => _context = context;

    /// <summary>A recurrent language model over words.</summary>
    /// <param name="textColumnName">The column of text.</param>
    /// <param name="hiddenUnits">The hidden units of each of its two layers.</param>
    /// <param name="epochs">How many times the text is gone through.</param>
    /// <param name="batchSize">The number of lanes that the text is read in.</param>
    /// <param name="learningRate">The learning rate of Adam.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    public LanguageModelEstimator Lstm(
        string textColumnName = "Text",
        int hiddenUnits = 200,
        int epochs = LanguageModelEstimator.Options.DefaultEpochCount,
        int batchSize = LanguageModelEstimator.Options.DefaultLanes,
        double learningRate = LanguageModelEstimator.Options.DefaultAdamRate) => Lstm(new LanguageModelEstimator.Options
    {
        TextColumnName = textColumnName,
        HiddenUnits = hiddenUnits,
        Epochs = epochs,
        BatchSize = batchSize,
        LearningRate = learningRate,
    });

    /// <summary>A recurrent language model.</summary>
    /// <param name="options">The options; the trainer keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public LanguageModelEstimator Lstm(LanguageModelEstimator.Options options) => new(_context, options);
}
