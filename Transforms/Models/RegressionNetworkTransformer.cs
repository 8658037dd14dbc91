using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Models;

[assembly: LoadableClass(typeof(RegressionNetworkTransformer), typeof(RegressionNetworkTransformer), null, typeof(SignatureLoadModel), "", RegressionNetworkTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>A trained neural regressor. Adds the columns Score, on the scale of the training target.</summary>
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
