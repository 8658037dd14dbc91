using MLExtensions.Models;
using MLExtensions;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML;

[assembly: LoadableClass(typeof(BinaryNetworkTransformer), typeof(BinaryNetworkTransformer), null, typeof(SignatureLoadModel), "", BinaryNetworkTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(MulticlassNetworkTransformer), typeof(MulticlassNetworkTransformer), null, typeof(SignatureLoadModel), "", MulticlassNetworkTransformer.LoaderSignature)]
[assembly: LoadableClass(typeof(RegressionNetworkTransformer), typeof(RegressionNetworkTransformer), null, typeof(SignatureLoadModel), "", RegressionNetworkTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained neural binary classifier. Adds the columns Score (the logit), Probability and PredictedLabel.</summary>
public sealed class BinaryNetworkTransformer : NetworkTransformer
{
    internal const string LoaderSignature = "MLExtBinary";
    private const string ModelSignature = "MLEXTBIN";
    private const float DecisionThreshold = 0.5f;

    internal BinaryNetworkTransformer(IHostEnvironment env, NetworkModelParameters model, DataViewSchema trainSchema, string featureColumnName, string? labelColumnName)
        : base(env.Register(LoaderSignature), model, trainSchema, featureColumnName, labelColumnName)
    {
    }

    private BinaryNetworkTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(LoaderSignature), ctx)
    {
    }

    internal static BinaryNetworkTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        return new BinaryNetworkTransformer(env, ctx);
    }

    private protected override VersionInfo CreateVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private protected override RowToRowScorerBase CreateScorer(IDataView data, ISchemaBoundMapper mapper, RoleMappedSchema schema) =>
        new BinaryClassifierScorer(Host, new BinaryClassifierScorer.Arguments { Threshold = DecisionThreshold, ThresholdColumn = DefaultColumnNames.Probability }, data, mapper, schema);
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
