using MLExtensions.Families.Forecasting;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using MLExtensions;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML;

[assembly: LoadableClass(typeof(BinaryNetworkTransformer), typeof(BinaryNetworkTransformer), null, typeof(SignatureLoadModel), "", BinaryNetworkTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(MulticlassNetworkTransformer), typeof(MulticlassNetworkTransformer), null, typeof(SignatureLoadModel), "", MulticlassNetworkTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(RegressionNetworkTransformer), typeof(RegressionNetworkTransformer), null, typeof(SignatureLoadModel), "", RegressionNetworkTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Base class of the supervised transformers: a trained network that scores blocks of rows.</summary>
/// <remarks>
/// <see cref="Transform"/> is lazy, as in ML.NET. Rows are scored in blocks of up to 1,024; a prediction engine scores single rows. One
/// transformer can be used by several threads.
/// </remarks>
public abstract class NetworkTransformer : SingleFeaturePredictionTransformerBase<NetworkModelParameters>, ITransformer, INetworkHolder, IHasNetworks
{
    private protected NetworkTransformer(IHost host, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string? labelColumnName)
        : base(host, model, SavableSchema.Of(trainSchema, featureColumnName, model.Architecture.InputCount), featureColumnName)
    {
        LabelColumnName = labelColumnName;
        NameClasses();
        BindScorer();
        Model.Weights.Owner = GetType().Name;
    }

    private protected NetworkTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
        LabelColumnName = ctx.LoadStringOrNull();
        if (Model is not { Head: ScoreHead, History: not null })
            throw new ModelFormatException("architecture.json", $"describes a network without {(Model.Head is ScoreHead ? "a history" : "scores")}: {Model.Architecture}");
        NameClasses();
        BindScorer();
        Model.Weights.Owner = GetType().Name;
    }

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    IReadOnlyList<NetworkModelParameters> IHasNetworks.Networks => [Model];

    private protected string? LabelColumnName { get; }

    /// <summary>The label column in training, if it was a key.</summary>
    private DataViewSchema.Column? TrainedLabel =>
        LabelColumnName != null && TrainSchema.GetColumnOrNull(LabelColumnName) is { Type: KeyDataViewType } label ? label : null;

    /// <summary>Adds the prediction columns to data that has the feature column.</summary>
    /// <param name="input">
    /// Data with the feature column that the model was trained on: a vector, or images of known size with the same number of pixels.
    /// </param>
    /// <remarks>
    /// If the data has the label column of a multiclass model with other keys than in training, it gets the keys of the model, found by their
    /// values: ML.NET's evaluators compare keys by number. Reading a label that the model does not know is an exception that names it.
    /// </remarks>
    /// <exception cref="ArgumentException">The feature column is missing, or of another type or size.</exception>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public new IDataView Transform(IDataView input)
    {
        Host.CheckValue(input, nameof(input));
        using var lease = Model.Lease();
        CheckFeatureColumn(input.Schema);
        var known = TrainedLabel is { } label ? RelabeledDataView.Of(Host, input, label) : input;
        var scorer = (RowToRowScorerBase)Scorer.ApplyToData(Host, new LookAheadDataView(known, FeatureColumnName, Model.Format, Warn));
        return new BatchScoredDataView(scorer, input, this);
    }

    /// <summary>Returns the schema of <see cref="Transform"/>'s output for an input schema.</summary>
    /// <exception cref="ArgumentException">The feature column is missing, or of another type or size.</exception>
    public new DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return Transform(new EmptyDataView(Host, inputSchema)).Schema;
    }

    // Transform of the base class is not virtual: ML.NET calls this one.
    IDataView ITransformer.Transform(IDataView input) => Transform(input);

    // The base class accepts only the type of the feature column in training, not both vectors and images.
    DataViewSchema ITransformer.GetOutputSchema(DataViewSchema inputSchema) => GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    protected override void SaveCore(ModelSaveContext ctx)
    {
        // Before anything is written.
        using var lease = Model.Lease();
        ctx.SetVersionInfo(CreateVersionInfo());
        base.SaveCore(ctx);
        ctx.SaveStringOrNull(LabelColumnName);
    }

    /// <summary>ML.NET's scorer of the task, which adds the predicted label, the slot names and the annotations.</summary>
    private protected abstract RowToRowScorerBase CreateScorer(IDataView data, ISchemaBoundMapper mapper, RoleMappedSchema schema);

    private protected abstract VersionInfo CreateVersionInfo();

    /// <summary>Creates the scorer anew, for a head that has changed.</summary>
    private protected void BindScorer()
    {
        var schema = new RoleMappedSchema(TrainSchema, LabelColumnName, FeatureColumnName);
        Scorer = CreateScorer(new EmptyDataView(Host, TrainSchema), BindableMapper.Bind(Host, schema), schema);
    }

    /// <summary>The network keeps the names of its classes for a training that starts from it.</summary>
    private void NameClasses() => Model.ClassNames = TrainedLabel is { } label ? KeyNames.Of(label) : null;

    private void Warn(DataNote note)
    {
        using var channel = Host.Start("Scoring");
        channel.Warning("{0}", note.Text);
    }

    private void CheckFeatureColumn(DataViewSchema schema)
    {
        if (schema.GetColumnOrNull(FeatureColumnName) == null)
            throw new ArgumentException($"Feature column '{FeatureColumnName}' is not in the data; the columns are {string.Join(", ", schema.Select(column => column.Name))}.", nameof(schema));
    }
}

/// <summary>
/// The training schema that a transformer keeps and saves. ML.NET's files cannot hold image columns and drop them, so an image feature
/// column is kept as the vector that the network gets.
/// </summary>
internal static class SavableSchema
{
    public static DataViewSchema Of(DataViewSchema schema, string featureColumnName, int width)
    {
        if (schema.GetColumnOrNull(featureColumnName) is not { Type: ImageDataViewType image } feature)
            return schema;
        var channels = width / ImageReader.PixelCount(feature);
        var builder = new DataViewSchema.Builder();
        foreach (var column in schema)
        {
            var type = column.Index == feature.Index ? new VectorDataViewType(NumberDataViewType.Single, channels, image.Height, image.Width) : column.Type;
            builder.AddColumn(column.Name, type, column.Annotations);
        }
        return builder.ToSchema();
    }
}

/// <summary>A trained neural binary classifier. Adds the columns Score (the logit), Probability and PredictedLabel.</summary>
public sealed class BinaryNetworkTransformer : NetworkTransformer
{
    internal const string LoaderSignature = "MLExtBinary";
    private const string ModelSignature = "MLEXTBIN";

    internal BinaryNetworkTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string? labelColumnName)
        : base(env.Register(LoaderSignature), model, trainSchema, featureColumnName, labelColumnName)
    {
    }

    private BinaryNetworkTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(LoaderSignature), ctx)
    {
    }

    /// <summary>
    /// The probability above which <c>PredictedLabel</c> is true. It can be changed, also of a loaded model, and is saved with it. The change
    /// applies to what is transformed and to prediction engines that are created afterwards. Default 0.5, or the option of the trainer.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in [0, 1].</exception>
    /// <exception cref="ObjectDisposedException">The value is set and the transformer was disposed; it can still be read.</exception>
    public double DecisionThreshold
    {
        get => (Model.Head as BinaryHead)?.Threshold ?? BinaryHead.UsualThreshold;
        set
        {
            if (!BinaryHead.IsThreshold(value))
                throw new ArgumentOutOfRangeException(nameof(value), value, FormattableString.Invariant($"{nameof(DecisionThreshold)} is {value}; it must be in [0, 1]: it is a probability, not a score."));
            using var lease = Model.Lease();
            Model.Head = BinaryHead.Create(value);
            BindScorer();
        }
    }

    internal static BinaryNetworkTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        return new BinaryNetworkTransformer(env, ctx);
    }

    private protected override VersionInfo CreateVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private protected override RowToRowScorerBase CreateScorer(IDataView data, ISchemaBoundMapper mapper, RoleMappedSchema schema) =>
        new BinaryClassifierScorer(Host, new BinaryClassifierScorer.Arguments { Threshold = (float)DecisionThreshold, ThresholdColumn = DefaultColumnNames.Probability }, data, mapper, schema);
}

/// <summary>
/// A trained neural multiclass classifier. Adds the columns Score (the softmax, with the classes as slot names) and PredictedLabel (a key
/// with the label's values).
/// </summary>
public sealed class MulticlassNetworkTransformer : NetworkTransformer
{
    internal const string LoaderSignature = "MLExtMulticlass";
    private const string ModelSignature = "MLEXTMC ";

    internal MulticlassNetworkTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string? labelColumnName)
        : base(env.Register(LoaderSignature), model, trainSchema, featureColumnName, labelColumnName)
    {
    }

    private MulticlassNetworkTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(LoaderSignature), ctx)
    {
    }

    internal static MulticlassNetworkTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        return new MulticlassNetworkTransformer(env, ctx);
    }

    private protected override VersionInfo CreateVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private protected override RowToRowScorerBase CreateScorer(IDataView data, ISchemaBoundMapper mapper, RoleMappedSchema schema) =>
        new MulticlassClassificationScorer(Host, new MulticlassClassificationScorer.Arguments(), data, mapper, schema);
}

/// <summary>A trained neural regressor. Adds the column Score, in the unit of the label.</summary>
public sealed class RegressionNetworkTransformer : NetworkTransformer
{
    internal const string LoaderSignature = "MLExtRegression";
    private const string ModelSignature = "MLEXTREG";

    internal RegressionNetworkTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string? labelColumnName)
        : base(env.Register(LoaderSignature), model, trainSchema, featureColumnName, labelColumnName)
    {
    }

    private RegressionNetworkTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(LoaderSignature), ctx)
    {
    }

    internal static RegressionNetworkTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        return new RegressionNetworkTransformer(env, ctx);
    }

    private protected override VersionInfo CreateVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private protected override RowToRowScorerBase CreateScorer(IDataView data, ISchemaBoundMapper mapper, RoleMappedSchema schema) =>
        new GenericScorer(Host, new GenericScorer.Arguments(), data, mapper, schema);
}
