namespace MLExtensions.Tests.Images;

/// <summary>Layers that do not fit are refused before the data is read, by the layer's path.</summary>
[TestClass]
public sealed class LayerRefusalTests
{
    private static readonly ImageShape Shape = new(3, 8, 8);

    private static readonly Dictionary<string, (ImageLayer[] Layers, string[] Message)> Wrong = new()
    {
        ["window larger than the image"] = (
            [new SequenceLayer([new MaxPoolingLayer(2), new ConvolutionLayer(4, 7) { Padding = 1, Name = "big" }]) { Name = "features" }, new DenseLayer()],
            ["'features.big' (convolution 7x7)", "kernel of 7", "4 + 2 x 1 padding = 6"]),
        ["dilated window larger than the image"] = ([new ConvolutionLayer(4, 5) { Dilation = 2 }, new DenseLayer()], ["'0'", "kernel of 9", "8 + 2 x 0 padding = 8"]),
        ["pooling window larger than the image"] = ([new AveragePoolingLayer(9), new DenseLayer()], ["'0' (average pooling 9x9)", "kernel of 9"]),
        ["pooling padded too much"] = ([new MaxPoolingLayer(3) { Padding = 2 }, new DenseLayer()], ["'0'", "padding is 2", "at most half"]),
        ["groups that do not divide the channels"] = ([new ConvolutionLayer(4, 3) { Groups = 2 }, new DenseLayer()], ["'0'", "groups is 2", "3 channels", "4 filters"]),
        ["groups that do not divide the filters"] = ([new ConvolutionLayer(4, 3) { Groups = 3 }, new DenseLayer()], ["'0'", "groups is 3"]),
        ["no groups"] = ([new ConvolutionLayer(4, 3) { Groups = 0 }, new DenseLayer()], ["'0'", "groups is 0"]),
        ["transposed: no filters"] = ([new TransposedConvolutionLayer(0, 3), new DenseLayer()], ["'0'", "filters is 0"]),
        ["transposed: no window"] = ([new TransposedConvolutionLayer(4, 0), new DenseLayer()], ["'0'", "kernel size 0"]),
        ["transposed: negative padding"] = ([new TransposedConvolutionLayer(4, 3) { Padding = -1 }, new DenseLayer()], ["'0'", "padding -1"]),
        ["transposed: padding of everything"] = ([new TransposedConvolutionLayer(4, 3) { Padding = 5 }, new DenseLayer()], ["'0'", "output height would be 0"]),
        ["transposed: output padding of a stride"] = ([new TransposedConvolutionLayer(4, 3) { Stride = 2, OutputPadding = 2 }, new DenseLayer()], ["'0'", "output padding is 2", "below the stride, 2"]),
        ["transposed on a vector"] = ([new DenseLayer(8), new TransposedConvolutionLayer(4, 3), new DenseLayer()], ["'1'", "vector of 8"]),
        ["upsampling by nothing"] = ([new UpsamplingLayer(0), new DenseLayer()], ["'0'", "factor is 0"]),
        ["reshape to another number"] = ([new ReshapeLayer(3, 8, 7), new DenseLayer()], ["'0' (reshape)", "192 values", "168"]),
        ["reshape to nothing"] = ([new ReshapeLayer(0, 8, 8), new DenseLayer()], ["'0'", "channels 0"]),
        ["maxout of no pieces"] = ([new MaxoutLayer(4, 0), new DenseLayer()], ["'0'", "pieces 0"]),
        ["spectral normalization of an activation"] = ([new SpectralNormalizationLayer(new ActivationLayer()), new DenseLayer()], ["'0' (spectral normalization)", "ReLU"]),
        ["spectral normalization of nothing"] = ([new SpectralNormalizationLayer(null!), new DenseLayer()], ["'0'", "missing"]),
        ["slope of a function without one"] = ([new ActivationLayer(Activation.Tanh) { Slope = 0.2 }, new DenseLayer()], ["'0'", "LeakyReLU"]),
        ["slope of 1"] = ([new ActivationLayer(Activation.LeakyReLU) { Slope = 1 }, new DenseLayer()], ["'0'", "slope is 1"]),
        ["no filters"] = ([new ConvolutionLayer(0, 3), new DenseLayer()], ["'0'", "filters is 0"]),
        ["no window"] = ([new ConvolutionLayer(4, 0), new DenseLayer()], ["'0'", "kernel size 0"]),
        ["no stride"] = ([new ConvolutionLayer(4, 3) { Stride = 0 }, new DenseLayer()], ["'0'", "stride 0"]),
        ["negative padding"] = ([new MaxPoolingLayer(3) { Padding = -1 }, new DenseLayer()], ["'0'", "padding -1"]),
        ["sum of different channels"] = ([new ResidualLayer([new ConvolutionLayer(5, 3) { Padding = 1 }]) { Name = "block" }, new DenseLayer()], ["'block' (residual block)", "5 x 8 x 8", "3 x 8 x 8"]),
        ["sum of different sizes"] = (
            [new ResidualLayer([new ConvolutionLayer(3, 3) { Padding = 1 }]) { Shortcut = new PaddedShortcutLayer(3, 2) }, new DenseLayer()],
            ["'0'", "3 x 8 x 8", "3 x 4 x 4"]),
        ["sum of image and vector"] = (
            [new ResidualLayer([new GlobalAveragePoolingLayer()]) { ZeroPadding = true }, new DenseLayer()],
            ["'0'", "return 3", "3 x 8 x 8", "both images"]),
        ["shortcut that takes channels away"] = (
            [new ResidualLayer([new ConvolutionLayer(2, 3) { Padding = 1 }]) { Shortcut = new PaddedShortcutLayer(2, 1) }, new DenseLayer()],
            ["'0.downsample'", "channels is 2", "at least 3, the channels of the input"]),
        ["concatenation of different sizes"] = ([new ConcatenationLayer([new ConvolutionLayer(4, 3), new ConvolutionLayer(4, 1)]) { Name = "fork" }, new DenseLayer()], ["'fork' (concatenation)", "4 x 6 x 6 and 4 x 8 x 8"]),
        ["concatenation of image and vector"] = ([new ConcatenationLayer([new ConvolutionLayer(4, 1), new FlattenLayer()]), new DenseLayer()], ["'0'", "4 x 8 x 8 and 192"]),
        ["last layer of other units"] = ([new FlattenLayer(), new DenseLayer(4) { Name = "head" }], ["'head' (dense)", "returns 4", "vector of 3"]),
        ["last layer an image"] = ([new ConvolutionLayer(null, 1)], ["'0'", "returns 3 x 8 x 8", "vector of 3"]),
        ["image layer behind a vector"] = ([new DenseLayer(8), new MaxPoolingLayer(2), new DenseLayer()], ["'1' (max pooling 2x2)", "vector of 8"]),
        ["two layers of one name"] = ([new ConvolutionLayer(4, 1) { Name = "a" }, new ConvolutionLayer(4, 1) { Name = "a" }, new DenseLayer()], ["'a'", "same name"]),
        ["a name that is another's position"] = ([new ConvolutionLayer(4, 1) { Name = "1" }, new DenseLayer()], ["'1'", "same name"]),
        ["two branches of one name"] = (
            [new ConcatenationLayer([new ConvolutionLayer(4, 1) { Name = "1" }, new ConvolutionLayer(4, 1)]) { Name = "fork" }, new DenseLayer()],
            ["'fork.1'", "same name"]),
        ["a shortcut of a layer's name"] = (
            [new ResidualLayer([new ConvolutionLayer(3, 1) { Name = "downsample" }]) { Shortcut = new PaddedShortcutLayer(3, 1) }, new DenseLayer()],
            ["'0.downsample'", "same name"]),
        ["a name with a dot"] = ([new ConvolutionLayer(4, 1) { Name = "a.b" }, new DenseLayer()], ["'a.b'", "dot"]),
        ["an empty name"] = ([new DenseLayer { Name = "" }], ["''", "empty"]),
        ["an empty sequence"] = ([new SequenceLayer([]), new DenseLayer()], ["'0' (sequence)", "no layers"]),
        ["an empty concatenation"] = ([new ConcatenationLayer([]), new DenseLayer()], ["'0' (concatenation)", "no branches"]),
        ["an empty residual block"] = ([new ResidualLayer([]), new DenseLayer()], ["'0' (residual block)", "no layers"]),
        ["a null layer inside"] = ([new SequenceLayer([new ConvolutionLayer(4, 1), null!]) { Name = "features" }, new DenseLayer()], ["Layer 1", "'features'", "null"]),
        ["a null branch"] = ([new ConcatenationLayer([new ConvolutionLayer(4, 1), null!]) { Name = "fork" }, new DenseLayer()], ["Layer 1", "'fork'", "null"]),
        ["a sum with parameters"] = ([new ResidualLayer([new ConvolutionLayer(3, 1)]) { Activation = Activation.PReLU }, new DenseLayer()], ["'0'", "PReLU"]),
        ["an unknown activation"] = ([new ActivationLayer((Activation)77), new DenseLayer()], ["'0'", "77"]),
        ["dropout of everything"] = ([new DropoutLayer(1), new DenseLayer()], ["'0'", "probability is 1"]),
        ["dropout of not a number"] = ([new DropoutLayer(double.NaN), new DenseLayer()], ["'0'", "probability is NaN"]),
        ["normalization without epsilon"] = ([new BatchNormalizationLayer { Epsilon = 0 }, new DenseLayer()], ["'0'", "epsilon is 0"]),
        ["normalization without momentum"] = ([new BatchNormalizationLayer { Momentum = 0 }, new DenseLayer()], ["'0'", "momentum is 0"]),
        ["response normalization over nothing"] = ([new LocalResponseNormalizationLayer(0), new DenseLayer()], ["'0'", "size is 0"]),
        ["response normalization that divides by 0"] = ([new LocalResponseNormalizationLayer { K = 0 }, new DenseLayer()], ["'0'", "k 0"]),
        ["a grid of nothing"] = ([new AdaptiveAveragePoolingLayer(0, 2), new DenseLayer()], ["'0'", "height and width"]),
        ["a block with an empty branch"] = ([new InceptionLayer(2, 2, 0, 2, 2, 2) { Name = "mixed" }, new DenseLayer()], ["'mixed.branch2.1.conv'", "filters is 0"]),
        ["a fire block without squeeze"] = ([new FireLayer(0, 2, 2) { Name = "fire" }, new DenseLayer()], ["'fire.squeeze'", "filters is 0"]),
        ["larger than any machine"] = ([new DenseLayer(int.MaxValue), new DenseLayer(int.MaxValue), new DenseLayer(int.MaxValue), new DenseLayer()], ["too large for any computer"]),
        ["an image larger than any machine"] = ([new ConvolutionLayer(1 << 22, 1) { Padding = (1 << 20) - 4 }, new DenseLayer()], ["'0'", "4194304 x 2097152 x 2097152"]),
        ["nothing to train"] = ([new GlobalAveragePoolingLayer()], ["weights"]),
        ["nested too deeply"] = ([Nested(40), new DenseLayer()], ["nested"]),
    };

    public static IEnumerable<object[]> Names => Wrong.Keys.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Fit_RefusesByPath(string name)
    {
        var (layers, parts) = Wrong[name];
        // A row that would be refused if it were read first.
        var rows = ImageSample.Rows(Shape.Count, 4);
        rows[0].Features = new Microsoft.ML.Data.VBuffer<float>((int)Shape.Count, Enumerable.Repeat(float.NaN, (int)Shape.Count).ToArray());
        var message = Assert.Throws<ArgumentException>(() => ImageSample.Fit(ImageSample.Options(layers), ImageSample.View(rows, 3, 8, 8))).Message;
        foreach (var part in parts)
            Assert.Contains(part, message);
    }

    [TestMethod]
    public void LayersOption_IsCheckedAtConstruction()
    {
        Assert.Contains("Layers", Assert.Throws<ArgumentException>(() => ImageSample.Fit(ImageSample.Options(), ImageSample.View(Shape, 4))).Message);
        Assert.Contains("Layers[1]", Assert.Throws<ArgumentException>(() => ImageSample.Fit(ImageSample.Options(new FlattenLayer(), null!), ImageSample.View(Shape, 4))).Message);
        var options = ImageSample.Options();
        options.Layers = null!;
        Assert.Contains("Layers", Assert.Throws<ArgumentException>(() => ImageSample.Fit(options, ImageSample.View(Shape, 4))).Message);
    }

    /// <summary>One pixel less than a preset needs.</summary>
    [TestMethod]
    public void SmallestImages_OneLessIsRefusedByTheLayer()
    {
        foreach (var (name, preset) in Presets.Cnn)
        {
            var shape = new ImageShape(preset.Channels, preset.SmallestSide - 1, preset.SmallestSide - 1);
            var options = ImageSample.Options([.. preset.Layers]);
            options.ImageShape = shape;
            var error = Assert.Throws<ArgumentException>(() => ImageSample.Fit(options, ImageSample.View(shape, 2)), name);
            Assert.Contains("kernel of", error.Message);
        }
    }

    [TestMethod]
    [DataRow(9, "6n + 2")]
    [DataRow(2, "6n + 2")]
    [DataRow(18, "6n + 2")]
    public void ResNetDepth_IsRefusedAtConstruction(int depth, string message)
    {
        var ml = new Microsoft.ML.MLContext(1);
        var error = Assert.Throws<ArgumentException>(() => ml.MulticlassClassification.Trainers.ResNet(new ResNetMulticlassTrainer.Options { Depth = depth }));
        Assert.Contains("Depth", error.Message);
        Assert.Contains(message, error.Message);
        error = Assert.Throws<ArgumentException>(() => ml.MulticlassClassification.Trainers.ResNet(new ResNetMulticlassTrainer.Options { Form = ResNetForm.ImageNet, Depth = 20 }));
        Assert.Contains("18, 34, 50, 101, 152", error.Message);
    }

    private static SequenceLayer Nested(int depth) => new([depth == 1 ? new ConvolutionLayer(2, 1) : Nested(depth - 1)]);
}
