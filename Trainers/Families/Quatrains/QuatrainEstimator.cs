using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Families.Quatrains;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Text;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How a network sees a poem.</summary>
public enum QuatrainArchitecture
{
    /// <summary>As one text, character by character: a recurrent language model.</summary>
    Plain,

    /// <summary>
    /// Line by line from the lines before: a convolutional sentence model, a recurrent context model, and a recurrent generation model
    /// (Zhang and Lapata, 2014); see <see cref="QuatrainLineArchitecture"/>.
    /// </summary>
    LineByLine,
}

/// <summary>
/// Trains a language model of characters on Chinese quatrains, and writes new ones with it that keep tone and rhyme.
/// </summary>
/// <remarks>
/// <para>
/// The input is a <c>Text</c> column of poems, four lines of five or four of seven characters each with any marks between them, and a
/// <c>Text</c> column of what they are about, usually their titles. Rows of another form are left out and counted.
/// </para>
/// <para>
/// The network (<see cref="LanguageModelEstimator"/>) reads each poem on its own, after what it is about. Tones and rhyme groups are features of
/// the characters, so that it learns of them what holds for all characters of a tone or rhyme. It reads the rules nowhere: they are kept by
/// the search (<see cref="QuatrainOptions"/>), and can be left to the network.
/// </para>
/// </remarks>
public sealed class QuatrainEstimator : IEstimator<QuatrainTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;

    internal QuatrainEstimator(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _host = env.Register(nameof(QuatrainEstimator));
        _options = options.Copy();
        _options.Check();
        // Wrong options of the network are said at once.
        _ = new LanguageModelEstimator(_host, _options.Network);
    }

    /// <summary>The options of <see cref="QuatrainEstimator"/>.</summary>
    public sealed class Options
    {
        internal const int DefaultEpochCount = 20;

        /// <summary>The column of the poems, a <c>Text</c>, for training. Default <c>Poem</c>.</summary>
        public string PoemColumnName { get; set; } = QuatrainColumns.Poem;

        /// <summary>
        /// The column of what a poem is about, a <c>Text</c>: titles in training, keywords or titles when poems are written. Default
        /// <c>Title</c>.
        /// </summary>
        public string TitleColumnName { get; set; } = "Title";

        /// <summary>The column that is added for new poems. Default <c>NewPoem</c>.</summary>
        public string OutputColumnName { get; set; } = "NewPoem";

        /// <summary>The column of four characters that the lines are to begin with, a <c>Text</c>, or empty for none; only read when poems are written. Default null.</summary>
        public string? AcrosticColumnName { get; set; }

        /// <summary>
        /// The column of the names of patterns (<see cref="QuatrainPattern.Name"/>), 5 or 7 for any of that length, or empty, a <c>Text</c>; only
        /// read when poems are written. Default null.
        /// </summary>
        public string? PatternColumnName { get; set; }

        /// <summary>The column of rhyme groups of the level tone, such as 東, or empty, a <c>Text</c>; only read when poems are written. Default null.</summary>
        public string? RhymeGroupColumnName { get; set; }

        /// <summary>The column of seeds, <c>Int32</c> or <c>Int64</c>, so that rows with the same wishes get different poems; only read when poems are written. Default null.</summary>
        public string? SeedColumnName { get; set; }

        /// <summary>The tones and rhymes of characters; saved with the model if it is not the built-in one. Default: the built-in table.</summary>
        public RhymeTable RhymeTable { get; set; } = RhymeTable.Default;

        /// <summary>How poems are written. Default: keeping all rules.</summary>
        public QuatrainOptions Writing { get; set; } = new();

        /// <summary>How the network sees a poem. Default <see cref="QuatrainArchitecture.Plain"/>.</summary>
        public QuatrainArchitecture Architecture { get; set; }

        /// <summary>
        /// The network and its training. Of a network that writes line by line, the embedding size is that of lines and contexts, too, and its
        /// output layer always has the vectors of the characters. Columns, <see cref="LanguageModelEstimator.Options.IndependentRows"/>, and features of tokens (if there
        /// are none) are set by this estimator. Default: 2 LSTM layers of 256 units, tied embeddings, dropout 0.4, batches of 16 poems, 20 epochs.
        /// </summary>
        public LanguageModelEstimator.Options Network { get; set; } = CreateNetwork();

        /// <summary>Whether the network sees the tones and rhyme groups of characters. Default true.</summary>
        public bool UseToneFeatures { get; set; } = true;

        internal static LanguageModelEstimator.Options CreateNetwork() => new()
        {
            Tokenization = Tokenization.Characters(minimumCount: 2),
            HiddenUnits = 256,
            TieEmbeddings = true,
            Dropout = 0.4,
            BatchSize = 16,
            Epochs = DefaultEpochCount,
            LearningRate = 0.005,
            LearningRateSchedule = LearningRateSchedule.Cosine(warmupEpochs: 0.5),
            GradientClipNorm = 1,
            IndependentRows = true,
            ContextColumnName = QuatrainRow.ContextColumn,
            ContextDropout = 0.3,
        };

        internal Options Copy()
        {
            var copy = (Options)MemberwiseClone();
            ArgumentNullException.ThrowIfNull(Network, nameof(Network));
            copy.Network = (LanguageModelEstimator.Options)Network.Snapshot();
            copy.Network.TextColumnName = nameof(QuatrainRow.Text);
            copy.Network.ContextColumnName = QuatrainRow.ContextColumn;
            copy.Network.IndependentRows = true;
            if (UseToneFeatures && RhymeTable is { } table)
                copy.Network.TokenFeatures ??= token => QuatrainVocabulary.FeaturesOf(token, table);
            return copy;
        }

        internal void Check()
        {
            foreach (var (value, name) in new[] { (PoemColumnName, nameof(PoemColumnName)), (TitleColumnName, nameof(TitleColumnName)), (OutputColumnName, nameof(OutputColumnName)) })
                OptionCheck.NotEmpty(value, name);
            foreach (var (value, name) in new[] { (AcrosticColumnName, nameof(AcrosticColumnName)), (PatternColumnName, nameof(PatternColumnName)), (RhymeGroupColumnName, nameof(RhymeGroupColumnName)), (SeedColumnName, nameof(SeedColumnName)) })
            {
                if (value != null)
                    OptionCheck.NotEmpty(value, name);
            }
            OptionCheck.Defined(Architecture, nameof(Architecture));
            OptionCheck.NotNull(RhymeTable, nameof(RhymeTable));
            OptionCheck.NotNull(Writing, nameof(Writing));
            Writing.Check();
            OptionCheck.Require(Network.ValidationGroupColumnName == null, Network.ValidationGroupColumnName, Of(nameof(Network.ValidationGroupColumnName)), "null: poems are held out one by one. Pass validation data to Fit instead");
            if (Architecture != QuatrainArchitecture.LineByLine)
                return;
            var reason = $"{nameof(QuatrainArchitecture.LineByLine)} has an output layer of its own";
            OptionCheck.Require(Network.NumberOfSampledTokens == null, Network.NumberOfSampledTokens, Of(nameof(Network.NumberOfSampledTokens)), $"null: {reason}");
            OptionCheck.Require(Network.OutputPrecision == Precision.Float32, Network.OutputPrecision, Of(nameof(Network.OutputPrecision)), $"{Precision.Float32}: {reason}");

            static string Of(string option) => $"{nameof(Network)}.{option}";
        }
    }

    /// <summary>Trains the language model.</summary>
    /// <param name="input">The poems.</param>
    /// <exception cref="ArgumentException">A column is missing or no text, or there is no quatrain.</exception>
    public QuatrainTransformer Fit(IDataView input) => FitCore(input, null);

    /// <summary>Trains the language model, with separate poems for validation.</summary>
    /// <param name="trainData">The poems.</param>
    /// <param name="validationData">Other poems, in the same columns.</param>
    /// <exception cref="ArgumentException">A column is missing or no text, or there is no quatrain.</exception>
    public QuatrainTransformer Fit(IDataView trainData, IDataView validationData)
    {
        ArgumentNullException.ThrowIfNull(validationData);
        return FitCore(trainData, validationData);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        TextColumn.Check(inputSchema, _options.PoemColumnName);
        TextColumn.Check(inputSchema, _options.TitleColumnName);
        var columns = inputSchema.ToDictionary(column => column.Name);
        columns[_options.OutputColumnName] = new SchemaShape.Column(_options.OutputColumnName, SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, isKey: false);
        var probability = _options.OutputColumnName + "LogProbability";
        columns[probability] = new SchemaShape.Column(probability, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, isKey: false);
        return new SchemaShape(columns.Values);
    }

    private QuatrainTransformer FitCore(IDataView input, IDataView? validation)
    {
        ArgumentNullException.ThrowIfNull(input);
        var lines = new HashSet<ulong>();
        var remarks = new List<TextRemark>();
        var training = Read(input, TrainingSession.TrainingData, lines, remarks);
        CheckTokens(training);
        var held = validation == null ? null : Read(validation, TrainingSession.ValidationData, null, remarks);
        var options = (LanguageModelEstimator.Options)_options.Network.Snapshot();
        options.Remarks = remarks;
        var network = _options.Architecture == QuatrainArchitecture.LineByLine
            ? FitLines(options, training, held)
            : (QuatrainNetwork)new PlainQuatrainNetwork(FitLanguageModel(options, training, held));
        var inputs = new QuatrainInputs(_options.TitleColumnName, _options.AcrosticColumnName, _options.PatternColumnName, _options.RhymeGroupColumnName, _options.SeedColumnName);
        return new QuatrainTransformer(_host, network, _options.RhymeTable, lines, inputs, _options.PoemColumnName, _options.OutputColumnName, _options.Writing, ownsModel: true);
    }

    private LineQuatrainNetwork FitLines(LanguageModelEstimator.Options options, IDataView training, IDataView? held)
    {
        options.CheckValidation(training, held);
        options.ReportIgnored(held, _host);
        return new LineQuatrainNetwork(new QuatrainLineTraining(_host, options, _options.RhymeTable, options.ChooseSeed(_host)).Run(training, held));
    }

    private LanguageModelTransformer FitLanguageModel(LanguageModelEstimator.Options options, IDataView training, IDataView? held)
    {
        var estimator = new LanguageModelEstimator(_host, options);
        return held == null ? estimator.Fit(training) : estimator.Fit(training, held);
    }

    /// <summary>Checks before the training that there will be characters to write.</summary>
    private void CheckTokens(IDataView training)
    {
        if (_options.Network is { InitialModel: not null } or { InitialWeightsPath: not null })
            return; // they have their vocabulary
        var tokenizer = RowTexts.CreateTokenizer(_options.Network.Tokenization, training, nameof(QuatrainRow.Text), _options.Network.CancellationToken.ThrowIfCancellationRequested);
        if (!new QuatrainVocabulary(tokenizer, _options.RhymeTable).HasCharacters)
            throw new ArgumentException($"{nameof(Options.Network)}.{nameof(_options.Network.Tokenization)} gives tokens none of which is a single character; poems are written character by character. Use Tokenization.Characters().", nameof(_options.Network.Tokenization));
    }

    /// <summary>Reads the quatrains as the language model reads them.</summary>
    private IDataView Read(IDataView data, string name, HashSet<ulong>? trainingLines, List<TextRemark> remarks)
    {
        var rows = new List<QuatrainRow>();
        var (leftOut, example) = (0, "");
        var (poemColumn, titleColumn) = (TextColumn.Find(data.Schema, _options.PoemColumnName), TextColumn.Find(data.Schema, _options.TitleColumnName));
        using (var cursor = data.GetRowCursor([poemColumn, titleColumn]))
        {
            var (getPoem, getTitle) = (cursor.GetGetter<ReadOnlyMemory<char>>(poemColumn), cursor.GetGetter<ReadOnlyMemory<char>>(titleColumn));
            ReadOnlyMemory<char> poem = default, title = default;
            while (cursor.MoveNext())
            {
                _options.Network.CancellationToken.ThrowIfCancellationRequested();
                _host.CheckAlive();
                getPoem(ref poem);
                getTitle(ref title);
                var lines = QuatrainText.Lines(poem.Span);
                if (QuatrainText.WrongForm(lines) is { } wrong)
                {
                    if (leftOut++ == 0)
                        example = FormattableString.Invariant($"{RowName.Of(cursor.Position)} has {wrong}");
                    continue;
                }
                rows.Add(new QuatrainRow { Text = QuatrainVocabulary.RowOf(lines), About = QuatrainVocabulary.About(title.Span) });
                foreach (var line in lines)
                    trainingLines?.Add(QuatrainText.Hash(line));
            }
        }
        if (rows.Count == 0)
            throw new ArgumentException($"Column '{_options.PoemColumnName}' of the {name} has no quatrain{(leftOut == 0 ? ", because it has no rows" : $": {example}")}.");
        if (leftOut > 0)
            remarks.Add(new TextRemark(name, DataCounts.RowsOfAnotherForm, leftOut, new DataNote(FormattableString.Invariant($"{leftOut} of {leftOut + rows.Count} rows of the {name} are no quatrains and are left out; {example}."), IsWarning: true)));
        return new MLContext().Data.LoadFromEnumerable(rows);
    }
}

/// <summary>A poem as the language model reads it.</summary>
internal sealed class QuatrainRow
{
    public const string ContextColumn = nameof(About);

    public string Text { get; set; } = "";

    public string About { get; set; } = "";
}
