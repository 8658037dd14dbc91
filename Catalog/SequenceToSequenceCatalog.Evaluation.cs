using Microsoft.ML;
using MLExtensions.Families.Conversations;
using MLExtensions.Training;

namespace MLExtensions;

/// <content>Evaluation of what was written.</content>
public sealed partial class SequenceToSequenceCatalog
{
    /// <summary>Compares texts that a network wrote with those that it should have written.</summary>
    /// <param name="data">The transformed data.</param>
    /// <param name="targetColumnName">The text column of what should have been written.</param>
    /// <param name="generatedColumnName">The text column of what was written.</param>
    /// <param name="conversationColumnName">
    /// The column that names each row's conversation, for exact matches of whole conversations: a key, text or a whole number. Default null.
    /// </param>
    /// <param name="ignoreCase">Whether upper and lower case are the same. Default false.</param>
    /// <param name="reference">
    /// A language model of the target texts, such as <c>ml.LanguageModels.Trainers.KneserNey("Target").Fit(train)</c>, whose perplexity stands
    /// beside that of the network. Default null.
    /// </param>
    /// <param name="logProbabilityColumnName">
    /// The column of the log probability of each target, a <c>Single</c>. Default null: the target column's name and <c>LogProbability</c>, as
    /// networks add it, if it is there.
    /// </param>
    /// <param name="tokensColumnName">
    /// The column of the number of tokens of each target, an <c>Int32</c>. Default null: the target column's name and <c>Tokens</c>, if it is
    /// there.
    /// </param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there are no rows; the message names it.</exception>
    /// <exception cref="FormatException">A value is missing or not suitable; the message names column and row.</exception>
    /// <example>
    /// <code>
    /// var metrics = ml.SequenceToSequence.Evaluate(test, "Target", "Answer", "Conversation");
    /// Console.WriteLine($"{metrics.ExactMatch:P1} of responses, {metrics.ConversationExactMatch:P1} of conversations, BLEU {metrics.Bleu:F3}");
    /// </code>
    /// </example>
    public SequenceToSequenceMetrics Evaluate(
        IDataView data,
        string targetColumnName = "Target",
        string generatedColumnName = "Answer",
        string? conversationColumnName = null,
        bool ignoreCase = false,
        KneserNeyTransformer? reference = null,
        string? logProbabilityColumnName = null,
        string? tokensColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(targetColumnName);
        ArgumentNullException.ThrowIfNull(generatedColumnName);
        return ResponseEvaluator.Evaluate(data, new ResponseColumns(targetColumnName, generatedColumnName, conversationColumnName, logProbabilityColumnName, tokensColumnName), ignoreCase, reference);
    }

    /// <summary>
    /// Says what can be reached on conversations, before a network is trained: which share of responses was never seen, and what the best
    /// function of the last turns could get right.
    /// </summary>
    /// <remarks>All rows are held in memory.</remarks>
    /// <param name="training">The training data: rows of a turn and the response to it, those of each conversation in order.</param>
    /// <param name="test">The test data, of the same columns.</param>
    /// <param name="turnColumnName">The text column of what is said in each row.</param>
    /// <param name="responseColumnName">The text column of the response.</param>
    /// <param name="conversationColumnName">The column that names each row's conversation: a key, text or a whole number.</param>
    /// <param name="numberOfTurns">The largest number of last turns to give a ceiling for, at least 1. Default 3.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, a value is out of range, or there are no rows.</exception>
    /// <exception cref="FormatException">A conversation is missing; the message names column and row.</exception>
    /// <example>
    /// <code>
    /// var train = ml.Data.LoadDialogues("dialog-babi-task1-API-calls-trn.txt.gz");
    /// var test = ml.Data.LoadDialogues("dialog-babi-task1-API-calls-tst.txt.gz");
    /// Console.WriteLine(ml.SequenceToSequence.AnalyzeDialogues(train, test));
    /// </code>
    /// </example>
    public DialogueAnalysis AnalyzeDialogues(
        IDataView training,
        IDataView test,
        string turnColumnName = "User",
        string responseColumnName = "Target",
        string conversationColumnName = "Conversation",
        int numberOfTurns = 3)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(test);
        OptionCheck.AtLeast(numberOfTurns, 1, nameof(numberOfTurns));
        return DialogueAnalysis.Of(training, test, turnColumnName, responseColumnName, conversationColumnName, numberOfTurns);
    }
}
