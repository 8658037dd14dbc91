using Microsoft.ML;

namespace MLExtensions;

/// <summary>Adds language models to the context: <c>mlContext.LanguageModels</c>.</summary>
public static class LanguageModelsCatalog
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Trainers, evaluation and text generation of language models.</summary>
        /// <example>
        /// <code>
        /// using var model = ml.LanguageModels.Trainers.Lstm().Fit(train);
        /// Console.WriteLine(model.GenerateText("Once upon a time"));
        /// </code>
        /// </example>
        public LanguageModelCatalog LanguageModels => new(context);
    }
}

/// <summary>Trainers, evaluation and text generation of language models.</summary>
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
    /// Evaluates a language model on rows that are independent texts. It sums the columns that
    /// <see cref="NetworkColumnsTransformer.Transform"/> adds. The first token of each row is predicted from an
    /// end-of-sequence (EOS) token alone.
    /// </summary>
    /// <remarks>
    /// If the rows are one continuous text, such as the lines of a book or the sentences of the Penn Treebank, the perplexity is slightly
    /// higher than that of <see cref="EvaluateContinuous"/>. The literature reports the latter.
    /// </remarks>
    /// <param name="data">The transformed data, with the columns <c>LogProbability</c> and <c>Tokens</c>.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.LanguageModels.Trainers.Lstm().Fit(train);
    /// Console.WriteLine(ml.LanguageModels.Evaluate(model.Transform(test)).Perplexity);
    /// </code>
    /// </example>
    public LanguageModelMetrics Evaluate(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return LanguageModelEvaluator.Evaluate(data);
    }

    /// <summary>
    /// Evaluates a language model on rows that are one continuous text, in their order. The network's state is carried from row to row, as
    /// in training, and each token is predicted from all previous ones. The very first token is not predicted.
    /// </summary>
    /// <remarks>
    /// Perplexities in the literature are computed this way, including those of the Penn Treebank (Mikolov et al., 2010;
    /// Zaremba et al., 2014).
    /// </remarks>
    /// <param name="model">The model.</param>
    /// <param name="data">The data with the model's text column, not transformed.</param>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type, or the text has fewer than two tokens.</exception>
    /// <exception cref="FormatException">
    /// A row contains something that is not in the vocabulary; the message names column and row.
    /// </exception>
    /// <example>
    /// <code>
    /// using var model = ml.LanguageModels.Trainers.Lstm().Fit(train);
    /// Console.WriteLine(ml.LanguageModels.EvaluateContinuous(model, test).Perplexity);
    /// </code>
    /// </example>
    public LanguageModelMetrics EvaluateContinuous(LanguageModelTransformer model, IDataView data)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        return LanguageModelEvaluator.EvaluateContinuous(model, data);
    }

    /// <summary>Counts how many poems of a column keep which rules of regulated Chinese quatrains.</summary>
    /// <param name="data">The poems.</param>
    /// <param name="poemColumnName">Their column, a <c>Text</c>.</param>
    /// <param name="lineLength">Only quatrains of 5 or 7 characters a line; null for both.</param>
    /// <param name="rhymeTable">The tones and rhymes of characters; null for the built-in table.</param>
    /// <exception cref="ArgumentException">The column is missing or no text, or has no quatrain.</exception>
    /// <example>
    /// <code>
    /// Console.WriteLine(ml.LanguageModels.EvaluateQuatrains(data, "Poem").IsRegulated);
    /// </code>
    /// </example>
    public QuatrainMetrics EvaluateQuatrains(IDataView data, string poemColumnName = "Poem", int? lineLength = null, RhymeTable? rhymeTable = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        return QuatrainEvaluator.Evaluate(data, poemColumnName, rhymeTable ?? RhymeTable.Default, lineLength);
    }

    /// <summary>Counts what of new poems was in old ones: lines, and the longest piece.</summary>
    /// <param name="poems">The new poems.</param>
    /// <param name="training">The old ones, usually the training data.</param>
    /// <param name="poemColumnName">The column of the new poems, a <c>Text</c>.</param>
    /// <param name="trainingColumnName">The column of the old ones, a <c>Text</c>.</param>
    /// <exception cref="ArgumentException">A column is missing or no text, or there are no new poems.</exception>
    public QuatrainNoveltyMetrics EvaluateQuatrainNovelty(IDataView poems, IDataView training, string poemColumnName = "NewPoem", string trainingColumnName = "Poem")
    {
        ArgumentNullException.ThrowIfNull(poems);
        ArgumentNullException.ThrowIfNull(training);
        return QuatrainEvaluator.Compare(poems, poemColumnName, training, trainingColumnName);
    }

    /// <summary>Creates a transformer that adds a column of generated text, which continues each row's prompt.</summary>
    /// <param name="model">The model. The caller still has to dispose it. Its own text column is not used.</param>
    /// <param name="outputColumnName">The column to add, a <c>Text</c>.</param>
    /// <param name="inputColumnName">The column of prompts, a <c>Text</c>.</param>
    /// <param name="options">
    /// How text is generated. Null: the defaults. Without a seed, the context's seed is used, or a random one.
    /// </param>
    /// <exception cref="ArgumentException">A name is empty, or an option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.LanguageModels.Trainers.Lstm().Fit(train);
    /// var continued = ml.LanguageModels.GenerateText(model, "Story", "Text").Transform(test).GetColumn&lt;string&gt;("Story");
    /// </code>
    /// </example>
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

/// <summary>Language model trainers.</summary>
public sealed partial class LanguageModelTrainers
{
    private readonly MLContext _context;

    internal LanguageModelTrainers(MLContext context) => _context = context;

    /// <summary>Trains a recurrent language model over words.</summary>
    /// <param name="textColumnName">The text column.</param>
    /// <param name="hiddenUnits">The number of hidden units of each of the two layers. Default 200.</param>
    /// <param name="epochs">The number of passes over the text. Default 10.</param>
    /// <param name="batchSize">The number of parallel streams that the text is divided into. Default 20.</param>
    /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.002.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.LanguageModels.Trainers.Lstm("Text", hiddenUnits: 200, epochs: 10).Fit(train);
    /// Console.WriteLine(ml.LanguageModels.EvaluateContinuous(model, test).Perplexity);
    /// </code>
    /// </example>
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

    /// <summary>Trains a recurrent language model, with all of its options.</summary>
    /// <param name="options">The options. The trainer keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.LanguageModels.Trainers.Lstm(LanguageModelEstimator.Options.Characters()).Fit(train);
    /// foreach (var piece in model.Generate("JULIET:", new GenerationOptions { Temperature = 0.8, MaximumTokens = 500 }))
    ///     Console.Write(piece);
    /// </code>
    /// </example>
    public LanguageModelEstimator Lstm(LanguageModelEstimator.Options options) => new(_context, options);

    /// <summary>Trains a language model of characters on Chinese quatrains, and writes new ones that keep tone and rhyme.</summary>
    /// <param name="poemColumnName">The column of the poems, a <c>Text</c>.</param>
    /// <param name="titleColumnName">The column of what they are about, a <c>Text</c>: titles in training, keywords or titles when poems are written.</param>
    /// <param name="epochs">The number of passes over the poems. Default 20.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var poet = ml.LanguageModels.Trainers.Quatrains("Poem", "Title").Fit(train);
    /// Console.WriteLine(poet.Write("送友人", acrostic: "春夏秋冬", pattern: "7"));
    /// </code>
    /// </example>
    public QuatrainEstimator Quatrains(string poemColumnName = "Poem", string titleColumnName = "Title", int epochs = QuatrainEstimator.Options.DefaultEpochCount)
    {
        var options = new QuatrainEstimator.Options { PoemColumnName = poemColumnName, TitleColumnName = titleColumnName };
        options.Network.Epochs = epochs;
        return Quatrains(options);
    }

    /// <summary>Trains a language model of characters on Chinese quatrains, and writes new ones that keep tone and rhyme, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public QuatrainEstimator Quatrains(QuatrainEstimator.Options options) => new(_context, options);
}
