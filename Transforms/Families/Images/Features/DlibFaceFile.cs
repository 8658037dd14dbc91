using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Images;

/// <summary>
/// dlib's face network as face-api.js has it: filters as [height, width, inputs, outputs], and after each convolution a factor and a
/// number to add for each channel, which become part of the convolution.
/// </summary>
internal sealed class DlibFaceFile : WeightFile
{
    private const string Filters = "/conv/filters";
    private const string Bias = "/conv/bias";
    private const string Factors = "/scale/weights";
    private const string Added = "/scale/biases";
    private const string Dense = "fc";

    private readonly WeightManifest _manifest;

    private DlibFaceFile(string path, WeightManifest manifest, IReadOnlyList<WeightDescription> tensors)
        : base(path, tensors) => _manifest = manifest;

    private static string NameOf(string convolution) => $"{DlibFaceLayers.Features}.{convolution.Replace('/', '.')}";

    /// <exception cref="ModelFormatException">It is no manifest of such a network; the message names file and tensor.</exception>
    public static DlibFaceFile Open(string path)
    {
        var manifest = WeightManifest.Open(path);
        var tensors = new List<WeightDescription>();
        foreach (var convolution in ConvolutionsOf(manifest))
        {
            if (manifest.ShapeOf(convolution + Filters) is not [var height, var width, var inputs, var outputs])
                throw manifest.Fail($"has '{convolution + Filters}' with other than 4 dimensions: height, width, inputs, outputs");
            foreach (var part in new[] { Bias, Factors, Added })
            {
                if (manifest.ShapeOf(convolution + part) is not [var count] || count != outputs)
                    throw manifest.Fail(FormattableString.Invariant($"lacks '{convolution + part}' with {outputs} numbers, one for each filter of '{convolution + Filters}'"));
            }
            tensors.Add(new WeightDescription(NameOf(convolution) + ".weight", ScalarType.Float32, [outputs, inputs, height, width]));
            tensors.Add(new WeightDescription(NameOf(convolution) + ".bias", ScalarType.Float32, [outputs]));
        }
        if (tensors.Count == 0 || manifest.ShapeOf(Dense) is not [var features, var size])
            throw manifest.Fail($"has no tensors of {DlibFaceLayers.Network}, such as 'conv32_down{Filters}' and the matrix '{Dense}'");
        tensors.Add(new WeightDescription(Dense + ".weight", ScalarType.Float32, [size, features]));
        return new DlibFaceFile(path, manifest, tensors);
    }

    private protected override void ReadEach(Action<string, Tensor> read)
    {
        foreach (var convolution in ConvolutionsOf(_manifest))
        {
            using var scope = NewDisposeScope();
            var factors = Read(convolution + Factors);
            read(NameOf(convolution) + ".weight", Read(convolution + Filters).permute(3, 2, 0, 1).mul(factors.view(-1, 1, 1, 1)));
            read(NameOf(convolution) + ".bias", addcmul(Read(convolution + Added), Read(convolution + Bias), factors, Number.One));
        }
        using var dense = Read(Dense);
        using var transposed = dense.t();
        read(Dense + ".weight", transposed);
    }

    private static IEnumerable<string> ConvolutionsOf(WeightManifest manifest) =>
        manifest.Names.Where(name => name.EndsWith(Filters, StringComparison.Ordinal)).Select(name => name[..^Filters.Length]);

    private Tensor Read(string name) => tensor(_manifest.Read(name), dtype: ScalarType.Float32, device: CPU).view(_manifest.ShapeOf(name)!);
}
