using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Text;

[assembly: LoadableClass(typeof(LanguageModelTransformer), typeof(LanguageModelTransformer), null, typeof(SignatureLoadModel), "", LanguageModelTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained language model: computes the probability of text and generates text.</summary>
/// <remarks>
/// <para>Adds three columns to data with the text column:</para>
/// <list type="bullet">
/// <item><term><c>LogProbability</c>, <c>Single</c></term><description>The natural logarithm of the probability of the row's tokens,
/// including its end.</description></item>
/// <item><term><c>Tokens</c>, <c>Int32</c></term><description>The number of these tokens: at least 1, even if the text is empty or
/// missing.</description></item>
/// <item><term><c>Perplexity</c>, <c>Single</c></term><description>exp(-LogProbability / Tokens): the average number of equally likely
/// tokens that the model hesitates between.</description></item>
/// </list>
/// <para>
/// Each row is scored independently, as if it followed the end of an unknown row, so the result does not depend on the order of rows. One
/// transformer can be used by several threads.
/// </para>
/// </remarks>
public sealed class LanguageModelTransformer : NetworkColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtLanguageModel";
    private const string ModelSignature = "MLEXTLAM";
    private const string NetworkFolder = "Network";

    private bool _isToldOfUnknown;

    internal LanguageModelTransformer(IHostEnvironment env, NetworkModelParameters model, string textColumnName, string? contextColumnName = null)
        : base(env.Register(LoaderSignature), textColumnName, [model])
    {
        ContextColumnName = contextColumnName;
        Model = model;
        Sequences = new SequenceScorer(model);
        Generator = new TextGenerator(model);
    }

    /// <summary>The column of what is read before each row and not predicted; null if there is none.</summary>
    public string? ContextColumnName { get; }

    /// <summary>The trained network with its tokenizer. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    /// <summary>What makes tokens of text.</summary>
    public TextTokenizer Tokenizer => Architecture.Tokenizer;

    internal LanguageModelArchitecture Architecture => (LanguageModelArchitecture)Model.Architecture;

    internal LanguageModelNetwork Network => (LanguageModelNetwork)Model.Network;

    internal SequenceScorer Sequences { get; }

    internal TextGenerator Generator { get; }

    IInitialWeights INetworkHolder.InitialWeights => Model;


    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns => LanguageModelColumns.All;

    /// <summary>Generates text after a prompt, piece by piece; each piece is generated when it is requested.</summary>
    /// <remarks>
    /// The model reads the prompt as the beginning of a row. It keeps its state, so each token costs one time step, however long the text
    /// is. Each enumeration starts again: with a seed it gives the same text, without a seed another one. To stop, stop enumerating.
    /// What of the prompt is not in the vocabulary is counted in a warning in the log.
    /// </remarks>
    /// <param name="prompt">The beginning of the text, which is not part of the output; may be empty.</param>
    /// <param name="options">How text is generated. Null: the defaults.</param>
    /// <returns>The pieces of the text, usually one token each.</returns>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <exception cref="FormatException">Something in the prompt is not in the vocabulary; the message shows it.</exception>
    /// <exception cref="ObjectDisposedException">The transformer was disposed, now or while the text was being generated.</exception>
    public IEnumerable<string> Generate(string prompt, GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        options.Check();
        using var lease = Lease();
        var ids = Tokenizer.Encode(prompt);
        var unknown = new UnknownTokens(Tokenizer);
        unknown.Add(ids);
        unknown.Warn(Host, "the prompt");
        return Generator.Write(ids, options, options.Seed);
    }

    /// <summary>Generates text after a prompt, as one string.</summary>
    /// <returns>The text, without the prompt.</returns>
    /// <inheritdoc cref="Generate"/>
    public string GenerateText(string prompt, GenerationOptions? options = null) => string.Concat(Generate(prompt, options));

    internal static LanguageModelTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var textColumnName = ctx.LoadNonEmptyString();
        var contextColumnName = ctx.Header.ModelVerWritten >= ModelVersion.Second ? ctx.LoadStringOrNull() : null;
        var model = ctx.LoadNetwork(env, NetworkFolder, "a language model", network => network is { Architecture: LanguageModelArchitecture, Head: null });
        return new LanguageModelTransformer(env, model, textColumnName, contextColumnName);
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => TextColumn.Find(schema, InputColumnName);

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) =>
        ContextColumnName is { } context ? [TextColumn.Find(schema, context)] : [];

    private protected override IDataView ReadAhead(IDataView input) => LookAheadDataView.OfText(input, InputColumnName);

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        var unknown = new UnknownTokens(Tokenizer);
        disposer = () => WarnOnce(unknown, input.Name);
        var scorer = new TextScorer(Tokenizer, Sequences, input.Name, unknown);
        var inputs = ContextColumnName is { } name ? new[] { input, TextColumn.Find(row.Schema, name) } : [input];
        return LanguageModelColumns.CreateGetters(TextResults<TextScore>.Create(row, inputs, (texts, first, scores) => scorer.Score(texts[0].Span, first, scores, texts.Count == 1 ? default : texts[1].Span)));
    }

    /// <summary>Tells of the first rows with unknown tokens; the rows of a request would otherwise fill the log.</summary>
    private void WarnOnce(UnknownTokens unknown, string column)
    {
        if (unknown.Any && !Interlocked.Exchange(ref _isToldOfUnknown, true))
            unknown.Warn(Host, $"the texts in column '{column}'");
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveStringOrNull(ContextColumnName);
        ctx.SaveModel(Model, NetworkFolder);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("ONNX has no operator for its tokenizer");

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    /// <summary>Since the second version there can be a context.</summary>
    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature, ModelVersion.Second);
}
