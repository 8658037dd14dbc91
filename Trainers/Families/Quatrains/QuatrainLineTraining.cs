using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Families.Recurrent;
using MLExtensions.Tensors;
using MLExtensions.Text;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Quatrains;

/// <summary>One training of a network that writes line by line.</summary>
/// <param name="host">The host.</param>
/// <param name="options">The options of the language model beside which it stands; windows and initial models do not apply.</param>
/// <param name="table">The tones and rhymes of characters.</param>
/// <param name="seed">The seed.</param>
internal sealed class QuatrainLineTraining(IHost host, LanguageModelEstimator.Options options, RhymeTable table, int seed) : NetworkTraining<QuatrainBatch>(host, options, seed)
{
    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        var tokenizer = start.Architecture is QuatrainLineArchitecture known ? known.Tokenizer : RowTexts.CreateTokenizer(options.Tokenization, input, options.TextColumnName, session.ThrowIfCancelled);
        var features = options.TokenFeatures is { } featuresOf ? TokenFeatures.Create(tokenizer, featuresOf) : null;
        return new QuatrainLineArchitecture
        {
            InputCount = 1,
            OutputCount = tokenizer.VocabularySize,
            Tokenizer = tokenizer,
            EmbeddingSize = options.EmbeddingSize ?? options.HiddenUnits,
            Recurrent = new RecurrentLayers(options.Cell, options.HiddenUnits, options.NumberOfLayers) { Dropout = options.Dropout },
            Dropout = options.Dropout,
            TokenFeatures = features is { Names.Count: > 0 } ? features : null,
        };
    }

    private protected override TrainingData<QuatrainBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var vocabulary = new QuatrainVocabulary(((QuatrainLineArchitecture)architecture).Tokenizer, table);
        foreach (var remark in options.Remarks)
            remark.Report(session);
        var poems = Read(input, vocabulary, TrainingSession.TrainingData, session);
        var held = validation != null ? Read(validation, vocabulary, TrainingSession.ValidationData, session) : poems[^(int)(poems.Count * options.ValidationFraction)..];
        if (validation == null && options.ValidationFraction > 0 && held.Count == 0)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.ValidationFraction)} {options.ValidationFraction} of {poems.Count} poems leaves none for validation; at least one is needed."));
        if (validation == null)
            poems = poems[..^held.Count];
        var training = new QuatrainBatches(poems, options.BatchSize, Seed, options.ContextDropout, device, isMixed: true, options.NeedsChecksum, Distributed.ShareOf(options.Distributed));
        return new TrainingData<QuatrainBatch>(training, held.Count == 0 ? null : new QuatrainBatches(held, options.BatchSize, Seed, 0, device, isMixed: false, options.NeedsChecksum, Share.Whole), head: null);
    }

    private protected override TrainingStep<QuatrainBatch> CreateStep(TrainedNetwork network, TrainingData<QuatrainBatch> data) => new QuatrainLineStep(network);

    private protected override bool ReadsAgain(IDataView input) => true;

    private List<QuatrainTokens> Read(IDataView data, QuatrainVocabulary vocabulary, string name, TrainingSession session)
    {
        var counts = new DataCounts();
        var (text, about) = (data.Schema[options.TextColumnName], data.Schema[options.ContextColumnName!]);
        using var cursor = data.GetRowCursor([text, about]);
        var (getText, getAbout) = (cursor.GetGetter<ReadOnlyMemory<char>>(text), cursor.GetGetter<ReadOnlyMemory<char>>(about));
        ReadOnlyMemory<char> poem = default, title = default;
        var poems = new List<QuatrainTokens>();
        while (cursor.MoveNext())
        {
            session.ThrowIfCancelled();
            getText(ref poem);
            getAbout(ref title);
            var tokens = QuatrainTokens.Of(QuatrainVocabulary.About(title.Span), QuatrainText.Lines(poem.Span), vocabulary);
            counts.Add(DataCounts.Tokens, tokens.Characters.Length);
            counts.Add(DataCounts.UnknownTokens, tokens.Characters.Count(token => token == vocabulary.Tokenizer.UnknownId));
            poems.Add(tokens);
        }
        session.Report(counts, name, TokenNotes.UnknownShare(counts, name) is { } note ? [note] : []);
        return poems;
    }
}

/// <summary>Poems of one length.</summary>
/// <param name="rowCount">The number of characters.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch.</param>
/// <param name="rows">The poems, as the network reads them.</param>
/// <param name="lineLength">The number of characters of a line.</param>
internal sealed class QuatrainBatch(int rowCount, double epochFraction, Tensor rows, int lineLength) : Batch(rowCount, epochFraction)
{
    public Tensor Rows => rows;

    /// <summary>The characters, one after the other.</summary>
    public Tensor Targets => rows.narrow(1, 1, QuatrainPattern.Lines * lineLength).reshape(-1);

    public override void Dispose() => rows.Dispose();
}

/// <summary>Batches of poems of one length each, in another order in each epoch.</summary>
internal sealed class QuatrainBatches(List<QuatrainTokens> poems, int batchSize, int seed, double titleDropout, Device device, bool isMixed, bool isKept, Share share) : IBatchSource<QuatrainBatch>
{
    public long RowCount { get; } = poems.Sum(poem => (long)poem.Characters.Length);

    public int BatchCount { get; } = poems.GroupBy(poem => poem.LineLength).Sum(form => (form.Count() / batchSize) + (form.Count() % batchSize >= share.Count ? 1 : 0));

    public Share Share => share;

    public string? Checksum { get; } = isKept ? ChecksumOf(poems) : null;

    private static string ChecksumOf(List<QuatrainTokens> poems)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var poem in poems)
        {
            foreach (var part in new[] { poem.About, poem.Characters })
            {
                hash.AppendData(BitConverter.GetBytes(part.Length));
                hash.AppendData(MemoryMarshal.AsBytes(part.AsSpan()));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public IEnumerable<QuatrainBatch> ReadEpoch(int epoch)
    {
        var order = Enumerable.Range(0, poems.Count).ToArray();
        var titles = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.ContextDropout, epoch));
        if (isMixed)
            new SplitMix64(SeedSequence.Derive(seed, SeedSequence.Shuffle, epoch)).Shuffle(order);
        var batches = order.GroupBy(poem => poems[poem].LineLength).OrderBy(form => form.Key).SelectMany(form => form.Chunk(batchSize)).Where(batch => batch.Length >= share.Count).ToArray();
        var places = Enumerable.Range(0, batches.Length).ToArray();
        if (isMixed)
            new SplitMix64(SeedSequence.Derive(seed, SeedSequence.BatchOrder, epoch)).Shuffle(places);
        var read = 0L;
        foreach (var place in places)
        {
            var whole = batches[place].Select(poem => titleDropout > 0 && titles.NextDouble() < titleDropout ? poems[poem] with { About = [] } : poems[poem]).ToArray();
            var batch = share.Of(whole.AsSpan(0, whole.Length - (whole.Length % share.Count))).ToArray();
            var count = batch.Sum(poem => poem.Characters.Length);
            yield return new QuatrainBatch(count, (double)read / RowCount, LineQuatrainNetwork.RowsOf(batch, device).DetachFromDisposeScope(), batch[0].LineLength);
            read += whole.Sum(poem => poem.Characters.Length);
        }
    }
}

/// <summary>The training step: the mean cross entropy per character.</summary>
internal sealed class QuatrainLineStep(TrainedNetwork network) : PredictionStep<QuatrainBatch>(network)
{
    protected override Tensor InputsOf(QuatrainBatch batch) => batch.Rows;

    protected override Tensor Loss(Tensor outputs, QuatrainBatch batch) => nn.functional.cross_entropy(outputs, batch.Targets);

    protected override void Measure(Tensor outputs, QuatrainBatch batch, MetricSums metrics)
    {
        using var noGradient = no_grad();
        metrics.Add("perplexity", Loss(outputs, batch).item<float>() * (double)batch.RowCount, MetricMean.Exponential);
    }
}
