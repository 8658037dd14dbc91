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

    private static ImageShape Shape(Random random) => random.Next(2) == 0
        ? new ImageShape(1, Row.Side, Row.Side)
        : new ImageShape(4, Row.Side / 2, Row.Side / 2);
}
