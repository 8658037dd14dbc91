using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Quatrains;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Onnx;
using MLExtensions.Persistence;
using MLExtensions.Text;

[assembly: LoadableClass(typeof(QuatrainTransformer), typeof(QuatrainTransformer), null, typeof(SignatureLoadModel), "", QuatrainTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>The columns that a poem is made from.</summary>
internal sealed record QuatrainInputs(string About, string? Acrostic, string? Pattern, string? RhymeGroup, string? Seed)
{
    public IEnumerable<string> Texts => new[] { Acrostic, Pattern, RhymeGroup }.OfType<string>();
}

/// <summary>Writes a Chinese quatrain for each row: about its keywords, with an acrostic, a pattern and a rhyme if the row asks for them.</summary>
/// <remarks>
/// <para>Adds two columns:</para>
/// <list type="bullet">
/// <item><term><see cref="OutputColumnName"/>, <c>Text</c></term><description>The poem with punctuation.</description></item>
/// <item><term><see cref="OutputColumnName"/> + <c>LogProbability</c>, <c>Single</c></term><description>The natural logarithm of the
/// probability that the network gives its characters, without the rules.</description></item>
/// </list>
/// <para>
/// The same row gives the same poem, wherever it is; rows that differ in nothing but their seed give different ones. Poems are written when
/// they are read, again in every pass over the rows, so cache the rows if they are needed more than once. One transformer can be used by
/// several threads.
/// </para>
/// </remarks>
public sealed class QuatrainTransformer : NetworkColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtQuatrains";
    private const string ModelSignature = "MLEXTQTR";
    private const string ModelFolder = "LanguageModel";
    private const string NetworkFolder = "Network";
    private const string OptionsFile = "generation.json";
    private const string LinesEntry = "training-lines.bin";
    private const int MaximumLineBytes = 1 << 28;

    private readonly bool _ownsModel;
    private readonly QuatrainInputs _inputs;
    private readonly string _poemColumnName;
    private readonly IReadOnlySet<ulong> _trainingLines;
    private readonly QuatrainVocabulary _vocabulary;
    private readonly QuatrainNetwork _network;

    internal QuatrainTransformer(IHostEnvironment env, QuatrainNetwork network, RhymeTable table, IReadOnlySet<ulong> trainingLines, QuatrainInputs inputs, string poemColumnName, string outputColumnName, QuatrainOptions options, bool ownsModel)
        : base(env.Register(LoaderSignature), inputs.About, [network.Model], owned: false)
    {
        (_ownsModel, _inputs, _trainingLines, _poemColumnName) = (ownsModel, inputs, trainingLines, poemColumnName);
        (_network, RhymeTable, OutputColumnName) = (network, table, outputColumnName);
        if (ownsModel)
            network.Model.Weights.Owner = nameof(QuatrainTransformer);
        Options = options with { Seed = options.Seed ?? ((IHostEnvironmentInternal)Host).Seed ?? Random.Shared.Next() };
        _vocabulary = new QuatrainVocabulary(network.Tokenizer, table);
    }

    /// <summary>
    /// The language model; null if the network writes line by line. It is disposed together with the transformer that <c>Fit</c> returned or
    /// that was loaded.
    /// </summary>
    public LanguageModelTransformer? LanguageModel => (_network as PlainQuatrainNetwork)?.LanguageModel;

    /// <summary>The trained network. It is disposed together with the transformer that <c>Fit</c> returned or that was loaded.</summary>
    public NetworkModelParameters Model => _network.Model;

    /// <summary>The tones and rhymes of characters.</summary>
    public RhymeTable RhymeTable { get; }

    /// <summary>The column that is added for the poem.</summary>
    public string OutputColumnName { get; }

    /// <summary>How poems are written. The seed is set.</summary>
    public QuatrainOptions Options { get; }

    /// <summary>The training history: metrics per epoch. The perplexity counts the marks of form and lines as tokens; see <see cref="Evaluate"/>.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns =>
        [new(OutputColumnName, TextDataViewType.Instance), new(OutputColumnName + "LogProbability", NumberDataViewType.Single)];

    /// <summary>Returns a transformer that writes in another way with the same network, which this one still owns.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public QuatrainTransformer WithOptions(QuatrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return new QuatrainTransformer(Host, _network, RhymeTable, _trainingLines, _inputs, _poemColumnName, OutputColumnName, options, ownsModel: false);
    }

    /// <summary>Writes one poem.</summary>
    /// <param name="about">What it is about: keywords or a title; may be empty.</param>
    /// <param name="acrostic">The first characters of its four lines; empty for none.</param>
    /// <param name="pattern">One of the eight patterns, such as <c>7A'</c>; 5 or 7 for any of that length; empty for any of the usual length.</param>
    /// <param name="rhymeGroup">A rhyme group of the level tone, such as 東; empty for any.</param>
    /// <param name="seed">Makes another poem of the same wishes.</param>
    /// <exception cref="FormatException">A wish cannot be fulfilled; the message says which and what would do.</exception>
    public string Write(string about = "", string acrostic = "", string pattern = "", string rhymeGroup = "", long seed = 0)
    {
        using var lease = Lease();
        return Write(CreateWriter(), QuatrainPlace.Alone, about, acrostic, pattern, rhymeGroup, seed).ToString();
    }

    /// <summary>
    /// Measures how well the network knows the characters of quatrains. Their form is given, and the marks between lines, which are all but
    /// certain, are not counted as characters; what of their probability is not 1 counts against the characters.
    /// </summary>
    /// <param name="poems">The poems, in the column of training.</param>
    /// <param name="withTitles">Whether the network reads what the poems are about before them. Default false.</param>
    /// <returns>The metrics; a token is a character.</returns>
    /// <exception cref="ArgumentException">A column is missing, or there is no quatrain.</exception>
    public LanguageModelMetrics Evaluate(IDataView poems, bool withTitles = false)
    {
        ArgumentNullException.ThrowIfNull(poems);
        using var lease = Lease();
        var poemColumn = TextColumn.Find(poems.Schema, _poemColumnName);
        var aboutColumn = withTitles ? TextColumn.Find(poems.Schema, InputColumnName) : default(DataViewSchema.Column?);
        var read = new List<(string About, List<int[]> Lines)>();
        using (var cursor = poems.GetRowCursor(aboutColumn is { } second ? [poemColumn, second] : [poemColumn]))
        {
            var getPoem = cursor.GetGetter<ReadOnlyMemory<char>>(poemColumn);
            var getAbout = aboutColumn is { } titles ? cursor.GetGetter<ReadOnlyMemory<char>>(titles) : null;
            ReadOnlyMemory<char> poem = default, about = default;
            while (cursor.MoveNext())
            {
                getPoem(ref poem);
                getAbout?.Invoke(ref about);
                var lines = QuatrainText.Lines(poem.Span);
                if (QuatrainText.IsQuatrain(lines))
                    read.Add((QuatrainVocabulary.About(about.Span), lines));
            }
        }
        if (read.Count == 0)
            throw new ArgumentException($"Column '{_poemColumnName}' has no quatrain; there is nothing to measure.", nameof(poems));
        return new LanguageModelMetrics(_network.Score(read, _vocabulary), read.Sum(poem => poem.Lines.Sum(line => (long)line.Length)), read.Count);
    }

    /// <summary>Frees the weights, unless they belong to another transformer.</summary>
    public override void Dispose()
    {
        if (_ownsModel)
            Model.Dispose();
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => TextColumn.Find(schema, InputColumnName);

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) =>
        [.. _inputs.Texts.Select(name => TextColumn.Find(schema, name)), .. _inputs.Seed is { } seed ? [SeedColumn.Find(schema, seed)] : Array.Empty<DataViewSchema.Column>()];

    private protected override IDataView ReadAhead(IDataView input) => input;

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        disposer = null;
        var getAbout = row.GetGetter<ReadOnlyMemory<char>>(input);
        var (getAcrostic, getPattern, getRhyme) = (Text(_inputs.Acrostic), Text(_inputs.Pattern), Text(_inputs.RhymeGroup));
        var getSeed = _inputs.Seed is { } seedName ? SeedColumn.Open(row, SeedColumn.Find(row.Schema, seedName)) : () => 0;
        var writer = CreateWriter();
        var position = -1L;
        ReadOnlyMemory<char> about = default, acrostic = default, pattern = default, rhyme = default;
        WrittenQuatrain? written = null;
        ValueGetter<ReadOnlyMemory<char>> getPoem = (ref ReadOnlyMemory<char> destination) => destination = Current().ToString().AsMemory();
        ValueGetter<float> getProbability = (ref float destination) => destination = (float)Current().LogProbability;
        return [getPoem, getProbability];

        ValueGetter<ReadOnlyMemory<char>>? Text(string? name) => name == null ? null : row.GetGetter<ReadOnlyMemory<char>>(TextColumn.Find(row.Schema, name));

        WrittenQuatrain Current()
        {
            if (written != null && position == row.Position && position >= 0)
                return written;
            using var lease = Lease();
            getAbout(ref about);
            getAcrostic?.Invoke(ref acrostic);
            getPattern?.Invoke(ref pattern);
            getRhyme?.Invoke(ref rhyme);
            written = Write(writer, QuatrainPlace.Of(RowName.Of(row.Position), _inputs), about.Span, acrostic.Span, pattern.Span, rhyme.Span, getSeed());
            position = row.Position;
            return written;
        }
    }

    private QuatrainWriter CreateWriter() => new(_network, _vocabulary, _trainingLines, Options);

    private WrittenQuatrain Write(QuatrainWriter writer, QuatrainPlace where, ReadOnlySpan<char> about, ReadOnlySpan<char> acrostic, ReadOnlySpan<char> pattern, ReadOnlySpan<char> rhymeGroup, long seed)
    {
        var request = QuatrainRequest.Create(where, about, acrostic, pattern, rhymeGroup, Options, RhymeTable, SeedOf($"{about}|{acrostic}|{pattern}|{rhymeGroup}", seed));
        return writer.Write(request, where);
    }

    /// <summary>A seed that is the same for the same wishes in any row and process.</summary>
    private ulong SeedOf(string wishes, long seed)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(string.Create(CultureInfo.InvariantCulture, $"{wishes}|{seed}").AsSpan()), hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash) ^ SeedSequence.Derive(Options.Seed!.Value, SeedSequence.Quatrains);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("it writes character after character, each from what it wrote before");

    private protected override VersionInfo CreateVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(_poemColumnName);
        ctx.SaveNonEmptyString(_inputs.About);
        foreach (var name in new[] { _inputs.Acrostic, _inputs.Pattern, _inputs.RhymeGroup, _inputs.Seed })
            ctx.SaveStringOrNull(name);
        OptionsEntry.Save(ctx, OptionsFile, Options);
        RhymeTableStorage.Save(ctx, RhymeTable);
        var lines = _trainingLines.Order().ToArray();
        ctx.SaveBinaryStream(LinesEntry, writer =>
        {
            foreach (var line in lines)
                writer.Write(line);
        });
        ctx.Writer.Write(LanguageModel == null ? (byte)1 : (byte)0);
        if (LanguageModel is { } model)
            ctx.SaveModel(model, ModelFolder);
        else
            ctx.SaveModel(Model, NetworkFolder);
    }

    internal static QuatrainTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        var (output, poem) = (ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        var inputs = new QuatrainInputs(ctx.LoadNonEmptyString(), ctx.LoadStringOrNull(), ctx.LoadStringOrNull(), ctx.LoadStringOrNull(), ctx.LoadStringOrNull());
        var options = OptionsEntry.Load<QuatrainOptions>(ctx, OptionsFile, "options of quatrains", read => read.Check());
        var table = RhymeTableStorage.Load(ctx);
        var bytes = ModelEntry.Read(ctx, LinesEntry, MaximumLineBytes);
        if (bytes.Length % sizeof(ulong) != 0)
            throw new ModelFormatException(LinesEntry, "is damaged: it is no list of numbers");
        var lines = new HashSet<ulong>(bytes.Length / sizeof(ulong));
        for (var at = 0; at < bytes.Length; at += sizeof(ulong))
            lines.Add(BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at)));
        if (ctx.Reader.ReadByte() == 0)
        {
            ctx.LoadModel<LanguageModelTransformer, SignatureLoadModel>(env, out var model, ModelFolder);
            return Create(new PlainQuatrainNetwork(model));
        }
        return Create(new LineQuatrainNetwork(ctx.LoadNetwork(env, NetworkFolder, "a network that writes line by line", network => network.Architecture is QuatrainLineArchitecture)));

        QuatrainTransformer Create(QuatrainNetwork network) => new(env, network, table, lines, inputs, poem, output, options, ownsModel: true);
    }
}

/// <summary>The column of seeds.</summary>
internal static class SeedColumn
{
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name) ?? throw new ArgumentException($"Seed column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.");
        return column.Type == NumberDataViewType.Int32 || column.Type == NumberDataViewType.Int64
            ? column
            : throw new ArgumentException($"Seed column '{name}' has type {column.Type}; it must be Int32 or Int64.");
    }

    public static Func<long> Open(DataViewRow row, DataViewSchema.Column column)
    {
        var (small, large) = (0, 0L);
        if (column.Type == NumberDataViewType.Int32)
        {
            var getter = row.GetGetter<int>(column);
            return () =>
            {
                getter(ref small);
                return small;
            };
        }
        var longGetter = row.GetGetter<long>(column);
        return () =>
        {
            longGetter(ref large);
            return large;
        };
    }
}
