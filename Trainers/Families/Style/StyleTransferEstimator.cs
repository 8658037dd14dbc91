using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Style;
using MLExtensions.Tensors;

namespace MLExtensions;

/// <summary>
/// Paints pictures in the style of others, by optimization: the picture itself is changed until a pretrained image network sees the content of
/// the one and the style of the others in it. Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", 2016.
/// </summary>
/// <remarks>
/// <para>
/// The content is compared by the outputs of a deep layer, the style by how often the channels of several layers respond together (Gram
/// matrices). <see cref="Fit"/> reads the weights and the style pictures; the rows are not read. The transformer then optimizes row by row,
/// when a row is read, and takes seconds for each: for many pictures in one style, train a network with FastStyleTransfer.
/// </para>
/// <para>
/// Pictures have any size and keep it. Transparent pictures are seen on white and keep their transparency. The same seed gives the same
/// picture on the same machine.
/// </para>
/// </remarks>
public sealed partial class StyleTransferEstimator : IEstimator<StyleTransferTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly StyleTransferPlan _plan;
    private readonly int _seed;

    internal StyleTransferEstimator(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _host = env.Register(nameof(StyleTransferEstimator));
        _options = options.Copy();
        _options.Check();
        _seed = _options.Seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();
        using var file = new LossNetworkFile(_options.WeightsPath, nameof(_options.WeightsPath), _options.Architecture);
        _plan = StyleTransferPlan.Of(_options, file.Layers);
    }

    /// <summary>The names of the layers that can be compared; where there are two names for a layer, both.</summary>
    public IReadOnlyList<string> LayerNames => _plan.LayerNames;

    /// <summary>Reads the weights and the style pictures. The transformer owns them.</summary>
    /// <param name="input">Data with the pictures; its rows are not read.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of another type, or a style picture cannot be used; the message names it.
    /// </exception>
    public StyleTransferTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _plan.CheckColumns(input.Schema);
        using var file = new LossNetworkFile(_options.WeightsPath, nameof(_options.WeightsPath), _options.Architecture);
        var network = file.Load(_host, _plan.Loss.ContentLayers.Concat(_plan.Loss.StyleLayers), _options.Pooling, nameof(_options.WeightsPath));
        try
        {
            var style = StylePictures.Read(_options, network);
            return new StyleTransferTransformer(_host, network, _options, _plan, style, _seed);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (var name in _options.InputColumns)
            PictureReader.Check(inputSchema, name);
        var columns = inputSchema.ToDictionary(column => column.Name);
        columns[_options.OutputColumnName] = new SchemaShape.Column(_options.OutputColumnName, SchemaShape.Column.VectorKind.Scalar, columns[_options.InputColumnName].ItemType, isKey: false);
        if (_options.LossColumnName is { } loss)
            columns[loss] = new SchemaShape.Column(loss, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, isKey: false);
        return new SchemaShape(columns.Values);
    }
}
