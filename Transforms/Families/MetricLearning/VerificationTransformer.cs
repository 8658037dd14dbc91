using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Scoring;

[assembly: LoadableClass(typeof(VerificationTransformer), typeof(VerificationTransformer), null, typeof(SignatureLoadModel), "", VerificationTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Says of pairs whether they are the same: their distance, whether it is below a calibrated threshold, and how probable that is.</summary>
/// <remarks>
/// The columns are two embeddings, or, with <see cref="Model"/>, two images or rows of features whose embeddings it computes; these are added
/// as <c>...Embedding</c>. Columns of embeddings carry the fingerprint of their network, and those of another network than that of the
/// calibration are refused. An array carries none: <see cref="Compare"/> checks only sizes and that values are finite. Thread-safe.
/// </remarks>
public sealed class VerificationTransformer : ManagedTransformer, IHasNetworks, IDisposable
{
    internal const string LoaderSignature = "MLExtVerification";
    private const string ModelSignature = "MLEXTVER";
    private const string ModelFolder = "Model";
    private const string Entry = "calibration.json";

    private readonly VerificationColumns _columns;
    private readonly bool _ownsModel;

    internal VerificationTransformer(IHostEnvironment env, VerificationColumns columns, DistanceCalibration calibration, EmbeddingTransformer? model)
        : this(env, columns, calibration, model, ownsModel: false)
    {
    }

    private VerificationTransformer(IHostEnvironment env, VerificationColumns columns, DistanceCalibration calibration, EmbeddingTransformer? model, bool ownsModel)
        : base(env, ModelSignature, LoaderSignature) => (_columns, Calibration, Model, _ownsModel) = (columns, calibration, model, ownsModel);

    /// <summary>The column of the one: embeddings, or what <see cref="Model"/> takes.</summary>
    public string FirstColumnName => _columns.First;

    /// <summary>The column of the other.</summary>
    public string SecondColumnName => _columns.Second;

    /// <summary>The column that is added for the squared distance, a <c>Single</c>.</summary>
    public string DistanceColumnName => _columns.Distance;

    /// <summary>The column that is added for whether the pair is the same, a <c>Boolean</c>.</summary>
    public string OutputColumnName => _columns.Output;

    /// <summary>The column that is added for the probability that it is the same, a <c>Single</c>.</summary>
    public string ProbabilityColumnName => _columns.Probability;

    /// <summary>What distances mean: the threshold and what it was measured on.</summary>
    public DistanceCalibration Calibration { get; }

    /// <summary>The network that computes embeddings; null if the columns have them. A loaded transformer owns it.</summary>
    public EmbeddingTransformer? Model { get; }

    IReadOnlyList<NetworkModelParameters> IHasNetworks.Networks => Model == null ? [] : [Model.Model];

    /// <summary>Compares two embeddings.</summary>
    /// <param name="first">The one.</param>
    /// <param name="second">The other, of the same network.</param>
    /// <returns>The squared distance, whether it is below the threshold, and the probability that they are the same.</returns>
    /// <exception cref="ArgumentException">They have different sizes, or another one than the embeddings of <see cref="Model"/>.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite, or so large that the distance is.</exception>
    public VerificationResult Compare(float[] first, float[] second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        foreach (var (embedding, name) in new[] { (first, nameof(first)), (second, nameof(second)) })
        {
            if (Model is { } model && embedding.Length != model.EmbeddingSize)
                throw new ArgumentException(FormattableString.Invariant($"The {name} embedding has {embedding.Length} values; those of the network have {model.EmbeddingSize}."), name);
        }
        // Nothing says which of them is wrong.
        if (first.Length != second.Length)
            throw new ArgumentException(FormattableString.Invariant($"The first embedding has {first.Length} values and the second one {second.Length}; both must come from the same network."));
        Gallery.CheckFinite(first, nameof(first));
        Gallery.CheckFinite(second, nameof(second));
        var distance = EmbeddingDistance.Squared(first, second);
        return float.IsFinite(distance) ? Judge(distance) : throw new FormatException("The squared distance is beyond the range of a Single. " + EmbeddingDistance.TooFar);
    }

    /// <summary>Frees the network of a loaded transformer; one that was given belongs to its owner.</summary>
    public void Dispose()
    {
        if (_ownsModel)
            Model?.Dispose();
    }

    internal static VerificationTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        var columns = new VerificationColumns(ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        var calibration = CalibrationEntry.Load(ctx, Entry);
        EmbeddingTransformer? model = null;
        if (ctx.LoadNonEmptyString() == ModelFolder)
            ctx.LoadModel<EmbeddingTransformer, SignatureLoadModel>(env, out model, ModelFolder);
        return new VerificationTransformer(env, columns, calibration, model, ownsModel: true);
    }

    private protected override IDataView Apply(IDataView input) => base.Apply(_columns.Embed(input, Model));

    private protected override IRowToRowMapper CreateRowMapper(DataViewSchema schema)
    {
        if (Model == null)
            return base.CreateRowMapper(schema);
        var names = _columns.EmbeddingNames;
        return ((ITransformer)new TransformerChain<ITransformer>(Model.WithColumns(names.First, FirstColumnName), Model.WithColumns(names.Second, SecondColumnName), new VerificationTransformer(Host, _columns with { First = names.First, Second = names.Second }, Calibration, null))).GetRowToRowMapper(schema);
    }

    private protected override IRowMapper CreateMapper(DataViewSchema schema)
    {
        var names = Model == null ? (First: FirstColumnName, Second: SecondColumnName) : _columns.EmbeddingNames;
        var pair = EmbeddingPair.Find(schema, names.First, names.Second, Calibration.Fingerprint, "the threshold");
        return new ResultMapper<VerificationResult>(
            this,
            [pair.First, pair.Second],
            row =>
            {
                var getDistance = pair.Open(row);
                return () => Judge(getDistance());
            },
            new ValueColumn<VerificationResult, float>(DistanceColumnName, NumberDataViewType.Single, result => result.Distance),
            new ValueColumn<VerificationResult, bool>(OutputColumnName, BooleanDataViewType.Instance, result => result.IsSame),
            new ValueColumn<VerificationResult, float>(ProbabilityColumnName, NumberDataViewType.Single, result => result.Probability));
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        foreach (var name in (string[])[_columns.First, _columns.Second, _columns.Distance, _columns.Output, _columns.Probability])
            ctx.SaveNonEmptyString(name);
        CalibrationEntry.Save(ctx, Entry, Calibration);
        ctx.SaveNonEmptyString(Model == null ? "None" : ModelFolder);
        if (Model != null)
            ctx.SaveModel(Model, ModelFolder);
    }

    private VerificationResult Judge(float distance) => new(distance, distance < Calibration.Threshold, (float)Calibration.ProbabilityOfSame(distance));
}

/// <summary>What is said of a pair.</summary>
/// <param name="Distance">The squared Euclidean distance.</param>
/// <param name="IsSame">Whether it is below the threshold.</param>
/// <param name="Probability">The probability that the pair is the same, if as many are the same as different.</param>
public sealed record VerificationResult(float Distance, bool IsSame, float Probability)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(VerificationResult), PrintMembers);
}

/// <summary>The columns of a verification.</summary>
internal sealed record VerificationColumns(string First, string Second, string Distance, string Output, string Probability)
{
    private const string Suffix = "Embedding";

    /// <summary>The columns of the embeddings that a model adds.</summary>
    public (string First, string Second) EmbeddingNames => (First + Suffix, Second + Suffix);

    /// <summary>Adds the embeddings of a model; without one the data has them.</summary>
    public IDataView Embed(IDataView input, EmbeddingTransformer? model) => model == null
        ? input
        : model.WithColumns(EmbeddingNames.Second, Second).Transform(model.WithColumns(EmbeddingNames.First, First).Transform(input));
}

/// <summary>Saves a calibration as an entry of a model.</summary>
internal static class CalibrationEntry
{
    public static void Save(ModelSaveContext ctx, string entry, DistanceCalibration calibration) => OptionsEntry.Save(ctx, entry, new Content(
        calibration.FalseAcceptRate, calibration.Different.ToArray(), calibration.Slope, calibration.Offset, calibration.ValidationRate, calibration.NumberOfSamePairs, calibration.NumberOfDifferentPairs, calibration.Fingerprint));

    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static DistanceCalibration Load(ModelLoadContext ctx, string entry)
    {
        var content = OptionsEntry.Load<Content>(ctx, entry, "a calibration of distances", Check);
        return new DistanceCalibration(content.FalseAcceptRate, content.Different, content.Slope, content.Offset, content.ValidationRate, content.SamePairs, content.DifferentPairs, content.Fingerprint);
    }

    private static void Check(Content content)
    {
        if (content.Different is not { Length: > 0 } || !content.Different.AsSpan().SequenceEqual(content.Different.Order().ToArray()) || content.Different.Any(distance => !float.IsFinite(distance)))
            throw new FormatException("the distances are not in order.");
        if (!double.IsFinite(content.Slope) || !double.IsFinite(content.Offset))
            throw new FormatException("the curve of probabilities is no curve.");
        DistanceCalibration.CheckRate(content.FalseAcceptRate, content.Different.Length, "falseAcceptRate");
    }

    private sealed record Content(double FalseAcceptRate, float[] Different, double Slope, double Offset, double ValidationRate, long SamePairs, long DifferentPairs, string? Fingerprint);
}
