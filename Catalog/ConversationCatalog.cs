using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Conversations;
using MLExtensions.Loading;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Adds what prepares conversations for networks that answer to ML.NET's catalogs of text transforms and of data.</summary>
public static class ConversationCatalog
{
    /// <param name="catalog">The text transforms, <c>mlContext.Transforms.Text</c>.</param>
    extension(TransformsCatalog.TextTransforms catalog)
    {
        /// <summary>Adds a text column with the last turns of each row's conversation, its own included, one a line.</summary>
        /// <param name="outputColumnName">The column to add.</param>
        /// <param name="inputColumnName">The column of what is said in each row.</param>
        /// <param name="conversationColumnName">The column that names each row's conversation: a key, text or a whole number.</param>
        /// <param name="turnColumnName">The column of turn numbers, by which the order of rows is checked. Default null: they are in order.</param>
        /// <param name="numberOfTurns">The number of turns to join, at least 1. Default null: all.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var history = ml.Transforms.Text.ConversationHistory("Source", "Text", "Conversation", "Turn", numberOfTurns: 3);
        /// </code>
        /// </example>
        public ConversationHistoryEstimator ConversationHistory(
            string outputColumnName = "Source",
            string inputColumnName = "Text",
            string conversationColumnName = "Conversation",
            string? turnColumnName = null,
            int? numberOfTurns = null) => catalog.ConversationHistory(new ConversationHistoryEstimator.Options
        {
            OutputColumnName = outputColumnName,
            InputColumnName = inputColumnName,
            ConversationColumnName = conversationColumnName,
            TurnColumnName = turnColumnName,
            NumberOfTurns = numberOfTurns,
        });

        /// <summary>Adds a text column with the last turns of each row's conversation, with all options.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var history = ml.Transforms.Text.ConversationHistory(new ConversationHistoryEstimator.Options
        /// {
        ///     InputColumnName = "Question",
        ///     AnswerColumnName = "Answer",
        ///     Marker = "user: ",
        ///     AnswerMarker = "bot: ",
        ///     MaximumTokens = 100,
        /// });
        /// </code>
        /// </example>
        public ConversationHistoryEstimator ConversationHistory(ConversationHistoryEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The data operations, <c>mlContext.Data</c>.</param>
    extension(DataOperationsCatalog catalog)
    {
        /// <summary>Loads dialogues of numbered lines, as those of the bAbI dialog tasks: one row for each answer.</summary>
        /// <remarks>
        /// <para>
        /// A line is <c>number user TAB answer</c>, or <c>number fact</c>. A dialogue begins with the number 1 or after an empty line. The
        /// columns are <c>Conversation</c> (<c>Int32</c>, from 0), <c>Turn</c> (<c>Int32</c>, the number of the line), and the texts <c>Source</c>,
        /// <c>User</c> and <c>Target</c>, the answer. <c>Source</c> is all that was said and looked up before, and what the user says now, one a line.
        /// </para>
        /// <para>The file must be UTF-8, plain or gzipped. It is read when the rows are, line by line.</para>
        /// </remarks>
        /// <param name="path">The file.</param>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="FormatException">A line is of another form; the message names file and line. Thrown when the rows are read.</exception>
        /// <example>
        /// <code>
        /// var dialogues = ml.Data.LoadDialogues("dialog-babi-task1-API-calls-trn.txt.gz");
        /// </code>
        /// </example>
        public IDataView LoadDialogues(string path) => catalog.LoadDialogues([path], new DialogueLoadingOptions());

        /// <summary>Loads dialogues of numbered lines from several files, with all options.</summary>
        /// <param name="paths">The files, in reading order.</param>
        /// <param name="options">How they become rows.</param>
        /// <exception cref="ArgumentException">No path is given, or an option is out of range; the message names it.</exception>
        /// <inheritdoc cref="LoadDialogues(DataOperationsCatalog, string)"/>
        /// <example>
        /// <code>
        /// var dialogues = ml.Data.LoadDialogues(["part1.txt", "part2.txt"], new DialogueLoadingOptions { NumberOfTurns = 5, UserMarker = "user: " });
        /// </code>
        /// </example>
        public IDataView LoadDialogues(IReadOnlyList<string> paths, DialogueLoadingOptions options)
        {
            ArgumentNullException.ThrowIfNull(options);
            options.Check();
            return ConversationFileView.Create(CatalogUtils.GetEnvironment(catalog), paths, DialogueReader.TextColumns, null, new DialogueReader(options).Read);
        }

        /// <summary>Loads conversations of one line each, whose turns have tabs between them: one row for each turn.</summary>
        /// <remarks>
        /// <para>
        /// The columns are <c>Conversation</c> (<c>Int32</c>, the number of the line from 0), <c>Turn</c> (<c>Int32</c>, from 1), <c>Fold</c> if it is
        /// asked for, the leading columns and <c>Text</c>. Empty lines and turns are no rows, but count.
        /// </para>
        /// <para>The file must be UTF-8, plain or gzipped. It is read when the rows are, line by line.</para>
        /// </remarks>
        /// <param name="path">The file.</param>
        /// <param name="leadingColumnNames">The names of the fields before the turns, such as a topic. Default null: there are none.</param>
        /// <param name="numberOfFolds">
        /// Adds a column <c>Fold</c> (<c>Single</c>): the number of the conversation modulo this number, at least 2. With
        /// <c>FilterRowsByColumn</c> it divides the conversations for training and test, always in the same way. Default null: no such column.
        /// </param>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="ArgumentException">A name is empty or taken, or the number is out of range; the message names it.</exception>
        /// <exception cref="FormatException">A line has too few fields; the message names file and line. Thrown when the rows are read.</exception>
        /// <example>
        /// <code>
        /// var turns = ml.Data.LoadConversations("dialogues.tsv.gz", ["Topic"], numberOfFolds: 20);
        /// var forTest = ml.Data.FilterRowsByColumn(turns, "Fold", lowerBound: 1, upperBound: 2);
        /// var forTraining = ml.Data.FilterRowsByColumn(turns, "Fold", lowerBound: 2);
        /// </code>
        /// </example>
        public IDataView LoadConversations(string path, IReadOnlyList<string>? leadingColumnNames = null, int? numberOfFolds = null)
        {
            var leading = leadingColumnNames?.ToArray() ?? [];
            ConversationFileView.CheckLeading(leading, nameof(leadingColumnNames));
            OptionCheck.AtLeast(numberOfFolds ?? 2, 2, nameof(numberOfFolds));
            return ConversationFileView.Create(CatalogUtils.GetEnvironment(catalog), [path], [.. leading, ConversationLineReader.TextColumn], numberOfFolds, files => ConversationLineReader.Read(files, leading.Length));
        }

        /// <summary>
        /// Makes pairs of turns: each row but the first of its conversation answers what was said before, which is added as a text column.
        /// The first rows are left out, and rows without a text.
        /// </summary>
        /// <param name="data">Rows of turns, those of each conversation in order.</param>
        /// <param name="sourceColumnName">The column to add: the turns before the row, one a line. The row's own text is the target.</param>
        /// <param name="textColumnName">The column of what is said in each row.</param>
        /// <param name="conversationColumnName">The column that names each row's conversation: a key, text or a whole number.</param>
        /// <param name="turnColumnName">The column of turn numbers, by which the order of rows is checked. Default null: they are in order.</param>
        /// <param name="numberOfTurns">The number of turns before the row to join, at least 1. Default 1; null for all.</param>
        /// <exception cref="ArgumentException">A column is missing or of a wrong type, or a value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pairs = ml.Data.ToAnswerPairs(ml.Data.LoadConversations("dialogues.tsv.gz", ["Topic"]), numberOfTurns: 2);
        /// </code>
        /// </example>
        public IDataView ToAnswerPairs(
            IDataView data,
            string sourceColumnName = "Source",
            string textColumnName = "Text",
            string conversationColumnName = "Conversation",
            string? turnColumnName = null,
            int? numberOfTurns = 1)
        {
            ArgumentNullException.ThrowIfNull(data);
            var options = new ConversationHistoryEstimator.Options
            {
                OutputColumnName = sourceColumnName,
                InputColumnName = textColumnName,
                ConversationColumnName = conversationColumnName,
                TurnColumnName = turnColumnName,
                NumberOfTurns = numberOfTurns,
                IncludeRow = false,
            };
            return AnswerPairs.Create(data, options);
        }
    }
}
