using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Models;

[assembly: LoadableClass(typeof(MulticlassNetworkTransformer), typeof(MulticlassNetworkTransformer), null, typeof(SignatureLoadModel), "", MulticlassNetworkTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained neural multiclass classifier. Adds the columns Score (the softmax, with the classes as slot names) and PredictedLabel (a key with the label's values).</summary>
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
