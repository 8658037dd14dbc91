using Microsoft.ML;

namespace MLExtensions.Fuzz;

/// <summary>A kind of training: how its options are made, and how it is trained with them.</summary>
internal sealed record Family(string Name, Func<Random, TrainingOptions> CreateOptions, Func<MLContext, TrainingOptions, IEstimator<ITransformer>> CreateEstimator)
{
    public static readonly Family[] All =
    [
        Of<MlpBinaryTrainer.Options>("MlpBinary", _ => new() { LabelColumnName = nameof(Row.Flag) }, (ml, o) => ml.BinaryClassification.Trainers.Mlp(o)),
        Of<MlpMulticlassTrainer.Options>("MlpMulticlass", _ => new(), (ml, o) => ml.MulticlassClassification.Trainers.Mlp(o)),
        Of<MlpRegressionTrainer.Options>("MlpRegression", _ => new() { LabelColumnName = nameof(Row.Target) }, (ml, o) => ml.Regression.Trainers.Mlp(o)),
        Of<CnnBinaryTrainer.Options>("CnnBinary", random => Cnn(random, new CnnBinaryTrainer.Options() { LabelColumnName = nameof(Row.Flag) }), (ml, o) => ml.BinaryClassification.Trainers.Cnn(o)),
        Of<CnnMulticlassTrainer.Options>("CnnMulticlass", random => Cnn(random, new CnnMulticlassTrainer.Options()), (ml, o) => ml.MulticlassClassification.Trainers.Cnn(o)),
        Of<CnnRegressionTrainer.Options>("CnnRegression", random => Cnn(random, new CnnRegressionTrainer.Options() { LabelColumnName = nameof(Row.Target) }), (ml, o) => ml.Regression.Trainers.Cnn(o)),
        Of<ResNetBinaryTrainer.Options>("ResNetBinary", random => ResNet(random, new ResNetBinaryTrainer.Options() { LabelColumnName = nameof(Row.Flag) }), (ml, o) => ml.BinaryClassification.Trainers.ResNet(o)),
        Of<ResNetMulticlassTrainer.Options>("ResNetMulticlass", random => ResNet(random, new ResNetMulticlassTrainer.Options()), (ml, o) => ml.MulticlassClassification.Trainers.ResNet(o)),
        Of<ResNetRegressionTrainer.Options>("ResNetRegression", random => ResNet(random, new ResNetRegressionTrainer.Options() { LabelColumnName = nameof(Row.Target) }), (ml, o) => ml.Regression.Trainers.ResNet(o)),
        Of<RecurrentBinaryTrainer.Options>("RecurrentBinary", random => Recurrent(random, new RecurrentBinaryTrainer.Options() { LabelColumnName = nameof(Row.Flag) }), (ml, o) => ml.BinaryClassification.Trainers.Recurrent(o)),
        Of<RecurrentMulticlassTrainer.Options>("RecurrentMulticlass", random => Recurrent(random, new RecurrentMulticlassTrainer.Options()), (ml, o) => ml.MulticlassClassification.Trainers.Recurrent(o)),
        Of<RecurrentRegressionTrainer.Options>("RecurrentRegression", random => Recurrent(random, new RecurrentRegressionTrainer.Options() { LabelColumnName = nameof(Row.Target) }), (ml, o) => ml.Regression.Trainers.Recurrent(o)),
        Of<LanguageModelEstimator.Options>("LanguageModel", _ => new() { TextColumnName = nameof(Row.Text), WindowLength = 5 }, (ml, o) => ml.LanguageModels.Trainers.Lstm(o)),
        Of<LstmForecastingEstimator.Options>("Forecast", _ => new() { InputColumnName = nameof(Row.Target), OutputColumnName = "Forecast", WindowSize = 4, Horizon = 2 }, (ml, o) => ml.Forecasting.ForecastByLstm(o)),
        Of<RbmEstimator.Options>("Rbm", _ => new() { InputColumnName = nameof(Row.Features), HiddenLayers = [new RbmLayer(5)] }, (ml, o) => ml.Transforms.Rbm(o)),
        Of<RbmEstimator.Options>("StackedRbm", random => new() { InputColumnName = nameof(Row.Features), HiddenLayers = [new RbmLayer(6), new RbmLayer(1 + random.Next(5))] }, (ml, o) => ml.Transforms.Rbm(o)),
        Of<GanEstimator.Options>("Gan", random => Gan(random, new GanEstimator.Options()), (ml, o) => ml.GenerativeModels.Trainers.Gan(o)),
        Of<DcganEstimator.Options>("Dcgan", random => Gan(random, new DcganEstimator.Options() { ImageShape = new ImageShape(1, Row.Side, Row.Side) }), (ml, o) => ml.GenerativeModels.Trainers.Dcgan(o)),
        Of<AutoencoderEstimator.Options>("Autoencoder", _ => new() { InputColumnName = nameof(Row.Features) }, (ml, o) => ml.Transforms.Autoencoder(o)),
    ];

    private static Family Of<TOptions>(string name, Func<Random, TOptions> create, Func<MLContext, TOptions, IEstimator<ITransformer>> estimator)
        where TOptions : TrainingOptions =>
        new(name, create, (ml, options) => estimator(ml, (TOptions)options));

    private static TOptions Cnn<TOptions>(Random random, TOptions options)
        where TOptions : CnnOptions
    {
        options.ImageShape = Shape(random);
        var layers = new List<ImageLayer>();
        for (var i = random.Next(3); i >= 0; i--)
        {
            layers.Add(new ConvolutionLayer(1 + random.Next(9), 1 + random.Next(3)) { Stride = 1 + random.Next(2), Padding = random.Next(2), Bias = random.Next(2) == 0 });
            if (random.Next(3) == 0)
                layers.Add(new BatchNormalizationLayer());
            if (random.Next(2) == 0)
                layers.Add(new ActivationLayer((Activation)random.Next(Enum.GetValues<Activation>().Length)));
            if (random.Next(4) == 0)
                layers.Add(new DropoutLayer(0.9 * random.NextDouble()));
        }
        if (random.Next(3) == 0)
            layers.Add(random.Next(2) == 0 ? new GlobalAveragePoolingLayer() : new GlobalMaxPoolingLayer());
        layers.Add(new FlattenLayer());
        layers.Add(new DenseLayer());
        options.Layers = layers;
        return options;
    }

    private static TOptions ResNet<TOptions>(Random random, TOptions options)
        where TOptions : ResNetOptions
    {
        options.ImageShape = Shape(random);
        options.Form = random.Next(4) == 0 ? ResNetForm.ImageNet : ResNetForm.Cifar;
        options.Depth = options.Form == ResNetForm.Cifar ? 8 : 18;
        options.BaseChannels = 1 + random.Next(6);
        return options;
    }

    private static TOptions Recurrent<TOptions>(Random random, TOptions options)
        where TOptions : RecurrentOptions
    {
        if (random.Next(2) == 0)
        {
            options.FeatureColumnName = nameof(Row.Text);
            options.EmbeddingSize = 1 + random.Next(8);
            return options;
        }
        options.FeatureColumnName = nameof(Row.Sequence);
        options.StepSize = new[] { 1, 2, 3, Row.SequenceLength }[random.Next(4)];
        return options;
    }

    /// <summary>Any layers that a sample of 36 values can come from: dense ones, or images that are enlarged.</summary>
    private static TOptions Gan<TOptions>(Random random, TOptions options)
        where TOptions : GanOptions
    {
        var isImage = options.ImageShape != null;
        options.LabelColumnName = random.Next(2) == 0 ? "Label" : null;
        (options.NoiseColumnName, options.SeedColumnName) = random.Next(4) switch { 0 => (nameof(Row.Sequence), null), 1 => (null, "Label"), _ => (default(string), default(string)) };
        options.ValueRange = random.Next(4) == 0 ? new ValueRange(-1, 2) : null;
        options.DiscriminatorOptimizer = random.Next(2) == 0 ? new SgdOptimizer() : null;
        options.Networks = new GanNetworks
        {
            LatentSize = Row.SequenceLength,
            LatentDistribution = (LatentDistribution)random.Next(2),
            GeneratorLatent = random.Next(3) == 0 ? [new DenseLayer(1 + random.Next(5))] : [],
            GeneratorLabel = random.Next(3) == 0 ? [new DenseLayer(1 + random.Next(5)) { Bias = false }] : [],
            Generator = [.. isImage ? Enlarging(random) : Dense(random), .. random.Next(4) == 0 && options.ValueRange == null ? [] : new ImageLayer[] { new ActivationLayer(random.Next(2) == 0 ? Activation.Tanh : Activation.Sigmoid) }],
            DiscriminatorSample = random.Next(4) == 0 ? [new MaxoutLayer(1 + random.Next(5), 1 + random.Next(3))] : [],
            DiscriminatorLabel = random.Next(4) == 0 ? [new DenseLayer(1 + random.Next(5))] : [],
            Discriminator = isImage && random.Next(4) != 0
                ? [Normalized(random, new ConvolutionLayer(1 + random.Next(5), 1 + random.Next(4)) { Stride = 1 + random.Next(2), Padding = random.Next(2) }), .. Between(random), new DenseLayer()]
                : [Normalized(random, random.Next(2) == 0 ? new MaxoutLayer(1 + random.Next(5), 1 + random.Next(3)) : new DenseLayer(1 + random.Next(5))), .. Between(random), Normalized(random, new DenseLayer())],
            ProjectsLabel = random.Next(3) == 0,
        };
        return options;
    }

    private static IEnumerable<ImageLayer> Dense(Random random) => [new DenseLayer(1 + random.Next(9)), .. Between(random), Normalized(random, new DenseLayer())];

    private static IEnumerable<ImageLayer> Enlarging(Random random)
    {
        var channels = 1 + random.Next(4);
        return
        [
            new DenseLayer(channels * 3 * 3),
            new ReshapeLayer(channels, 3, 3),
            .. Between(random),
            .. random.Next(3) switch
            {
                0 => [new UpsamplingLayer(), new ConvolutionLayer(1, 3) { Padding = 1 }],
                1 => [new TransposedConvolutionLayer(1, 3) { Stride = 2, Padding = 1, OutputPadding = 1 }],
                _ => new ImageLayer[] { Normalized(random, new TransposedConvolutionLayer(1, 4) { Stride = 2, Padding = 1, Bias = random.Next(2) == 0 }) },
            },
        ];
    }

    private static IEnumerable<ImageLayer> Between(Random random)
    {
        if (random.Next(3) == 0)
            yield return new BatchNormalizationLayer();
        if (random.Next(2) == 0)
            yield return new ActivationLayer((Activation)random.Next(Enum.GetValues<Activation>().Length));
        if (random.Next(4) == 0)
            yield return new DropoutLayer(0.9 * random.NextDouble());
    }

    private static ImageLayer Normalized(Random random, ImageLayer layer) => random.Next(3) == 0 ? new SpectralNormalizationLayer(layer) : layer;

    private static ImageShape Shape(Random random) => random.Next(2) == 0
        ? new ImageShape(1, Row.Side, Row.Side)
        : new ImageShape(4, Row.Side / 2, Row.Side / 2);
}
