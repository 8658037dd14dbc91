using MLExtensions.Onnx;
using MLExtensions.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Gan;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(InpaintingTransformer), typeof(InpaintingTransformer), null, typeof(SignatureLoadModel), "", InpaintingTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Fills the missing pixels of images with a trained GAN. Known pixels come back bit for bit.</summary>
/// <remarks>
/// <see cref="NetworkColumnsTransformer.Transform"/> is lazy and slow: every pass over the rows searches again. Vectors can be cached
/// (<c>AppendCacheCheckpoint</c>, <c>Cache</c>) if they are read more than once; ML.NET cannot cache images, so save them and go on from the files. Rows are processed one after the other, and a row's result does not depend on the others. One transformer can be
/// used by several threads. Images of color that a GAN of one channel fills come back gray.
/// </remarks>
public sealed class InpaintingTransformer : NetworkColumnsTransformer
{
    internal const string LoaderSignature = "MLExtInpainting";
    private const string ModelSignature = "MLEXTINP";

    private readonly InpaintingSettings _settings;
    private readonly GeneratorArchitecture _architecture;
    private readonly InpaintingFormat _format;
    private readonly IReadOnlyList<InpaintingOutput> _outputs;
    private readonly OutputColumn[] _columns;

    internal InpaintingTransformer(IHostEnvironment env, NetworkModelParameters generator, NetworkModelParameters discriminator, InpaintingSettings settings, bool owned)
        : base(env.Register(LoaderSignature), settings.Options.ImageColumnName, [generator, discriminator], owned)
    {
        _settings = settings;
        (Generator, Discriminator) = (generator, discriminator);
        _architecture = (GeneratorArchitecture)generator.Architecture;
        _format = new InpaintingFormat(_architecture, settings, settings.Options.MadeMask(_architecture.Image!));
        _outputs = InpaintingOutputs.Of(settings, _architecture);
        _columns = _outputs.Select(output => output.Column).ToArray();
    }

    /// <summary>The column of the images without holes.</summary>
    public string OutputColumnName => _settings.Options.OutputColumnName;

    /// <summary>The column of the masks; null if the mask is made.</summary>
    public string? MaskColumnName => _settings.Options.MaskColumnName;

    /// <summary>The generator.</summary>
    public NetworkModelParameters Generator { get; }

    /// <summary>The discriminator.</summary>
    public NetworkModelParameters Discriminator { get; }

    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns =>
        _outputs.Select(output => new DataViewSchema.DetachedColumn(output.Column.Name, output.Column.Type, output.Annotations)).ToArray();

    internal static InpaintingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var settings = InpaintingSettings.Load(ctx);
        var (generator, discriminator) = ctx.LoadGan(env, "a generator of images", settings.Fits);
        return new InpaintingTransformer(env, generator, discriminator, settings, owned: true);
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        _format.Check(schema);
        return schema[InputColumnName];
    }

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) =>
        new[] { _settings.Options.MaskColumnName, _settings.Options.LabelColumnName }.OfType<string>().Select(name => schema[name]).ToArray();

    /// <summary>Rows are not read ahead: each takes long, and who takes one is not to wait for others.</summary>
    private protected override IDataView ReadAhead(IDataView input) => input;

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer) =>
        ScoreSource.CreateGetters(row, input, new Scorer(this, active), _columns, active, out disposer);

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        _settings.Save(ctx);
        ctx.SaveGan(Generator, Discriminator);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("it searches the noise of each row with gradients, which a graph does not have");

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    /// <summary>Fills holes, row by row.</summary>
    private sealed class Scorer(InpaintingTransformer transformer, int[] active) : IBlockScorer
    {
        private readonly InpaintingOutput[] _active = active.Select(index => transformer._outputs[index]).ToArray();
        private readonly LatentSearch _search = new(transformer._settings.Options, transformer.Generator, transformer.Discriminator);

        public FeatureFormat Format { get; } = transformer._format;

        public int OutputCount { get; } = active.Sum(index => transformer._columns[index].Width);

        public IBlockScoring Open(FeatureBlock block, float[] scores) => new Scoring(this, block, scores);

        private void Score(FeatureBlock block, int rows, float[] scores)
        {
            using var lease = transformer.Lease();
            using var scope = NewDisposeScope();
            for (var row = 0; row < rows; row++)
                Score(block.Row(row), scores.AsSpan(row * OutputCount, OutputCount));
        }

        private void Score(ReadOnlySpan<float> row, Span<float> scores)
        {
            var format = transformer._format;
            var image = row[..format.Values];
            var missing = row.Slice(format.Values, format.Pixels);
            var label = row[(format.Values + format.Pixels)..];
            var known = new float[missing.Length];
            for (var i = 0; i < known.Length; i++)
                known[i] = 1 - missing[i];
            var mask = InpaintingMask.Of(format.Image.Height, format.Image.Width, known);
            var needed = _active.Any(output => output.NeedsSearch || (output.IsImage && mask.NumberOfMissing > 0));
            var candidates = needed ? _search.Find(image, mask, label.IsEmpty ? null : label.IndexOf(1f)) : [];
            var context = new InpaintedRow(image.ToArray(), missing.ToArray(), mask, candidates, transformer._settings.Options, transformer._architecture);
            foreach (var output in _active)
            {
                output.Write(context, scores[..output.Column.Width]);
                scores = scores[output.Column.Width..];
            }
        }

        private sealed class Scoring(Scorer scorer, FeatureBlock block, float[] scores) : IBlockScoring
        {
            public void Score(int rows) => scorer.Score(block, rows, scores);

            public void Dispose()
            {
            }
        }
    }
}
