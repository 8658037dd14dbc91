using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.BadInput;

/// <summary>A row with a column of every type that somebody might pass.</summary>
internal sealed class BadRow
{
    [VectorType(4)]
    public float[] Features { get; set; } = [];

    [VectorType(192)]
    public float[] Pixels { get; set; } = [];

    public float[] Values { get; set; } = [];

    [VectorType(3)]
    public double[] Doubles { get; set; } = [1, 2, 3];

    [VectorType(2)]
    public string[] Words { get; set; } = ["a", "b"];

    public string? Text { get; set; } = "";

    public bool Flag { get; set; }

    [KeyType(3)]
    public uint Class { get; set; }

    public float Target { get; set; }

    public float Weight { get; set; } = 1;

    public double Wide { get; set; }

    public DateTime Time { get; set; }

    public string Group { get; set; } = "g";

    public static BadRow[] Create(int count) => Enumerable.Range(0, count).Select(i => new BadRow
    {
        Features = [i % 2, i % 3 / 2f, i % 5 / 4f, i % 7 / 6f],
        Pixels = Enumerable.Range(0, 192).Select(p => (float)((p * (i + 1)) % 256)).ToArray(),
        Values = Enumerable.Range(0, 1 + (i % 4)).Select(k => k + (0.5f * i)).ToArray(),
        Text = $"w{i % 2} w{i % 3} w{i % 5}",
        Flag = i % 2 == 0,
        Class = (uint)(1 + (i % 3)),
        Target = i,
        Wide = i,
        Time = new DateTime(2020, 1, 1).AddDays(i),
        Group = $"g{i % 4}",
    }).ToArray();
}

/// <summary>An estimator of each family, small, that would report an epoch at once.</summary>
internal static class Bad
{
    private static readonly Dictionary<string, ITransformer> Models = [];

    public static MLContext Ml { get; } = new(1);

    public static IDataView View(Action<BadRow[]>? spoil = null, int count = 24)
    {
        var rows = BadRow.Create(count);
        spoil?.Invoke(rows);
        return Ml.Data.LoadFromEnumerable(rows);
    }

    public static MlpBinaryTrainer Binary(Action<MlpBinaryTrainer.Options>? change = null) => Ml.BinaryClassification.Trainers.Mlp(With(new MlpBinaryTrainer.Options { LabelColumnName = "Flag", HiddenLayers = [4] }, change));

    public static MlpMulticlassTrainer Multiclass(Action<MlpMulticlassTrainer.Options>? change = null) => Ml.MulticlassClassification.Trainers.Mlp(With(new MlpMulticlassTrainer.Options { LabelColumnName = "Class", HiddenLayers = [4] }, change));

    public static MlpRegressionTrainer Regression(Action<MlpRegressionTrainer.Options>? change = null) => Ml.Regression.Trainers.Mlp(With(new MlpRegressionTrainer.Options { LabelColumnName = "Target", HiddenLayers = [4] }, change));

    public static CnnMulticlassTrainer Cnn(Action<CnnMulticlassTrainer.Options>? change = null) => Ml.MulticlassClassification.Trainers.Cnn(With(
        new CnnMulticlassTrainer.Options { LabelColumnName = "Class", FeatureColumnName = "Pixels", ImageShape = new ImageShape(3, 8, 8), Layers = [new ConvolutionLayer(2, 3), new FlattenLayer(), new DenseLayer()] }, change));

    public static CnnMulticlassTrainer Cnn(params ImageLayer[] layers) => Cnn(o => o.Layers = layers);

    public static ResNetBinaryTrainer ResNet(Action<ResNetBinaryTrainer.Options>? change = null) => Ml.BinaryClassification.Trainers.ResNet(With(
        new ResNetBinaryTrainer.Options { LabelColumnName = "Flag", FeatureColumnName = "Pixels", ImageShape = new ImageShape(3, 8, 8), Depth = 8, BaseChannels = 2 }, change));

    public static RecurrentRegressionTrainer Recurrent(string features, Action<RecurrentRegressionTrainer.Options>? change = null) => Ml.Regression.Trainers.Recurrent(With(
        new RecurrentRegressionTrainer.Options { LabelColumnName = "Target", FeatureColumnName = features, HiddenUnits = 4, EmbeddingSize = 4 }, change));

    public static LanguageModelEstimator Language(Action<LanguageModelEstimator.Options>? change = null) => Ml.LanguageModels.Trainers.Lstm(With(new LanguageModelEstimator.Options { HiddenUnits = 4, WindowLength = 5, BatchSize = 2 }, change));

    public static LstmForecastingEstimator Forecaster(Action<LstmForecastingEstimator.Options>? change = null) => Ml.Forecasting.ForecastByLstm(With(
        new LstmForecastingEstimator.Options { InputColumnName = "Target", WindowSize = 4, Horizon = 2, HiddenUnits = 4 }, change));

    public static RbmEstimator Rbm(Action<RbmEstimator.Options>? change = null) => Ml.Transforms.Rbm(With(new RbmEstimator.Options { OutputColumnName = "Codes", HiddenLayers = [3, 2] }, change));

    public static AutoencoderEstimator Autoencoder(Action<AutoencoderEstimator.Options>? change = null) => Ml.Transforms.Autoencoder(With(new AutoencoderEstimator.Options { OutputColumnName = "Codes", HiddenLayers = [3] }, change));

    /// <summary>A model of the corpus, loaded once.</summary>
    public static ITransformer Model(string name) =>
        Models.TryGetValue(name, out var model) ? model : Models[name] = Ml.Model.Load(ModelPath(name), out _);

    public static string ModelPath(string name) => Path.Combine(AppContext.BaseDirectory, "Models", name + ".zip");

    /// <summary>Reads every value of every column.</summary>
    public static void Read(IDataView data)
    {
        foreach (var column in data.Schema.Where(column => !column.IsHidden && column.Type is NumberDataViewType or VectorDataViewType { ItemType: NumberDataViewType }))
            _ = column.Type is VectorDataViewType { ItemType.RawType: var item } ? item == typeof(float) ? data.GetColumn<float[]>(column).Count() : 0
                : column.Type.RawType == typeof(float) ? data.GetColumn<float>(column).Count() : 0;
    }

    private static T With<T>(T options, Action<T>? change)
        where T : TrainingOptions
    {
        (options.Epochs, options.Seed, options.ThreadCount, options.Progress) = (1, 1, 1, BadCase.Watch);
        change?.Invoke(options);
        return options;
    }
}
