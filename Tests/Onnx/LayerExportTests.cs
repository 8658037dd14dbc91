using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Onnx;

/// <summary>Every layer of image networks and every activation function computes the same in ONNX Runtime.</summary>
[TestClass]
public sealed class LayerExportTests
{
    private const int RowCount = 24;
    private static readonly MLContext Ml = new(1);
    private static readonly ImageShape Images = new(3, 9, 8);

    private static readonly Dictionary<string, ImageLayer[]> Cases = new()
    {
        ["convolutions"] = [new ConvolutionLayer(6, 3) { Stride = 2, Padding = 2 }, new ConvolutionLayer(8, 3) { Dilation = 2, Padding = 2, Groups = 2, Bias = false }, new ConvolutionLayer(4, 1) { Stride = 2 }],
        ["poolings"] = [new MaxPoolingLayer(3) { Stride = 2, Padding = 1, CeilMode = true }, new AveragePoolingLayer(2) { Stride = 1, Padding = 1 }, new ConvolutionLayer(4, 1)],
        ["average in ceil mode"] = [new AveragePoolingLayer(3) { Stride = 2, CeilMode = true }, new AveragePoolingLayer(3) { Stride = 2, Padding = 1, CeilMode = true }],
        ["adaptive pooling"] = [new AdaptiveAveragePoolingLayer(4, 3), new AdaptiveAveragePoolingLayer(2, 3)],
        ["global average"] = [new ConvolutionLayer(4, 3), new GlobalAveragePoolingLayer()],
        ["global maximum"] = [new ConvolutionLayer(4, 3), new GlobalMaxPoolingLayer(), new ActivationLayer(Activation.GELU), new BatchNormalizationLayer()],
        ["batch normalization"] = [new ConvolutionLayer(4, 3), new BatchNormalizationLayer { Epsilon = 0.1 }, new ActivationLayer(), new DropoutLayer()],
        ["local response, odd"] = [new ConvolutionLayer(7, 3), new LocalResponseNormalizationLayer(5) { Alpha = 1, K = 0.5 }],
        ["local response, even"] = [new ConvolutionLayer(7, 3), new LocalResponseNormalizationLayer(4) { Alpha = 1, K = 0.5 }],
        ["fire"] = [new FireLayer(3, 4, 5)],
        ["inception"] = [new InceptionLayer(2, 3, 4, 2, 3, 2)],
        ["residual"] = [new ResidualLayer([new ConvolutionLayer(6, 3) { Stride = 2, Padding = 1 }]) { Shortcut = new ConvolutionLayer(6, 1) { Stride = 2 } }, new ResidualLayer([new ConvolutionLayer(6, 3) { Padding = 1 }]) { Activation = Activation.Tanh }],
        ["padded shortcut"] = [new ResidualLayer([new ConvolutionLayer(8, 3) { Stride = 2, Padding = 1 }]) { Shortcut = new PaddedShortcutLayer(8, 2) }, new ResidualLayer([new ConvolutionLayer(5, 1)]) { HasShortcut = false }],
        ["zero padding"] = [new ResidualLayer([new ConvolutionLayer(8, 3) { Stride = 2 }]) { Shortcut = new AveragePoolingLayer(2), ZeroPadding = true }, new ResidualLayer([new ConvolutionLayer(5, 2)]) { ZeroPadding = true }],
        ["FaceNet"] = [new ConvolutionLayer(8, 3) { Padding = 1 }, .. CnnLayers.FaceNet().Skip(1).SkipLast(3).Select(layer => layer is ConvolutionLayer convolution ? convolution with { Filters = 8 } : layer), new MaxoutLayer(6, 2)],
        ["concatenation"] = [new ConcatenationLayer([new ConvolutionLayer(2, 1), new SequenceLayer([new ConvolutionLayer(3, 3) { Padding = 1 }, new ActivationLayer(Activation.ELU)])])],
        ["transposed convolution"] = [new TransposedConvolutionLayer(4, 3) { Stride = 2, Padding = 1, OutputPadding = 1 }, new TransposedConvolutionLayer(3, 1) { Stride = 2, Bias = false }],
        ["upsampling"] = [new ConvolutionLayer(2, 3), new UpsamplingLayer(3), new ConvolutionLayer(2, 3)],
        ["reshape"] = [new FlattenLayer(), new DenseLayer(24) { Bias = false }, new ReshapeLayer(2, 3, 4), new ConvolutionLayer(3, 2)],
        ["maxout"] = [new MaxoutLayer(6, 3), new MaxoutLayer(4, 2)],
        ["spectral normalization"] = [new SpectralNormalizationLayer(new ConvolutionLayer(4, 3)), new SpectralNormalizationLayer(new TransposedConvolutionLayer(3, 2)), new SpectralNormalizationLayer(new MaxoutLayer(5, 2)), new SpectralNormalizationLayer(new DenseLayer(4))],
    };

    private static readonly Dictionary<string, (ImageShape Shape, int? Crop, bool Flip, PixelScaling Scaling)> Inputs = new()
    {
        ["planar, cropped"] = (Images, 7, false, new PixelScaling { Factor = 0.5 }),
        ["interleaved, mirrored"] = (new ImageShape(3, 9, 8) { Layout = PixelLayout.Interleaved }, null, true, PixelScaling.None),
        ["scaled by channels"] = (Images, null, true, new PixelScaling { Factor = 2, Mean = [0.1, 0.2, 0.3], StandardDeviation = [0.5, 0.6, 0.7] }),
        ["shifted"] = (Images, null, false, new PixelScaling { Mean = [0.25] }),
        ["divided"] = (Images, null, false, new PixelScaling { StandardDeviation = [3] }),
        ["each standardized"] = (Images, 6, false, PixelScaling.PerImageStandardization),
    };

    public static IEnumerable<object[]> CaseNames => Cases.Keys.Select(name => new object[] { name });

    public static IEnumerable<object[]> InputNames => Inputs.Keys.Select(name => new object[] { name });

    public static IEnumerable<object[]> Activations => Enum.GetValues<Activation>().Select(activation => new object[] { activation });

    [TestMethod]
    [DynamicData(nameof(CaseNames))]
    public void Layers_SameInOnnxRuntime(string name) => Check(options => options.Layers = [.. Cases[name], new DenseLayer()]);

    [TestMethod]
    public void EveryLayer_IsAmongTheCases()
    {
        var shown = Cases.Values.SelectMany(layers => layers.SelectMany(Parts)).Append(new DenseLayer()).Select(layer => layer.GetType()).ToHashSet();
        var all = typeof(ImageLayer).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ImageLayer)) && !type.IsAbstract);
        CollectionAssert.IsSubsetOf(all.ToArray(), shown.ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(InputNames))]
    public void Input_SameInOnnxRuntime(string name) => Check(options =>
    {
        (options.ImageShape, options.CropSize, options.TestTimeFlip, options.PixelScaling) = Inputs[name];
        options.Layers = [new ConvolutionLayer(4, 3), new ActivationLayer(), new DenseLayer()];
    });

    [TestMethod]
    [DynamicData(nameof(Activations))]
    public void Activation_SameInOnnxRuntime(Activation activation)
    {
        Check(options => options.Layers = [new ConvolutionLayer(4, 3), new ActivationLayer(activation), new DenseLayer()]);
        using var model = Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options
        {
            LabelColumnName = nameof(Row.Target),
            HiddenLayers = [new HiddenLayer(9) { Activation = activation }, new HiddenLayer(7) { Activation = activation, BatchNormalization = true, Dropout = 0.5 }],
            Epochs = 1,
        }).Fit(Data);
        Exported.AssertSame(Ml, model, Data, ["Score"]);
    }

    [TestMethod]
    public void Slope_IsWritten() => Check(options => options.Layers = [new ConvolutionLayer(4, 3), new ActivationLayer(Activation.LeakyReLU) { Slope = 0.3 }, new DenseLayer()]);

    private static IDataView Data
    {
        get
        {
            var random = new Random(TestSeed.Of(1));
            return Ml.Data.LoadFromEnumerable(Enumerable.Range(0, RowCount).Select(_ => new Row
            {
                Features = Enumerable.Range(0, (int)Images.Count).Select(_ => (random.NextSingle() * 2) - 1).ToArray(),
                Target = random.NextSingle(),
            }).ToArray());
        }
    }

    private static void Check(Action<CnnRegressionTrainer.Options> change)
    {
        var options = new CnnRegressionTrainer.Options { LabelColumnName = nameof(Row.Target), ImageShape = Images, Epochs = 1, BatchSize = 8, ThreadCount = 1 };
        change(options);
        using var model = Ml.Regression.Trainers.Cnn(options).Fit(Data);
        Exported.AssertSame(Ml, model, Data, ["Score"]);
    }

    private static IEnumerable<ImageLayer> Parts(ImageLayer layer) => layer switch
    {
        SequenceLayer sequence => sequence.Layers.SelectMany(Parts).Append(layer),
        ConcatenationLayer concatenation => concatenation.Branches.SelectMany(Parts).Append(layer),
        ResidualLayer residual => residual.Layers.Append(residual.Shortcut).OfType<ImageLayer>().SelectMany(Parts).Append(layer),
        SpectralNormalizationLayer norm => [layer, norm.Layer],
        _ => [layer],
    };

    private sealed class Row
    {
        [VectorType(216)]
        public float[] Features { get; set; } = [];

        public float Target { get; set; }
    }
}
