using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Models;

[assembly: LoadableClass(typeof(BinaryNetworkTransformer), typeof(BinaryNetworkTransformer), null, typeof(SignatureLoadModel), "", BinaryNetworkTransformer.LoaderSignature)]

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
