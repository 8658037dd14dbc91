using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Text;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>One training of a language model.</summary>
internal sealed class LanguageModelTraining(IHost host, LanguageModelEstimator.Options options, int seed) : NetworkTraining<TokenBatch>(host, options, seed)
{
    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        var tokenizer = start.Architecture is LanguageModelArchitecture { Tokenizer: var known }
            ? known
            : RowTexts.CreateTokenizer(options.Tokenization, input, options.TextColumnName, session.ThrowIfCancelled);
        // More tokens than the vocabulary has could never be drawn.
        if (options.NumberOfSampledTokens > tokenizer.VocabularySize)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.NumberOfSampledTokens)} is {options.NumberOfSampledTokens}; the vocabulary has {tokenizer.VocabularySize} tokens. It must be at most that, or null for all of them."), nameof(options.NumberOfSampledTokens));
        var features = start.Architecture is LanguageModelArchitecture before ? before.TokenFeatures : FeaturesOf(tokenizer, session);
        return options.CreateArchitecture(tokenizer, features);
    }

    private TokenFeatures? FeaturesOf(TextTokenizer tokenizer, TrainingSession session)
    {
        if (options.TokenFeatures is not { } featuresOf)
            return null;
        var features = TokenFeatures.Create(tokenizer, featuresOf);
        if (features.Names.Count > 0)
            return features;
        session.Say(FormattableString.Invariant($"{nameof(options.TokenFeatures)} returns no feature for any of the {tokenizer.VocabularySize} tokens of the vocabulary; each has only a vector of its own."));
        return null;
    }

    private protected override TrainingData<TokenBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var tokenizer = ((LanguageModelArchitecture)architecture).Tokenizer;
        var groups = validation == null && options.ValidationGroupColumnName is { } column ? RowTexts.ChooseGroups(input, column, options.ValidationFraction, Seed) : null;
        foreach (var remark in options.Remarks)
            remark.Report(session);
        var (rows, validationRows) = options.IndependentRows ? (new List<TextRow>(), new List<TextRow>()) : (null, null);
        var tokens = Read(input, tokenizer, session, TrainingSession.TrainingData, PartOf(groups, isHeld: false), rows);
        TokenStore? validationTokens = null;
        try
        {
            if (validation != null || groups != null)
                validationTokens = ValidationData.Read(() => Read(validation ?? input, tokenizer, session, TrainingSession.ValidationData, PartOf(groups, isHeld: true), validationRows));
            if (rows != null)
            {
                var (shuffled, kept) = SplitRows(tokens, rows, validationTokens, validationRows!, tokenizer, device);
                session.Say(FormattableString.Invariant($"{shuffled.RowCount} training tokens in {shuffled.Rows} rows, {tokenizer.VocabularySize} distinct"));
                return new TrainingData<TokenBatch>(shuffled, kept, head: null, tokens, validationTokens);
            }
            var (training, aside) = Split(tokens, validationTokens, device);
            session.Say(FormattableString.Invariant($"{training.RowCount} training tokens, {tokenizer.VocabularySize} distinct"));
            if (training.Streams < options.BatchSize)
                session.Say(FormattableString.Invariant($"The text is read as {training.Streams} parallel streams, not {options.BatchSize} ({nameof(options.BatchSize)}): each has at least a window of {options.WindowLength} tokens."));
            return new TrainingData<TokenBatch>(training, aside, head: null, tokens, validationTokens);
        }
        catch
        {
            tokens.Dispose();
            validationTokens?.Dispose();
            throw;
        }
    }

    private protected override TrainingStep<TokenBatch> CreateStep(TrainedNetwork network, TrainingData<TokenBatch> data) => new LanguageModelStep(network, options, Seed);

    /// <summary>The tokenizer reads the text before.</summary>
    private protected override bool ReadsAgain(IDataView input) => true;

    private protected override bool NeedsOrder => true;

    private (TextRowBatches Training, TextRowBatches? Validation) SplitRows(TokenStore tokens, List<TextRow> rows, TokenStore? validation, List<TextRow> validationRows, TextTokenizer tokenizer, Device device)
    {
        var held = validation == null ? (int)(rows.Count * options.ValidationFraction) : 0;
        if (rows.Count - held < 1)
            throw new ArgumentException(FormattableString.Invariant($"The training text has {rows.Count - held} rows, 0 tokens; at least one is needed."));
        if (validation != null ? validationRows.Count == 0 : options.ValidationFraction > 0 && held == 0)
            throw new ArgumentException(FormattableString.Invariant($"The validation text has {(validation == null ? held : validationRows.Count)} rows; at least one is needed."));
        return (
            Batches(tokens, rows[..^held], shuffle: true),
            validation != null ? Batches(validation, validationRows, shuffle: false) : held > 0 ? Batches(tokens, rows[^held..], shuffle: false) : null);

        TextRowBatches Batches(TokenStore store, List<TextRow> part, bool shuffle) =>
            new(store, part, options.BatchSize, tokenizer.EndOfSequenceId, shuffle ? new RowShuffle(Seed, options.ContextDropout) : null, device, options.NeedsChecksum ? store.Checksum() : null, shuffle ? Distributed.ShareOf(options.Distributed) : Share.Whole);
    }

    private TextPart? PartOf(RowGroups? groups, bool isHeld) => groups == null ? null : new TextPart(options.ValidationGroupColumnName!, groups, isHeld);

    private TokenStore Read(IDataView data, TextTokenizer tokenizer, TrainingSession session, string name, TextPart? part, List<TextRow>? rows)
    {
        var counts = new DataCounts();
        var store = RowTexts.Read(data, options.TextColumnName, tokenizer, options.Buffering, session.ThrowIfCancelled, counts, part, options.ContextColumnName, rows);
        if (counts[DataCounts.EmptyTexts] > 0 && counts[DataCounts.Tokens] == 0)
        {
            store.Dispose();
            throw new ArgumentException(FormattableString.Invariant($"Column '{options.TextColumnName}': all {counts[DataCounts.EmptyTexts]} rows of the {name} are empty texts; there is nothing to learn."));
        }
        session.Report(counts, name, Notes());
        return store;

        IEnumerable<DataNote> Notes()
        {
            if (counts[DataCounts.EmptyTexts] is > 0 and var empty)
                yield return new DataNote(FormattableString.Invariant($"{empty} texts of the {name} in column '{options.TextColumnName}' are empty: only their ends are read."), IsWarning: false);
            if (TokenNotes.UnknownShare(counts, name) is { } note)
                yield return note;
            if (TokenNotes.WholeSentences(tokenizer) is { } warning)
                yield return warning;
        }
    }

    private (TokenWindows Training, TokenWindows? Validation) Split(TokenStore tokens, TokenStore? validation, Device device)
    {
        var held = validation == null ? (long)(tokens.Count * options.ValidationFraction) : 0;
        var count = tokens.Count - held;
        if (count < 2)
            throw new ArgumentException(FormattableString.Invariant($"The training text has {count} tokens, including the end of each row; at least 2 are needed."));
        if (validation is { Count: < 2 } || (validation == null && options.ValidationFraction > 0 && held < 2))
            throw new ArgumentException(FormattableString.Invariant($"The validation text has {validation?.Count ?? held} tokens; at least 2 are needed."));
        return (
            Windows(tokens, 0, count, Distributed.ShareOf(options.Distributed)),
            validation != null ? Windows(validation, 0, validation.Count, Share.Whole) : held > 0 ? Windows(tokens, count, held, Share.Whole) : null);

        TokenWindows Windows(TokenStore store, long first, long length, Share share) =>
            new(store, first, length, options.BatchSize, options.WindowLength, device, options.NeedsChecksum ? store.Checksum() : null, share);
    }
}

/// <summary>What was left out of texts before they came here.</summary>
/// <param name="Data">Of which data: training or validation.</param>
/// <param name="Name">What was counted.</param>
/// <param name="Count">How many.</param>
/// <param name="Note">What to say of it.</param>
internal sealed record TextRemark(string Data, string Name, long Count, DataNote Note)
{
    public void Report(TrainingSession session)
    {
        var counts = new DataCounts();
        counts.Add(Name, Count);
        session.Report(counts, Data, [Note]);
    }
}
