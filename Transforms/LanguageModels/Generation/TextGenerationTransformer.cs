using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.LanguageModels;
using MLExtensions.Text;

[assembly: LoadableClass(typeof(TextGenerationTransformer), typeof(TextGenerationTransformer), null, typeof(SignatureLoadModel), "", TextGenerationTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds a column of generated text: what a language model writes after each row's prompt.</summary>
/// <remarks>
/// Rows do not depend on their order: the same prompt gives the same text, in whatever row. Text is written when it is read, again in
/// every pass over the rows; cache the rows where it is needed more than once. One transformer can be used by several threads.
/// </remarks>
public sealed class TextGenerationTransformer : ITransformer, IDisposable
{
    internal const string LoaderSignature = "MLExtTextGeneration";
    private const string ModelSignature = "MLEXTTXG";
    private const string ModelFolder = "LanguageModel";

    private readonly IHost _host;
    private readonly bool _ownsModel;

    internal TextGenerationTransformer(IHostEnvironment env, LanguageModelTransformer model, string outputColumnName, string inputColumnName, GenerationOptions options, bool ownsModel)
    {
        _host = env.Register(LoaderSignature);
        _ownsModel = ownsModel;
        Model = model;
        OutputColumnName = outputColumnName;
        InputColumnName = inputColumnName;
        Options = options with { Seed = options.Seed ?? ((IHostEnvironmentInternal)_host).Seed ?? Random.Shared.Next() };
    }

    /// <summary>The language model. It is disposed with a transformer that was loaded, not with one that was made from it.</summary>
    public LanguageModelTransformer Model { get; }

    /// <summary>The column of text that is added.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of prompts.</summary>
    public string InputColumnName { get; }

    /// <summary>How text is written. The seed is set; each prompt's own is made of it and the prompt.</summary>
    public GenerationOptions Options { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>Adds the column of generated text.</summary>
    /// <param name="input">Data with the column of prompts.</param>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new RowToRowMapperTransform(_host, input, CreateMapper(input.Schema), CreateMapper);
    }

    /// <summary>The schema of what <see cref="Transform"/> makes of data with a schema.</summary>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return RowToRowMapperTransform.GetOutputSchema(inputSchema, CreateMapper(inputSchema));
    }

    /// <summary>Frees the weights of a model that was loaded.</summary>
    public void Dispose()
    {
        if (_ownsModel)
            Model.Dispose();
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        new RowToRowMapperTransform(_host, new EmptyDataView(_host, inputSchema), CreateMapper(inputSchema), CreateMapper);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(GetVersionInfo());
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        GenerationOptionsStorage.Save(ctx, Options);
        ctx.SaveModel(Model, ModelFolder);
    }

    internal static TextGenerationTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var outputColumnName = ctx.LoadNonEmptyString();
        var inputColumnName = ctx.LoadNonEmptyString();
        var options = GenerationOptionsStorage.Load(ctx);
        ctx.LoadModel<LanguageModelTransformer, SignatureLoadModel>(env, out var model, ModelFolder);
        return new TextGenerationTransformer(env, model, outputColumnName, inputColumnName, options, ownsModel: true);
    }

    private TextGenerationMapper CreateMapper(DataViewSchema schema) => new(this, TextColumn.Find(schema, InputColumnName));

    private static VersionInfo GetVersionInfo() => new(
        ModelSignature,
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(TextGenerationTransformer).Assembly.FullName,
        loaderSignature: LoaderSignature);
}
