using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Heads;
using MLExtensions.LanguageModels;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Scoring;
using MLExtensions.Text;

[assembly: LoadableClass(typeof(LanguageModelTransformer), typeof(LanguageModelTransformer), null, typeof(SignatureLoadModel), "", LanguageModelTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained language model: says how probable text is, and writes text.</summary>
/// <remarks>
/// <para>Three columns are added to data with the column of text:</para>
/// <list type="bullet">
/// <item><term><c>LogProbability</c>, <c>Single</c></term><description>The natural logarithm of the probability of the row's tokens and its end.</description></item>
/// <item><term><c>Tokens</c>, <c>Int32</c></term><description>Their number, the end included: at least 1, also where the text is empty or missing.</description></item>
/// <item><term><c>Perplexity</c>, <c>Single</c></term><description>exp(-LogProbability / Tokens): how many equally likely tokens the model hesitates between.</description></item>
/// </list>
/// <para>
/// Each row is judged on its own, as if it followed the end of another row and nothing else were known: rows do not depend on
/// their order. One transformer can be used by several threads.
/// </para>
/// </remarks>
public sealed class LanguageModelTransformer : ITransformer, INetworkHolder, IDisposable
{
    internal const string LoaderSignature = "MLExtLanguageModel";
    private const string ModelSignature = "MLEXTLAM";
    private const string NetworkFolder = "Network";

    private readonly IHost _host;

    internal LanguageModelTransformer(IHostEnvironment env, NetworkModelParameters model, string textColumnName)
    {
        _host = env.Register(LoaderSignature);
        Model = model;
        TextColumnName = textColumnName;
        Sequences = new SequenceScorer(Architecture, Network);
        Generator = new TextGenerator(Architecture, Network);
    }

    /// <summary>The network, its tokenizer and its weights. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The column of text.</summary>
    public string TextColumnName { get; }

    /// <summary>What makes tokens of text.</summary>
    public TextTokenizer Tokenizer => Architecture.Tokenizer;

    internal LanguageModelArchitecture Architecture => (LanguageModelArchitecture)Model.Architecture;

    internal LanguageModelNetwork Network => (LanguageModelNetwork)Model.Network;

    internal SequenceScorer Sequences { get; }

    internal TextGenerator Generator { get; }

    IInitialWeights INetworkHolder.InitialWeights => Model;

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>Adds how probable each row of text is.</summary>
    /// <param name="input">Data with the column of text.</param>
    /// <returns>The data with the columns <c>LogProbability</c>, <c>Tokens</c> and <c>Perplexity</c>, computed when they are read.</returns>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var mapper = CreateMapper(input.Schema);
        var blocks = LookAheadDataView.OfText(input, TextColumnName);
        return new BatchScoredDataView(new RowToRowMapperTransform(_host, blocks, mapper, CreateMapper));
    }

    /// <summary>Writes what may follow a prompt, piece by piece, each when it is asked for.</summary>
    /// <remarks>
    /// The model reads the prompt as the beginning of a row. The network's state is kept, so that a token costs one step however long
    /// the text is. Each enumeration begins anew: with a seed it gives the same text, without one another. To stop, stop enumerating.
    /// </remarks>
    /// <param name="prompt">The beginning of the text, which is not part of the output; may be empty.</param>
    /// <param name="options">How to write; null for the defaults.</param>
    /// <returns>The text's pieces, mostly a token each.</returns>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <exception cref="FormatException">Something in the prompt is not in the vocabulary; the message shows it.</exception>
    public IEnumerable<string> Generate(string prompt, GenerationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        options.Check();
        return Generator.Write(Tokenizer.Encode(prompt), options, options.Seed);
    }

    /// <summary>Writes what may follow a prompt, as one text.</summary>
    /// <returns>The text, without the prompt.</returns>
    /// <inheritdoc cref="Generate"/>
    public string GenerateText(string prompt, GenerationOptions? options = null) => string.Concat(Generate(prompt, options));

    /// <summary>The schema of what <see cref="Transform"/> makes of data with a schema.</summary>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return RowToRowMapperTransform.GetOutputSchema(inputSchema, CreateMapper(inputSchema));
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => Model.Dispose();

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        new RowToRowMapperTransform(_host, new EmptyDataView(_host, inputSchema), CreateMapper(inputSchema), CreateMapper);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(GetVersionInfo());
        ctx.SaveNonEmptyString(TextColumnName);
        ctx.SaveModel(Model, NetworkFolder);
    }

    internal static LanguageModelTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var textColumnName = ctx.LoadNonEmptyString();
        ctx.LoadModel<NetworkModelParameters, SignatureLoadModel>(env, out var model, NetworkFolder);
        if (model is { Head: LanguageHead, Architecture: LanguageModelArchitecture })
            return new LanguageModelTransformer(env, model, textColumnName);
        model.Dispose();
        throw new ModelFormatException(NetworkFolder, $"is no language model: {model.Architecture.GetType().Name}, {model.Head.GetType().Name}");
    }

    private LanguageModelMapper CreateMapper(DataViewSchema schema)
    {
        var column = TextColumn.Find(schema, TextColumnName);
        return new LanguageModelMapper(this, column, new TextScorer(Tokenizer, Sequences, TextColumnName));
    }

    private static VersionInfo GetVersionInfo() => new(
        ModelSignature,
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(LanguageModelTransformer).Assembly.FullName,
        loaderSignature: LoaderSignature);
}
