using Microsoft.ML;

namespace MLExtensions;

/// <summary>Adds networks that read one text and write another to the context: <c>mlContext.SequenceToSequence</c>.</summary>
public static class SequenceToSequenceContextCatalog
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Trainers and evaluation of networks that read one text and write another: answers, translations, corrections.</summary>
        /// <example>
        /// <code>
        /// using var model = ml.SequenceToSequence.Trainers.Lstm("Question", "Answer", "Reply").Fit(train);
        /// Console.WriteLine(model.Answer("how are you?"));
        /// </code>
        /// </example>
        public SequenceToSequenceCatalog SequenceToSequence => new(context);
    }
}

/// <summary>Trainers and evaluation of networks that read one text and write another.</summary>
public sealed partial class SequenceToSequenceCatalog
{
    internal SequenceToSequenceCatalog(MLContext context)
    {
        Context = context;
        Trainers = new SequenceToSequenceTrainers(context);
    }

    /// <summary>The trainers.</summary>
    public SequenceToSequenceTrainers Trainers { get; }

    internal MLContext Context { get; }
}

/// <summary>Trainers of sequence-to-sequence networks.</summary>
public sealed class SequenceToSequenceTrainers
{
    private readonly MLContext _context;

    internal SequenceToSequenceTrainers(MLContext context) => _context = context;

    /// <summary>Trains an encoder and a decoder of one LSTM layer each, with attention.</summary>
    /// <param name="sourceColumnName">The text column that is read.</param>
    /// <param name="targetColumnName">The text column of what is to be written.</param>
    /// <param name="outputColumnName">The text column that the transformer adds: what the network writes.</param>
    /// <param name="hiddenUnits">The number of hidden units. Default 128.</param>
    /// <param name="epochs">The number of passes over the pairs. Default 10.</param>
    /// <param name="batchSize">The number of pairs per training step. Default 32.</param>
    /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.001.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.SequenceToSequence.Trainers.Lstm("Question", "Answer", "Reply", epochs: 5).Fit(train);
    /// var replies = model.Transform(test).GetColumn&lt;string&gt;("Reply");
    /// </code>
    /// </example>
    public SequenceToSequenceEstimator Lstm(
        string sourceColumnName = "Source",
        string targetColumnName = "Target",
        string outputColumnName = "Answer",
        int hiddenUnits = SequenceToSequenceEstimator.Options.DefaultHiddenUnits,
        int epochs = SequenceToSequenceEstimator.Options.DefaultEpochCount,
        int batchSize = TrainingOptions.DefaultBatchSize,
        double learningRate = TrainingOptions.DefaultLearningRate) => Lstm(new SequenceToSequenceEstimator.Options
    {
        SourceColumnName = sourceColumnName,
        TargetColumnName = targetColumnName,
        OutputColumnName = outputColumnName,
        HiddenUnits = hiddenUnits,
        Epochs = epochs,
        BatchSize = batchSize,
        LearningRate = learningRate,
    });

    /// <summary>Trains a sequence-to-sequence network, with all of its options.</summary>
    /// <param name="options">The options. The trainer keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.SequenceToSequence.Trainers.Lstm(new SequenceToSequenceEstimator.Options
    /// {
    ///     SourceColumnName = "Question",
    ///     TargetColumnName = "Answer",
    ///     OutputColumnName = "Reply",
    ///     HiddenUnits = 256,
    ///     CopyWords = true, // names that no training text has
    /// }).Fit(train);
    /// foreach (var reply in model.Answers("where is the station?", new DecodingOptions { BeamWidth = 5, NumberOfAnswers = 3 }))
    ///     Console.WriteLine($"{reply.LogProbability:0.00} {reply.Text}");
    /// </code>
    /// </example>
    public SequenceToSequenceEstimator Lstm(SequenceToSequenceEstimator.Options options) => new(_context, options);
}
