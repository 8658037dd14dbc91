using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Tensors;

[assembly: LoadableClass(typeof(IdentificationTransformer), typeof(IdentificationTransformer), null, typeof(SignatureLoadModel), "", IdentificationTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// Says whom an embedding shows: the nearest of a gallery, if it is near enough; otherwise nobody who is known. People come and go without
/// any training.
/// </summary>
/// <remarks>
/// The gallery is in memory and saved with the model. Reading and changing it is thread-safe: a row sees the gallery before a change or after
/// it. Columns of embeddings carry the fingerprint of their network, and those of another network than that of the gallery are refused. An
/// array carries none: <see cref="Add"/> and <see cref="Identify"/> check only its size and that its values are finite.
/// </remarks>
public sealed class IdentificationTransformer : ManagedTransformer
{
    internal const string LoaderSignature = "MLExtIdentification";
    private const string ModelSignature = "MLEXTIDE";
    private const string Entry = "calibration.json";

    private readonly IdentificationColumns _columns;
    private readonly Lock _change = new();
    private volatile Gallery _gallery;
    private double _threshold;

    internal IdentificationTransformer(IHostEnvironment env, IdentificationColumns columns, DistanceCalibration calibration, Gallery gallery, double threshold)
        : base(env, ModelSignature, LoaderSignature) => (_columns, Calibration, _gallery, _threshold) = (columns, calibration, gallery, threshold);

    /// <summary>The column of the embeddings.</summary>
    public string FeatureColumnName => _columns.Features;

    /// <summary>The column that is added for the name, a text; empty for somebody unknown.</summary>
    public string OutputColumnName => _columns.Output;

    /// <summary>The column that is added for the probability that it is the nearest one, a <c>Single</c>.</summary>
    public string ConfidenceColumnName => _columns.Confidence;

    /// <summary>The column that is added for the names of the nearest, a vector of texts; empty ones if there are fewer.</summary>
    public string CandidatesColumnName => _columns.Candidates;

    /// <summary>The column that is added for their squared distances, a <c>Vector&lt;Single&gt;</c>; infinite if there are fewer.</summary>
    public string DistancesColumnName => _columns.Distances;

    /// <summary>The number of nearest people that are told.</summary>
    public int NumberOfCandidates => _columns.Count;

    /// <summary>What distances mean.</summary>
    public DistanceCalibration Calibration { get; }

    /// <summary>
    /// The squared distance below which somebody is recognized, 0 or more. A stranger has as many chances to be taken for somebody as there
    /// are people in the gallery: for large ones take a smaller one, from <see cref="DistanceCalibration.ThresholdFor"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or no number.</exception>
    public double Threshold
    {
        get => Volatile.Read(ref _threshold);
        set
        {
            if (!(value >= 0))
                throw new ArgumentOutOfRangeException(nameof(value), value, FormattableString.Invariant($"{nameof(Threshold)} is {value}; it must be 0 or more."));
            Volatile.Write(ref _threshold, value);
        }
    }

    /// <summary>The names in the gallery.</summary>
    public IReadOnlyList<string> People => _gallery.People;

    /// <summary>The number of embeddings in the gallery.</summary>
    public int Count => _gallery.Names.Count;

    /// <summary>Adds an embedding of somebody, who may be in the gallery already.</summary>
    /// <param name="name">The name.</param>
    /// <param name="embedding">The embedding, of the network of the gallery.</param>
    /// <exception cref="ArgumentException">The name is empty or the embedding has another size.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public void Add(string name, float[] embedding)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        lock (_change)
            _gallery = _gallery.Add(name, embedding);
    }

    /// <summary>Adds embeddings of several people.</summary>
    /// <param name="data">Rows with a name and an embedding. Those without a name are left out.</param>
    /// <param name="labelColumnName">The name: a key, a text, a Boolean or a number.</param>
    /// <returns>The number of embeddings that were added.</returns>
    /// <exception cref="ArgumentException">A column is missing, of another type or size, or has embeddings of another network.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public int AddRange(IDataView data, string labelColumnName = DefaultColumnNames.Label)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        var column = FindFeatures(data.Schema);
        var (rows, _) = Gallery.Read(data, column, labelColumnName);
        lock (_change)
        {
            // Another thread may meanwhile have said which network the gallery is of.
            FindFeatures(data.Schema);
            _gallery = rows.Aggregate(_gallery, (gallery, row) => gallery.Add(row.Name, row.Embedding)) with { Fingerprint = _gallery.Fingerprint ?? EmbeddingFingerprint.Of(column) };
        }
        return rows.Count;
    }

    /// <summary>Removes all embeddings of somebody.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The number of embeddings that were removed; 0 if the name is not in the gallery.</returns>
    public int Remove(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_change)
        {
            var before = _gallery.Names.Count;
            _gallery = _gallery.Remove(name);
            return before - _gallery.Names.Count;
        }
    }

    /// <summary>Identifies an embedding.</summary>
    /// <param name="embedding">The embedding, of the network of the gallery.</param>
    /// <exception cref="ArgumentException">It has another size.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    public IdentificationResult Identify(float[] embedding)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        if (embedding.Length != _gallery.Size)
            throw new ArgumentException(FormattableString.Invariant($"The embedding has {embedding.Length} values; those of the gallery have {_gallery.Size}."), nameof(embedding));
        Gallery.CheckFinite(embedding, nameof(embedding));
        return Find(embedding);
    }

    internal static IdentificationTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        var columns = new IdentificationColumns(ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.Reader.ReadInt32());
        var threshold = ctx.Reader.ReadDouble();
        if (columns.Count < 1 || !(threshold >= 0))
            throw new ModelFormatException("Model.key", FormattableString.Invariant($"has {columns.Count} candidates and a threshold of {threshold}"));
        return new IdentificationTransformer(env, columns, CalibrationEntry.Load(ctx, Entry), Gallery.Load(ctx), threshold);
    }

    private protected override IRowMapper CreateMapper(DataViewSchema schema)
    {
        var column = FindFeatures(schema);
        var size = _gallery.Size;
        return new ResultMapper<IdentificationResult>(
            this,
            [column],
            row =>
            {
                var reader = new FeatureReader(row, row.Schema[column.Index], size);
                var embedding = new float[size];
                return () =>
                {
                    reader.Read(embedding);
                    return Find(embedding);
                };
            },
            new ValueColumn<IdentificationResult, ReadOnlyMemory<char>>(OutputColumnName, TextDataViewType.Instance, result => (result.Name ?? "").AsMemory()),
            new ValueColumn<IdentificationResult, float>(ConfidenceColumnName, NumberDataViewType.Single, result => result.Confidence),
            new VectorColumn<IdentificationResult, ReadOnlyMemory<char>>(CandidatesColumnName, TextDataViewType.Instance, NumberOfCandidates, result => Fill(result, candidate => candidate.Name.AsMemory(), "".AsMemory())),
            new VectorColumn<IdentificationResult, float>(DistancesColumnName, NumberDataViewType.Single, NumberOfCandidates, result => Fill(result, candidate => candidate.Distance, float.PositiveInfinity)));
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        foreach (var name in (string[])[_columns.Features, _columns.Output, _columns.Confidence, _columns.Candidates, _columns.Distances])
            ctx.SaveNonEmptyString(name);
        ctx.Writer.Write(_columns.Count);
        ctx.Writer.Write(Threshold);
        CalibrationEntry.Save(ctx, Entry, Calibration);
        _gallery.Save(ctx);
    }

    private DataViewSchema.Column FindFeatures(DataViewSchema schema)
    {
        var column = FeatureRows.Find(schema, FeatureColumnName);
        if (FeatureReader.WidthOf(column) != _gallery.Size)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values; the embeddings of the gallery have {_gallery.Size}."), nameof(schema));
        EmbeddingFingerprint.Check(column, _gallery.Fingerprint ?? Calibration.Fingerprint, "the gallery");
        return column;
    }

    private IdentificationResult Find(ReadOnlySpan<float> embedding)
    {
        var nearest = Array.ConvertAll(_gallery.Nearest(embedding, NumberOfCandidates), found => new IdentifiedCandidate(found.Name, found.Distance, (float)Calibration.ProbabilityOfSame(found.Distance)));
        return nearest.Length == 0
            ? new IdentificationResult(null, 0, [])
            : new IdentificationResult(nearest[0].Distance < Threshold ? nearest[0].Name : null, nearest[0].Confidence, nearest);
    }

    private T[] Fill<T>(IdentificationResult result, Func<IdentifiedCandidate, T> read, T missing) =>
        Enumerable.Range(0, NumberOfCandidates).Select(place => place < result.Candidates.Count ? read(result.Candidates[place]) : missing).ToArray();
}

/// <summary>Whom an embedding shows.</summary>
/// <param name="Name">The name; null if nobody of the gallery is near enough.</param>
/// <param name="Confidence">The probability that it is the nearest one of the gallery; 0 if that is empty.</param>
/// <param name="Candidates">The nearest people, nearest first.</param>
public sealed record IdentificationResult(string? Name, float Confidence, IReadOnlyList<IdentifiedCandidate> Candidates)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(IdentificationResult), PrintMembers);
}

/// <summary>Somebody of a gallery who is near.</summary>
/// <param name="Name">The name.</param>
/// <param name="Distance">The squared distance of the nearest embedding.</param>
/// <param name="Confidence">The probability that it is the same, if as many pairs are the same as different.</param>
public sealed record IdentifiedCandidate(string Name, float Distance, float Confidence)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(IdentifiedCandidate), PrintMembers);
}

/// <summary>The columns of an identification, and the number of candidates.</summary>
internal sealed record IdentificationColumns(string Features, string Output, string Confidence, string Candidates, string Distances, int Count);
