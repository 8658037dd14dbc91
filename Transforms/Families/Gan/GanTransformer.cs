using MLExtensions.Onnx;
using System.Globalization;
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

[assembly: LoadableClass(typeof(GanTransformer), typeof(GanTransformer), null, typeof(SignatureLoadModel), "", GanTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// A trained generative adversarial network (GAN): adds a generated sample to each row. Holds the generator and the discriminator.
/// </summary>
/// <remarks>
/// The sample of a row comes from the noise in <see cref="NoiseColumnName"/>, or else from noise that is drawn from
/// <see cref="NoiseSeed"/> and the number in <see cref="SeedColumnName"/>, or else from <see cref="NoiseSeed"/> and the number of the row in
/// the data; and from the class in <see cref="LabelColumnName"/> if the generator is conditional. Other rows do not matter.
/// </remarks>
public sealed class GanTransformer : FeatureColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtGan";
    internal const string RowColumnName = "Row";
    private const string ModelSignature = "MLEXTGAN";

    private readonly GanColumns _columns;
    private readonly LatentFormat _format;

    internal GanTransformer(IHostEnvironment env, NetworkModelParameters generator, NetworkModelParameters discriminator, GanColumns columns)
        : this(env.Register(LoaderSignature), generator, discriminator, columns, owned: true)
    {
    }

    private GanTransformer(IHost host, NetworkModelParameters generator, NetworkModelParameters discriminator, GanColumns columns, bool owned)
        : base(host, columns.Latent.Names.FirstOrDefault() ?? "", owned, [generator, discriminator])
    {
        _columns = columns;
        Generator = generator;
        Discriminator = discriminator;
        Architecture = (GeneratorArchitecture)generator.Architecture;
        _format = new LatentFormat(Architecture, columns.Latent, columns.NoiseSeed, columns.ClassNames);
        Outputs = [columns.IsImage ? OutputColumn.Image(columns.Output, Image!.Channels, Image.Height, Image.Width)
            : Image == null ? OutputColumn.Vector(columns.Output, SampleSize)
            : OutputColumn.Vector(columns.Output, new VectorDataViewType(NumberDataViewType.Single, Image.Channels, Image.Height, Image.Width))];
    }

    /// <summary>The column of the samples.</summary>
    public string OutputColumnName => _columns.Output;

    /// <summary>The column with the noise, a <c>Vector&lt;Single&gt;</c> of the latent size; null if noise is drawn.</summary>
    public string? NoiseColumnName => _columns.Latent.Noise;

    /// <summary>The column with a whole number or key that the noise is drawn from; null if there is none.</summary>
    public string? SeedColumnName => _columns.Latent.Seed;

    /// <summary>The column with the class of the sample, a key; null if the generator is not conditional.</summary>
    public string? LabelColumnName => _columns.Latent.Label;

    /// <summary>The seed of the noise that is drawn.</summary>
    public int NoiseSeed => _columns.NoiseSeed;

    /// <summary>The names of the classes in key order; null if the generator is not conditional, or its keys have no names.</summary>
    public IReadOnlyList<string>? ClassNames => _columns.ClassNames;

    /// <summary>The generator with the history of the training. The transformer owns it.</summary>
    public NetworkModelParameters Generator { get; }

    /// <summary>The discriminator. The transformer owns it.</summary>
    public NetworkModelParameters Discriminator { get; }

    /// <summary>The layers and sizes of the generator.</summary>
    public GeneratorArchitecture Architecture { get; }

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Generator.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => new GanWeights(Generator, Discriminator, ClassNames);

    internal override FeatureFormat Format => _format;

    internal override IReadOnlyList<OutputColumn> Outputs { get; }

    internal override double MultiplyAdds => Architecture.MultiplyAdds;

    private protected override int PassRows => Architecture.ScoringRows;

    private ImageShape? Image => Architecture.Image;

    private int SampleSize => Architecture.OutputCount;

    /// <summary>Generates samples.</summary>
    /// <param name="count">The number of samples.</param>
    /// <param name="seed">The seed of their noise: the same seed gives the same samples. Null: <see cref="NoiseSeed"/>.</param>
    /// <param name="label">
    /// The class of all samples, by the value of its key, or by its number from 1 if keys have no names. Null: the classes one after the
    /// other.
    /// </param>
    /// <returns>
    /// Data with <see cref="OutputColumnName"/>, a column <c>Row</c> with the numbers from 0, and the class in <see cref="LabelColumnName"/>
    /// if the generator is conditional. Samples are computed when they are read.
    /// </returns>
    /// <exception cref="ArgumentException">The class is unknown, or there are no classes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1.</exception>
    public IDataView Generate(int count, int? seed = null, string? label = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var rows = new ArrayDataViewBuilder(Host);
        rows.AddColumn(RowColumnName, NumberDataViewType.Int64, Enumerable.Range(0, count).Select(row => (long)row).ToArray());
        var classes = Architecture.ClassCount;
        var only = label == null ? -1 : ClassOf(label);
        if (classes > 0)
            AddLabels(rows, Enumerable.Range(0, count).Select(row => (uint)(only < 0 ? row % classes : only) + 1).ToArray());
        var columns = _columns with { Latent = new LatentColumns(null, null, LabelColumnName), NoiseSeed = seed ?? NoiseSeed };
        return new GanTransformer(Host, Generator, Discriminator, columns, owned: false).Transform(rows.GetDataView());
    }

    /// <summary>Draws noise, for example to change it and to see what it stands for.</summary>
    /// <param name="count">The number of noise vectors.</param>
    /// <param name="seed">The seed. Null: <see cref="NoiseSeed"/>.</param>
    /// <returns>The noise of the rows of <see cref="Generate"/> with the same seed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1.</exception>
    public float[][] DrawNoise(int count, int? seed = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return Enumerable.Range(0, count).Select(row =>
        {
            var noise = new float[Architecture.LatentSize];
            LatentNoise.Draw(Architecture.LatentDistribution, seed ?? NoiseSeed, (UInt128)row, noise);
            return noise;
        }).ToArray();
    }

    /// <summary>Generates a sample from noise.</summary>
    /// <param name="noise">The noise, as many values as the latent size.</param>
    /// <param name="label">The class, as in <see cref="Generate"/>; null for a generator without classes.</param>
    /// <returns>The sample in the range of the data, images channel after channel.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values, or the class is unknown or missing.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public float[] Sample(float[] noise, string? label = null) => Samples([noise], label)[0];

    /// <summary>Generates the samples on the way from one noise vector to another.</summary>
    /// <param name="from">The noise of the first sample.</param>
    /// <param name="to">The noise of the last sample.</param>
    /// <param name="count">The number of samples, at least 2.</param>
    /// <param name="label">The class, as in <see cref="Generate"/>; null for a generator without classes.</param>
    /// <param name="spherical">
    /// Whether the way is an arc instead of a line. Normal noise has nearly the same length everywhere on an arc, but becomes shorter on a
    /// line (White, "Sampling Generative Networks", 2016). Default null: an arc for normal noise; a line for uniform noise, which an arc would leave.
    /// </param>
    /// <returns>The samples in the range of the data.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values, or the class is unknown or missing.</exception>
    public float[][] Interpolate(float[] from, float[] to, int count, string? label = null, bool? spherical = null)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        if (from.Length != to.Length)
            throw new ArgumentException(FormattableString.Invariant($"There are {from.Length} values in the first noise vector and {to.Length} in the last; there must be {Architecture.LatentSize} in both."), nameof(to));
        var angle = spherical ?? Architecture.LatentDistribution == LatentDistribution.Normal ? AngleBetween(from, to) : 0;
        return Samples(Enumerable.Range(0, count).Select(step => Between((double)step / (count - 1))).ToArray(), label);

        float[] Between(double share)
        {
            var (first, last) = Math.Sin(angle) < 1e-6
                ? (1 - share, share)
                : (Math.Sin((1 - share) * angle) / Math.Sin(angle), Math.Sin(share * angle) / Math.Sin(angle));
            return from.Zip(to, (a, b) => (float)((first * a) + (last * b))).ToArray();
        }
    }

    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        var samples = ToData(Generator.Network.call(features));
        return [_columns.IsImage && Architecture.Values is { } values ? values.MapTo(ValueRange.Pixels, samples) : samples];
    }

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows)
    {
        var graph = Generator.CreateGraph(context);
        var samples = graph.Map(Architecture.Write(graph, rows), Architecture.OutputRange, Architecture.Values);
        return [_columns.IsImage ? graph.Map(samples, Architecture.Values, ValueRange.Pixels) : samples];
    }

    private protected override string WriteRows(GraphWriter graph, OnnxColumns columns) => NoiseColumnName is { } noise
        ? _format.Write(graph, columns, columns.Schema[noise])
        : throw columns.NotExportable("its noise is drawn from a seed and the row, for which ONNX has no operator. Train with NoiseColumnName: then the noise is an input");

    internal static GanTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var output = ctx.LoadNonEmptyString();
        var latent = new LatentColumns(ctx.LoadStringOrNull(), ctx.LoadStringOrNull(), ctx.LoadStringOrNull());
        var (seed, isImage) = (ctx.Reader.ReadInt32(), ctx.Reader.ReadByte() != 0);
        var names = ctx.LoadClassNames();
        var (generator, discriminator) = ctx.LoadGan(env, "a generator", architecture => Fits(architecture, names, latent, isImage));
        return new GanTransformer(env, generator, discriminator, new GanColumns(output, latent, seed, isImage, names));
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        _format.Check(schema);
        if (schema.Count == 0)
            throw new ArgumentException("The data has no columns, so that its rows cannot be counted.", nameof(schema));
        // Some column has to be read for there to be rows; a number costs least.
        return _columns.Latent.Names.FirstOrDefault() is { } name ? schema[name] : schema.OrderBy(column => column.Type is NumberDataViewType ? 0 : column.Type is PrimitiveDataViewType ? 1 : 2).First();
    }

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) =>
        _columns.Latent.Names.Skip(1).Select(name => schema[name]).ToArray();

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveStringOrNull(NoiseColumnName);
        ctx.SaveStringOrNull(SeedColumnName);
        ctx.SaveStringOrNull(LabelColumnName);
        ctx.Writer.Write(NoiseSeed);
        ctx.Writer.Write((byte)(_columns.IsImage ? 1 : 0));
        ctx.SaveClassNames(ClassNames);
        ctx.SaveGan(Generator, Discriminator);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static bool Fits(GeneratorArchitecture architecture, string[]? names, LatentColumns columns, bool isImage) =>
        (names == null || names.Length == architecture.ClassCount)
        && (columns.Label != null) == (architecture.ClassCount > 0)
        && (!isImage || architecture is { Image.Channels: 1 or 3, Values: not null });

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private static double AngleBetween(float[] from, float[] to)
    {
        var product = from.Zip(to, (a, b) => (double)a * b).Sum();
        var lengths = Math.Sqrt(from.Sum(x => (double)x * x) * to.Sum(x => (double)x * x));
        return lengths == 0 ? 0 : Math.Acos(Math.Clamp(product / lengths, -1, 1));
    }

    private Tensor ToData(Tensor outputs) => Architecture is { Values: { } values, OutputRange: { } range } ? range.MapTo(values, outputs) : outputs;

    private float[][] Samples(IReadOnlyList<float[]> noise, string? label)
    {
        var classes = Architecture.ClassCount;
        if (label == null && classes > 0)
            throw new ArgumentException(FormattableString.Invariant($"The generator is conditional: a sample needs one of its {classes} classes."), nameof(label));
        var place = label == null ? -1 : ClassOf(label);
        using var lease = Lease();
        using var state = TorchState.Enter();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        var inputs = FeatureRows.ToTensor(noise, Architecture.LatentSize);
        if (classes > 0)
        {
            var labels = zeros([noise.Count, classes], ScalarType.Float32, CPU);
            labels.narrow(1, place, 1).fill_(Number.One);
            inputs = cat([inputs, labels], 1);
        }
        return TensorMemory.Floats(ToData(Generator.Network.call(inputs)).contiguous()).ToArray().Chunk(SampleSize).ToArray();
    }

    private int ClassOf(string label)
    {
        var classes = Architecture.ClassCount;
        if (classes == 0)
            throw new ArgumentException(FormattableString.Invariant($"label is '{label}', but the generator has no classes: it was trained without a label column."), nameof(label));
        var place = ClassNames == null
            ? int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number - 1 : -1
            : ClassNames.ToList().IndexOf(label);
        if (place < 0 || place >= classes)
            throw new ArgumentException(FormattableString.Invariant($"label is '{label}', which is not a class of the generator; it has {(ClassNames == null ? FormattableString.Invariant($"the keys 1 to {classes}") : Messages.NameList.Of(ClassNames))}."), nameof(label));
        return place;
    }

    private void AddLabels(ArrayDataViewBuilder rows, uint[] keys)
    {
        if (ClassNames is { } names)
            rows.AddColumn(LabelColumnName!, (ref VBuffer<ReadOnlyMemory<char>> values) => values = new VBuffer<ReadOnlyMemory<char>>(names.Count, names.Select(name => name.AsMemory()).ToArray()), (ulong)names.Count, keys);
        else
            rows.AddColumn(LabelColumnName!, new KeyDataViewType(typeof(uint), Architecture.ClassCount), keys);
    }
}

/// <summary>The columns of a GAN, and what their values come from.</summary>
/// <param name="Output">The column of the samples.</param>
/// <param name="Latent">The columns that are read.</param>
/// <param name="NoiseSeed">The seed of noise that is drawn.</param>
/// <param name="IsImage">Whether samples are images (MLImage) instead of vectors.</param>
/// <param name="ClassNames">The names of the classes, or null.</param>
internal sealed record GanColumns(string Output, LatentColumns Latent, int NoiseSeed, bool IsImage, IReadOnlyList<string>? ClassNames);

/// <summary>The weights of a generator and its discriminator, to continue their training.</summary>
internal sealed class GanWeights(NetworkModelParameters generator, NetworkModelParameters discriminator, IReadOnlyList<string>? classNames) : IInitialWeights
{
    public NetworkArchitecture Architecture => generator.Architecture;

    public IInitialWeights Discriminator => discriminator;

    public PredictionHead? Head => null;

    public IReadOnlyList<string>? ClassNames => classNames;

    public bool LacksOutput => false;

    public NetworkLease Lease() => NetworkLease.Of([generator, discriminator]);

    public IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture) =>
        architecture is DiscriminatorArchitecture
            ? ((IInitialWeights)discriminator).WeightsFor(architecture)
            : ((IInitialWeights)generator).WeightsFor(architecture);
}
