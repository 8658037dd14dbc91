using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Images;
using MLExtensions.Models;
using MLExtensions.Tensors;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(ImageFeaturesTransformer), typeof(ImageFeaturesTransformer), null, typeof(SignatureLoadModel), "", ImageFeaturesTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds image features, computed with a pretrained network up to one of its layers.</summary>
/// <inheritdoc cref="NetworkColumnsTransformer" path="/remarks"/>
public sealed class ImageFeaturesTransformer : FeatureColumnsTransformer
{
    internal const string LoaderSignature = "MLExtImageFeatures";
    private const string ModelSignature = "MLEXTIMF";
    private const string NetworkFolder = "Network";

    internal ImageFeaturesTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, string inputColumnName)
        : base(env.Register(LoaderSignature), inputColumnName, model)
    {
        Model = model;
        OutputColumnName = outputColumnName;
        Outputs = [OutputColumn.Vector(outputColumnName, LayerCut.OutputType(Architecture))];
    }

    /// <summary>The added column.</summary>
    public string OutputColumnName { get; }

    /// <summary>The network up to the layer, with its weights. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    internal override FeatureFormat Format => Model.Format;

    /// <summary>A vector, with the dimensions [channels, height, width] if it is a flattened image.</summary>
    internal override IReadOnlyList<OutputColumn> Outputs { get; }


    internal override double MultiplyAdds => Architecture.MultiplyAdds;

    private CnnArchitecture Architecture => (CnnArchitecture)Model.Architecture;

    private protected override int PassRows => Architecture.ScoringRows;

    internal override Tensor[] Compute(Tensor features, int[] active) => [Model.Network.call(features)];

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows) => [Architecture.Write(Model.CreateGraph(context), rows)];

    internal static ImageFeaturesTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var outputColumnName = ctx.LoadNonEmptyString();
        var inputColumnName = ctx.LoadNonEmptyString();
        var model = ctx.LoadNetwork(env, NetworkFolder, "a network for image features", network => network is { Architecture: CnnArchitecture, Head: null });
        return new ImageFeaturesTransformer(env, model, outputColumnName, inputColumnName);
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = FeatureRows.Find(schema, InputColumnName);
        if (!FeatureReader.Fits(column, Format.Width))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the network needs {Architecture.Image.Shape}."), nameof(schema));
        return column;
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveModel(Model, NetworkFolder);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);
}
