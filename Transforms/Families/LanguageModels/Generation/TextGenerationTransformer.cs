using MLExtensions.Onnx;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Text;

[assembly: LoadableClass(typeof(TextGenerationTransformer), typeof(TextGenerationTransformer), null, typeof(SignatureLoadModel), "", TextGenerationTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds a column of generated text that continues each row's prompt.</summary>
/// <remarks>
/// The result does not depend on the order of rows: the same prompt gives the same text in any row. Text is generated when it is read,
/// again in every pass over the rows, so cache the rows if it is needed more than once. One transformer can be used by several threads.
/// </remarks>
public sealed class TextGenerationTransformer : NetworkColumnsTransformer
{
    internal const string LoaderSignature = "MLExtTextGeneration";
    private const string ModelSignature = "MLEXTTXG";
    private const string ModelFolder = "LanguageModel";
    private const string OptionsFile = "generation.json";

    private readonly bool _ownsModel;
    private bool _isToldOfUnknown;

    internal TextGenerationTransformer(IHostEnvironment env, LanguageModelTransformer model, string outputColumnName, string inputColumnName, GenerationOptions options, bool ownsModel)
        : base(env.Register(LoaderSignature), inputColumnName, [model.Model], owned: false)
    {
        _ownsModel = ownsModel;
        Model = model;
        OutputColumnName = outputColumnName;
        Options = options with { Seed = options.Seed ?? ((IHostEnvironmentInternal)Host).Seed ?? Random.Shared.Next() };
    }

    /// <summary>
    /// The language model. It is disposed together with a loaded transformer, but not with a transformer that was created from it.
    /// </summary>
    public LanguageModelTransformer Model { get; }

    /// <summary>The added text column.</summary>
    public string OutputColumnName { get; }

    /// <summary>How text is generated. The seed is set; the seed of each prompt is derived from it and the prompt.</summary>
    public GenerationOptions Options { get; }


    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns => [new(OutputColumnName, TextDataViewType.Instance)];

    /// <summary>Frees the weights of a loaded model.</summary>
    public override void Dispose()
    {
        if (_ownsModel)
            Model.Dispose();
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => TextColumn.Find(schema, InputColumnName);

    private protected override IDataView ReadAhead(IDataView input) => input;

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        var unknown = new UnknownTokens(Model.Tokenizer);
        disposer = () =>
        {
            if (unknown.Any && !Interlocked.Exchange(ref _isToldOfUnknown, true))
                unknown.Warn(Host, $"the prompts in column '{input.Name}'");
        };
        var getPrompt = row.GetGetter<ReadOnlyMemory<char>>(input);
        ReadOnlyMemory<char> prompt = default;
        var ids = new List<int>();
        ValueGetter<ReadOnlyMemory<char>> getText = (ref ReadOnlyMemory<char> text) =>
        {
            getPrompt(ref prompt);
            ids.Clear();
            TextColumn.Encode(Model.Tokenizer, prompt.Span, ids, input.Name, row.Position);
            unknown.Add(ids);
            text = string.Concat(Model.Generator.Write(ids, Options, SeedOf(prompt.Span, Options.Seed!.Value))).AsMemory();
        };
        return [getText];
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("it writes token after token, each from what it wrote before");

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        OptionsEntry.Save(ctx, OptionsFile, Options);
        ctx.SaveModel(Model, ModelFolder);
    }

    internal static TextGenerationTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var outputColumnName = ctx.LoadNonEmptyString();
        var inputColumnName = ctx.LoadNonEmptyString();
        var options = OptionsEntry.Load<GenerationOptions>(ctx, OptionsFile, "generation options", read => read.Check());
        ctx.LoadModel<LanguageModelTransformer, SignatureLoadModel>(env, out var model, ModelFolder);
        return new TextGenerationTransformer(env, model, outputColumnName, inputColumnName, options, ownsModel: true);
    }

    /// <summary>Returns a seed that is the same for the same prompt in any row and process.</summary>
    private static int SeedOf(ReadOnlySpan<char> prompt, int seed)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(prompt), hash);
        return BinaryPrimitives.ReadInt32LittleEndian(hash) ^ seed;
    }

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);
}
