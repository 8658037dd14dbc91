using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(EmbeddingTransformer), typeof(EmbeddingTransformer), null, typeof(SignatureLoadModel), "", EmbeddingTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// A trained network of embeddings: adds a vector of length 1 to each row. The squared Euclidean distance of two of them, from 0 to 4, says
/// how alike the rows are.
/// </summary>
/// <remarks>
/// <para>
/// The column is a <c>float[]</c> that goes unchanged into any store of vectors. Its length is 1 unless the network returns only zeros; then
/// the embedding is 0, too.
/// </para>
/// <inheritdoc cref="NetworkColumnsTransformer" path="/remarks"/>
/// </remarks>
public sealed class EmbeddingTransformer : FeatureColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtEmbedding";
    private const string ModelSignature = "MLEXTEMB";
    private const string ModelFolder = "Model";

    private readonly Lazy<string> _fingerprint;

    internal EmbeddingTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, string inputColumnName)
        : this(env, model, outputColumnName, inputColumnName, owned: true, null)
    {
    }

    private EmbeddingTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, string inputColumnName, bool owned, Lazy<string>? fingerprint)
        : base(env.Register(LoaderSignature), inputColumnName, owned, [model])
    {
        Model = model;
        OutputColumnName = outputColumnName;
        _fingerprint = fingerprint ?? new Lazy<string>(() => EmbeddingFingerprint.Of(model));
        Outputs = [OutputColumn.Vector(outputColumnName, EmbeddingSize, EmbeddingFingerprint.Annotate(() => _fingerprint.Value))];
    }

    /// <summary>The column of the embeddings.</summary>
    public string OutputColumnName { get; }

    /// <summary>The trained network with its history. The transformer owns it, unless it comes from <see cref="WithColumns"/>.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The number of values of an embedding.</summary>
    public int EmbeddingSize => Model.Architecture.OutputCount;

    /// <summary>
    /// What tells this network from all others: the SHA-256 of its weights. Embeddings of different networks cannot be compared, so their
    /// column has it, and galleries and thresholds of other networks are refused.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>The training history: metrics per epoch.</summary>
    /// <exception cref="InvalidOperationException">The network was not trained by this library.</exception>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    internal override FeatureFormat Format => Model.Format;

    internal override IReadOnlyList<OutputColumn> Outputs { get; }

    internal override double MultiplyAdds => Model.MultiplyAdds;

    private protected override int PassRows => Model.ScoringRows;

    /// <summary>
    /// The same network for other columns, such as the second one of a pair of images. It belongs to this transformer: disposing this one
    /// frees it, disposing the other one does not.
    /// </summary>
    /// <param name="outputColumnName">The column to add.</param>
    /// <param name="inputColumnName">The column to read.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    /// <example>
    /// <code>
    /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
    /// var second = model.WithColumns("SecondEmbedding", "Other");
    /// </code>
    /// </example>
    public EmbeddingTransformer WithColumns(string outputColumnName, string inputColumnName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        return new EmbeddingTransformer(Host, Model, outputColumnName, inputColumnName, owned: false, _fingerprint);
    }

    /// <summary>Computes the embedding of one row. Rows in data are faster.</summary>
    /// <param name="features">The features, as many values as the network was trained on; for images in their layout.</param>
    /// <returns>The embedding, <see cref="EmbeddingSize"/> values.</returns>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite.</exception>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public float[] Embed(float[] features)
    {
        ArgumentNullException.ThrowIfNull(features);
        using var lease = Lease();
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        return TensorMemory.Floats(Compute(FeatureRows.ToTensor([features], Format.Width))).ToArray();
    }

    internal override Tensor[] Compute(Tensor features, int[] active) => [Compute(features)];

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows) =>
        [UnitRows.Write(Model.CreateGraph(context), rows, Model.Architecture)];

    internal static EmbeddingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var outputColumnName = ctx.LoadNonEmptyString();
        var inputColumnName = ctx.LoadNonEmptyString();
        var model = ctx.LoadNetwork(env, ModelFolder, "a network of embeddings", network => network is { Architecture: ImageArchitecture or MlpArchitecture, Head: null });
        return new EmbeddingTransformer(env, model, outputColumnName, inputColumnName);
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = FeatureRows.Find(schema, InputColumnName);
        if (!FeatureReader.Fits(column, Format.Width))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the network was trained on {(Model.Architecture is ImageArchitecture images ? images.Image.Shape.ToString() : FormattableString.Invariant($"{Format.Width} values"))}."), nameof(schema));
        return column;
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveModel(Model, ModelFolder);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private Tensor Compute(Tensor features) => UnitRows.Of(Model.Network.call(features)).contiguous();
}
