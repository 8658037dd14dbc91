using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Language models: <c>mlContext.LanguageModels</c>.</summary>
public static class LanguageModelsCatalog
{
    /// <param name="context">The context.</param>
    extension(MLContext context)
    {
        /// <summary>Trainers of language models, and what measures them.</summary>
        public LanguageModelOperations LanguageModels => new(context);
    }
}

/// <summary>What can be done with language models.</summary>
public sealed class LanguageModelOperations
{
    internal LanguageModelOperations(MLContext context) => Trainers = new LanguageModelTrainers(context);

    /// <summary>The trainers.</summary>
    public LanguageModelTrainers Trainers { get; }
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
    public LstmLanguageModelTrainer Lstm(
        string textColumnName = "Text",
        int hiddenUnits = 200,
        int epochs = LstmLanguageModelTrainer.Options.DefaultEpochCount,
        int batchSize = LstmLanguageModelTrainer.Options.DefaultLanes,
        double learningRate = LstmLanguageModelTrainer.Options.DefaultAdamRate) => Lstm(new LstmLanguageModelTrainer.Options
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
    public LstmLanguageModelTrainer Lstm(LstmLanguageModelTrainer.Options options) => new(_context, options);
}
