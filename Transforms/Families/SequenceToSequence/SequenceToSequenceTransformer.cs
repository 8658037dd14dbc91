using MLExtensions;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Families.SequenceToSequence;
using MLExtensions.Models;
using MLExtensions.Onnx;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using MLExtensions.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(SequenceToSequenceTransformer), typeof(SequenceToSequenceTransformer), null, typeof(SignatureLoadModel), "", SequenceToSequenceTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained sequence-to-sequence network: writes a text for each source.</summary>
/// <remarks>
/// <para>Adds these columns to data with the source column, <c>Answer</c> being <see cref="OutputColumnName"/>:</para>
/// <list type="bullet">
/// <item><term><c>Answer</c>, <c>Text</c></term><description>What the network writes, as <see cref="Decoding"/> says.</description></item>
/// <item><term><c>AnswerLogProbability</c>, <c>Single</c></term><description>The natural logarithm of its probability, its end included; with
/// <see cref="DecodingOptions.AddLogProbabilities"/>.</description></item>
/// <item><term><c>AnswerCandidates</c> and <c>AnswerCandidateLogProbabilities</c>, vectors</term><description>All answers, best first, if
/// <see cref="DecodingOptions.NumberOfAnswers"/> is more than 1. Where there are fewer, the rest is empty, with NaN.</description></item>
/// <item><term><c>TargetLogProbability</c>, <c>Single</c>, and <c>TargetTokens</c>, <c>Int32</c></term><description>If the data has the target
/// column, named <c>Target</c> here: the natural logarithm of the probability of the target after its source, and the number of its tokens, its end
/// included in both. Nothing of a target is cut.</description></item>
/// </list>
/// <para>
/// Rows are independent: the same source gives the same answer in any row. The rows of a block are answered together. Answers are written when they
/// are read, again in every pass over the rows, so cache the rows if they are needed more than once. One transformer can be used by several
/// threads.
/// </para>
/// </remarks>
public sealed class SequenceToSequenceTransformer : NetworkColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtSeqToSeq";
    private const string ModelSignature = "MLEXTS2S";
    private const string NetworkFolder = "Network";
    private const string OptionsFile = "decoding.json";

    private bool _isToldOfUnknown;
    private bool _isToldOfCut;

    internal SequenceToSequenceTransformer(IHostEnvironment env, NetworkModelParameters model, string sourceColumnName, string targetColumnName, string outputColumnName, DecodingOptions decoding, bool owned)
        : base(env.Register(LoaderSignature), sourceColumnName, [model], owned)
    {
        Model = model;
        TargetColumnName = targetColumnName;
        OutputColumnName = outputColumnName;
        decoding.Check(Architecture);
        Decoding = decoding.Draws ? decoding with { Seed = decoding.Seed ?? ((IHostEnvironmentInternal)Host).Seed ?? Random.Shared.Next() } : decoding;
        Writer = new AnswerWriter(model);
    }

    /// <summary>The trained network with its tokenizers. The transformer owns it, unless it comes from <see cref="With"/>.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    /// <summary>The column of targets, of which the probability is computed if the data has it.</summary>
    public string TargetColumnName { get; }

    /// <summary>The added column of answers.</summary>
    public string OutputColumnName { get; }

    /// <summary>How answers are written. If they are drawn the seed is set; that of each source is derived from it and the source.</summary>
    public DecodingOptions Decoding { get; }

    /// <summary>What makes tokens of sources.</summary>
    public TextTokenizer SourceTokenizer => Architecture.SourceTokenizer;

    /// <summary>What makes texts of written tokens; that of sources if both share a vocabulary.</summary>
    public TextTokenizer OutputTokenizer => Architecture.OutputTokenizer;

    internal SequenceToSequenceArchitecture Architecture => (SequenceToSequenceArchitecture)Model.Architecture;

    internal AnswerWriter Writer { get; }

    IInitialWeights INetworkHolder.InitialWeights => Model;

    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns => SequenceToSequenceColumns.Of(OutputColumnName, null, Decoding);

    /// <summary>Returns a transformer that writes answers in another way, with the same network.</summary>
    /// <remarks>It can be saved by itself. This transformer still has to be disposed, after the last use of the other one.</remarks>
    /// <param name="decoding">How answers are written.</param>
    /// <param name="outputColumnName">The column of answers. Null: the same.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public SequenceToSequenceTransformer With(DecodingOptions decoding, string? outputColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(decoding);
        var output = outputColumnName ?? OutputColumnName;
        ArgumentException.ThrowIfNullOrWhiteSpace(output, nameof(outputColumnName));
        SequenceToSequenceColumns.Check(output, TargetColumnName, decoding);
        return new SequenceToSequenceTransformer(Host, Model, InputColumnName, TargetColumnName, output, decoding, owned: false);
    }

    /// <summary>Writes the best answer to a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="decoding">How it is written. Null: as <see cref="Decoding"/> says.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <exception cref="FormatException">Something in the source is not in the vocabulary, or it is too long; the message says so.</exception>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public string Answer(string source, DecodingOptions? decoding = null) => Answers(source, decoding)[0].Text;

    /// <summary>Writes answers to a source, best first.</summary>
    /// <returns>As many as <see cref="DecodingOptions.NumberOfAnswers"/>, or fewer if there are no more.</returns>
    /// <inheritdoc cref="Answer"/>
    public IReadOnlyList<SequenceAnswer> Answers(string source, DecodingOptions? decoding = null)
    {
        var (read, options) = Read(source, decoding);
        return Writer.Write([read], options, [SeedOf(read, options)])[0];
    }

    /// <summary>Writes an answer piece by piece; each piece is written when it is requested.</summary>
    /// <remarks>Greedy or drawn: a beam knows its best answer only at the end.</remarks>
    /// <returns>The pieces of the answer, usually one token each.</returns>
    /// <inheritdoc cref="Answer"/>
    public IEnumerable<string> Generate(string source, DecodingOptions? decoding = null)
    {
        var (read, options) = Read(source, decoding);
        if (options.BeamWidth > 1)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.BeamWidth)} is {options.BeamWidth}; it must be 1, because a beam knows its best answer only at the end. {nameof(Answer)} returns it."), nameof(decoding));
        return Writer.Stream(read, options, SeedOf(read, options));
    }

    /// <summary>Returns how much each token of the answer looked at each token of the source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="answer">The answer. Null: the best one.</param>
    /// <exception cref="InvalidOperationException">The network has no attention.</exception>
    /// <exception cref="FormatException">Something in a text is not in the vocabulary, or the source is too long; the message says so.</exception>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public AttentionMap Attention(string source, string? answer = null)
    {
        if (Architecture.Attention == AttentionKind.None)
            throw new InvalidOperationException("The network has no attention; train one with Attention = Luong or Bahdanau.");
        var (read, _) = Read(source, null);
        var target = Writer.Tokenizer.ReadTarget(answer ?? Answer(source), read, TargetColumnName, 0, isCut: false);
        return new AttentionMap(
            [.. read.Ids.Select(Architecture.SourceTokenizer.TokenOf)],
            [.. target.Select(token => Writer.TokenOf(token, read))],
            Writer.Attend(read, target));
    }

    internal static SequenceToSequenceTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var (source, target, output) = (ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        var decoding = OptionsEntry.Load<DecodingOptions>(ctx, OptionsFile, "decoding options", options => options.Check());
        var model = ctx.LoadNetwork(env, NetworkFolder, "a sequence-to-sequence network", network => network is { Architecture: SequenceToSequenceArchitecture, Head: null });
        return new SequenceToSequenceTransformer(env, model, source, target, output, decoding, owned: true);
    }

    private protected override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumnsFor(DataViewSchema schema) =>
        SequenceToSequenceColumns.Of(OutputColumnName, FindTarget(schema)?.Name, Decoding);

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => TokenColumn.Find(schema, InputColumnName);

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) => FindTarget(schema) is { } target ? [target] : [];

    private protected override IDataView ReadAhead(IDataView input) => LookAheadDataView.OfText(input, InputColumnName);

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        var (unknown, counts) = (new UnknownTokens(Architecture.SourceTokenizer), new DataCounts());
        disposer = () => WarnOnce(unknown, counts, input.Name);
        var target = FindTarget(row.Schema);
        var answers = TextResults<SequenceAnswer[]>.Create(row, [input], (texts, first, results) => Write(texts[0], first, input.Name, unknown, counts, results));
        // Sources that are read for both are counted once.
        var other = active.Any(place => place < AddedColumns.Count) ? null : counts;
        var targets = target is { } column
            ? TextResults<(double, int)>.Create(row, [input, column], (texts, first, results) => Score(texts, first, input.Name, other, results))
            : null;
        return SequenceToSequenceColumns.CreateGetters(AddedColumnsFor(row.Schema), targets != null, answers.Current, () => targets!.Current());
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveNonEmptyString(TargetColumnName);
        ctx.SaveNonEmptyString(OutputColumnName);
        OptionsEntry.Save(ctx, OptionsFile, Decoding);
        ctx.SaveModel(Model, NetworkFolder);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("it writes token after token, each from what it wrote before, and ONNX has no operator for its tokenizer");

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private void Write(ReadOnlyMemory<ReadOnlyMemory<char>> texts, long firstRow, string column, UnknownTokens unknown, DataCounts counts, Span<SequenceAnswer[]> results)
    {
        var sources = new SourceTokens[texts.Length];
        for (var i = 0; i < sources.Length; i++)
        {
            sources[i] = ReadSource(texts.Span[i].Span, column, firstRow + i, counts);
            if (!Architecture.CopiesWords)
                unknown.Add(sources[i].Ids);
        }
        Writer.Write(sources, Decoding, Array.ConvertAll(sources, source => SeedOf(source, Decoding))).CopyTo(results);
    }

    private void Score(IReadOnlyList<ReadOnlyMemory<ReadOnlyMemory<char>>> texts, long firstRow, string column, DataCounts? counts, Span<(double, int)> results)
    {
        var sources = new SourceTokens[texts[0].Length];
        var targets = new int[sources.Length][];
        for (var i = 0; i < sources.Length; i++)
        {
            sources[i] = ReadSource(texts[0].Span[i].Span, column, firstRow + i, counts);
            targets[i] = Writer.Tokenizer.ReadTarget(texts[1].Span[i].Span, sources[i], TargetColumnName, firstRow + i, isCut: false);
        }
        var sums = Writer.Score(sources, targets);
        for (var i = 0; i < sums.Length; i++)
            results[i] = (sums[i], targets[i].Length);
    }

    private DataViewSchema.Column? FindTarget(DataViewSchema schema) =>
        schema.GetColumnOrNull(TargetColumnName) is { } column && TokenColumn.Takes(column.Type) ? column : null;

    private (SourceTokens Source, DecodingOptions Options) Read(string source, DecodingOptions? decoding)
    {
        ArgumentNullException.ThrowIfNull(source);
        decoding?.Check(Architecture);
        using var lease = Lease();
        var (unknown, counts) = (new UnknownTokens(Architecture.SourceTokenizer), new DataCounts());
        var read = ReadSource(source, InputColumnName, 0, counts);
        if (!Architecture.CopiesWords)
            unknown.Add(read.Ids);
        unknown.Warn(Host, "the source");
        WarnOfCut(counts, "that were asked for");
        return (read, decoding ?? Decoding);
    }

    private SourceTokens ReadSource(ReadOnlySpan<char> text, string column, long row, DataCounts? counts)
    {
        counts?.Add(DataCounts.Sequences, 1);
        return Writer.Tokenizer.ReadSource(text, column, row, counts);
    }

    private static int SeedOf(SourceTokens source, DecodingOptions options) => options.Draws ? AnswerWriter.SeedOf(source, options.Seed ?? Random.Shared.Next()) : 0;

    /// <summary>Tells of the first rows with unknown tokens or cut sources; the rows of a request would otherwise fill the log.</summary>
    private void WarnOnce(UnknownTokens unknown, DataCounts counts, string column)
    {
        if (unknown.Any && !Interlocked.Exchange(ref _isToldOfUnknown, true))
            unknown.Warn(Host, $"the sources in column '{column}'");
        if (counts[PairTokenizer.CutSources] > 0 && !Interlocked.Exchange(ref _isToldOfCut, true))
            WarnOfCut(counts, $"in column '{column}'");
    }

    private void WarnOfCut(DataCounts counts, string sources)
    {
        if (Writer.Tokenizer.CutNote(counts, sources) is not { } note)
            return;
        using var channel = Host.Start("Text");
        channel.Warning("{0}", note.Text);
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);
}
