using System.Collections;
using System.Reflection;
using MLExtensions.Engine;

namespace MLExtensions.Tests.Engine;

/// <summary>What a checkpoint's fingerprint says of the options: all of them, but those that are listed here.</summary>
[TestClass]
public sealed class FingerprintTests
{
    /// <summary>How training runs and what it leaves behind; and the initial weights, which the fingerprint has as they are.</summary>
    private static readonly string[] OfAll =
    [
        "Epochs", "Seed", "Device", "ThreadCount", "TensorBoardFolder", "CheckpointFolder", "CheckpointInterval", "ResumeFromCheckpoint", "Progress", "CancellationToken",
        "InitialModel", "InitialWeightsPath", "InitialWeightsMatch", "Distributed", "GlobalBatchSize",
    ];

    /// <summary>Names of columns, whose values the checksum of the data has, and what only scoring looks at.</summary>
    private static readonly Dictionary<Type, string[]> OfFamilies = new()
    {
        [typeof(MlpBinaryTrainer.Options)] = Labeled(),
        [typeof(MlpMulticlassTrainer.Options)] = Labeled(),
        [typeof(MlpRegressionTrainer.Options)] = Labeled(),
        [typeof(CnnBinaryTrainer.Options)] = Labeled(),
        [typeof(CnnMulticlassTrainer.Options)] = Labeled(),
        [typeof(CnnRegressionTrainer.Options)] = Labeled(),
        [typeof(ResNetBinaryTrainer.Options)] = Labeled(),
        [typeof(ResNetMulticlassTrainer.Options)] = Labeled(),
        [typeof(ResNetRegressionTrainer.Options)] = Labeled(),
        [typeof(RecurrentBinaryTrainer.Options)] = Labeled("Tokenization"),
        [typeof(RecurrentMulticlassTrainer.Options)] = Labeled("Tokenization"),
        [typeof(RecurrentRegressionTrainer.Options)] = Labeled("Tokenization"),
        [typeof(RbmEstimator.Options)] = ["OutputColumnName", "InputColumnName", "ReconstructionColumnName", "FreeEnergyColumnName", "Output"],
        [typeof(AutoencoderEstimator.Options)] = ["OutputColumnName", "InputColumnName", "ReconstructionColumnName", "ErrorColumnName"],
        [typeof(LstmForecastingEstimator.Options)] = ["OutputColumnName", "InputColumnName", "GroupColumnName", "ExtraColumnNames", "TimeColumnName", "TimeGapHandling"],
        [typeof(GanEstimator.Options)] = OfGans,
        [typeof(DcganEstimator.Options)] = OfGans,
        // Pictures and weights are in the fingerprint themselves, wherever they are from.
        [typeof(FastStyleTransferEstimator.Options)] =
            ["OutputColumnName", "InputColumnName", "StyleColumnName", "StylePaths", "StyleImages", "StyleNames", "StyleScale", "WeightsPath", "Architecture"],
        [typeof(DqnEstimator.Options)] =
        [
            "StateColumnName", "ActionColumnName", "RewardColumnName", "NextStateColumnName", "EpisodeColumnName", "StepColumnName", "TerminatedColumnName", "TruncatedColumnName",
            "ActionMaskColumnName", "NextActionMaskColumnName", "OutputColumnName", "ActionValuesColumnName",
        ],
        [typeof(ImageEmbeddingEstimator.Options)] = OfEmbeddings,
        [typeof(DenseEmbeddingEstimator.Options)] = OfEmbeddings,
        [typeof(LanguageModelEstimator.Options)] = ["TextColumnName", "Tokenization", "ContextColumnName", "TokenFeatures"],
        [typeof(SequenceToSequenceEstimator.Options)] = ["SourceColumnName", "TargetColumnName", "OutputColumnName", "Tokenization", "TargetTokenization", "Decoding"],
        // The fingerprint has the layers by their full names, and the weights and style pictures as they are.
        [typeof(AdaptiveStyleTransferEstimator.Options)] =
        [
            "OutputColumnName", "InputColumnName", "StyleColumnName", "StrengthColumnName", "Strength", "PreserveColors", "StylePaths", "StyleImages", "StyleScale", "WeightsPath", "Architecture",
            "EncoderLayer", "StyleLayers",
        ],
    };

    public static IEnumerable<object[]> OptionTypes => AllTypes.Select(type => new object[] { type });

    private static Type[] AllTypes => typeof(TrainingOptions).Assembly.GetTypes().Where(type => type.IsVisible && type.IsSubclassOf(typeof(TrainingOptions)) && !type.IsAbstract).ToArray();

    public static string NameOf(MethodInfo method, object[] data) => $"{method.Name} {((Type)data[0]).DeclaringType?.Name}";

    [TestMethod]
    public void EveryFamily_IsListed() => CollectionAssert.AreEquivalent(AllTypes, OfFamilies.Keys);

    [TestMethod]
    [DynamicData(nameof(OptionTypes), DynamicDataDisplayName = nameof(NameOf))]
    public void OptionsThatDoNotChangeTheResult_AreExactlyThese(Type type)
    {
        var marked = Properties(type).Where(IsMarked).Select(property => property.Name).ToArray();
        CollectionAssert.AreEquivalent(OfAll.Concat(OfFamilies[type]).ToArray(), marked);
    }

    [TestMethod]
    [DynamicData(nameof(OptionTypes), DynamicDataDisplayName = nameof(NameOf))]
    public void EveryOtherOption_ChangesTheFingerprint(Type type)
    {
        var before = TrainingFingerprint.OptionsOf(Create(type));
        var changed = Properties(type).Where(property => !IsMarked(property)).ToArray();
        Assert.IsGreaterThan(10, changed.Length);
        foreach (var property in changed)
        {
            var options = Create(type);
            property.SetValue(options, Other(property.PropertyType, property.GetValue(options), property.Name));
            var after = TrainingFingerprint.OptionsOf(options);
            var difference = after.Where(entry => before[entry.Key] != entry.Value).Select(entry => entry.Key).ToArray();
            CollectionAssert.AreEqual(new[] { property.Name }, difference, property.Name);
        }
    }

    /// <summary>What is inside a value counts as the value does: a layer's size, an optimizer's momentum.</summary>
    [TestMethod]
    public void ValuesInsideOfOptions_ChangeTheFingerprint()
    {
        AssertChanges<MlpBinaryTrainer.Options>(o => o.HiddenLayers = [8, 4], o => o.HiddenLayers = [8, 5]);
        AssertChanges<MlpBinaryTrainer.Options>(o => o.HiddenLayers = [8], o => o.HiddenLayers = [new HiddenLayer(8) { Dropout = 0.1 }]);
        AssertChanges<MlpBinaryTrainer.Options>(o => o.Optimizer = new SgdOptimizer(), o => o.Optimizer = new SgdOptimizer { Momentum = 0.5 });
        AssertChanges<MlpBinaryTrainer.Options>(o => o.Optimizer = new AdamOptimizer(), o => o.Optimizer = new AdamWOptimizer());
        AssertChanges<MlpBinaryTrainer.Options>(o => o.LearningRateSchedule = new StepSchedule(), o => o.LearningRateSchedule = new StepSchedule { Decay = 0.25 });
        AssertChanges<MlpBinaryTrainer.Options>(o => o.EarlyStopping = new EarlyStopping(), o => o.EarlyStopping = new EarlyStopping { Patience = 3 });
        AssertChanges<MlpBinaryTrainer.Options>(o => o.ClassWeights = ClassWeights.Given(1, 2), o => o.ClassWeights = ClassWeights.Given(1, 3));
        AssertChanges<MlpBinaryTrainer.Options>(o => o.LayerRules = [new LayerRule("a")], o => o.LayerRules = [new LayerRule("a") { LearningRateFactor = 0.5 }]);
        AssertChanges<CnnBinaryTrainer.Options>(o => o.Layers = [new ConvolutionLayer(4, 3)], o => o.Layers = [new ConvolutionLayer(4, 3) { Stride = 2 }]);
        AssertChanges<CnnBinaryTrainer.Options>(o => o.Augmentations = [new RandomRotation { MaximumDegrees = 5 }], o => o.Augmentations = [new RandomRotation { MaximumDegrees = 6 }]);
        AssertChanges<MlpBinaryTrainer.Options>(o => o.ClassWeights = ClassWeights.None, o => o.ClassWeights = ClassWeights.Balanced);
        AssertChanges<CnnBinaryTrainer.Options>(o => o.PixelScaling = PixelScaling.ToUnit, o => o.PixelScaling = PixelScaling.ImageNet);
        AssertChanges<CnnBinaryTrainer.Options>(o => o.PixelScaling = PixelScaling.None, o => o.PixelScaling = PixelScaling.PerImageStandardization);
        AssertChanges<DenseEmbeddingEstimator.Options>(o => o.Loss = new TripletLoss(), o => o.Loss = new TripletLoss { Mining = TripletMining.Hard });
        AssertChanges<ImageEmbeddingEstimator.Options>(o => o.Trunk = ImageTrunk.ResNet(), o => o.Trunk = ImageTrunk.ResNet(depth: 32));
        AssertChanges<ImageEmbeddingEstimator.Options>(o => o.Trunk = ImageTrunk.FaceNet(), o => o.Trunk = ImageTrunk.FaceNet(smallImages: true));
        AssertChanges<CnnBinaryTrainer.Options>(o => o.Layers = [new ResidualLayer([new ConvolutionLayer(4, 3)])], o => o.Layers = [new ResidualLayer([new ConvolutionLayer(4, 3)]) { ZeroPadding = true }]);
        AssertChanges<RbmEstimator.Options>(o => o.HiddenLayers = [8], o => o.HiddenLayers = [new RbmLayer(8) { LearningRate = 0.5 }]);
    }

    /// <summary>The weights of a trunk are in the fingerprint of the network; where their file lies is not.</summary>
    [TestMethod]
    public void PlaceOfATrunksWeights_DoesNotChangeTheFingerprint()
    {
        var texts = new[] { "a.json", "b.json" }.Select(path => TrainingFingerprint.OptionsOf(new ImageEmbeddingEstimator.Options { Trunk = ImageTrunk.DlibFace(path) })["Trunk"]).Distinct().ToArray();
        Assert.HasCount(1, texts);
        Assert.AreNotEqual(TrainingFingerprint.OptionsOf(new ImageEmbeddingEstimator.Options { Trunk = ImageTrunk.FaceNet() })["Trunk"], texts[0]);
    }

    private static string[] OfEmbeddings => ["LabelColumnName", "FeatureColumnName", "OutputColumnName"];

    private static string[] OfGans => ["OutputColumnName", "OutputImages", "FeatureColumnName", "NoiseColumnName", "SeedColumnName", "SamplesFolder", "SampleInterval"];

    private static string[] Labeled(params string[] more) => ["LabelColumnName", "FeatureColumnName", "ExampleWeightColumnName", .. more];

    private static TrainingOptions Create(Type type) => (TrainingOptions)Activator.CreateInstance(type)!;

    private static PropertyInfo[] Properties(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    private static bool IsMarked(PropertyInfo property) => property.GetCustomAttribute<DoesNotChangeResultAttribute>() != null;

    private static void AssertChanges<TOptions>(Action<TOptions> first, Action<TOptions> second)
        where TOptions : TrainingOptions, new()
    {
        string[] Of(Action<TOptions> change)
        {
            var options = new TOptions();
            change(options);
            return TrainingFingerprint.OptionsOf(options).Select(entry => $"{entry.Key} = {entry.Value}").ToArray();
        }
        var (a, b) = (Of(first), Of(second));
        Assert.HasCount(1, a.Except(b).ToArray(), string.Join("\n", a.Except(b)));
    }

    /// <summary>Another valid value of a type.</summary>
    private static object Other(Type type, object? value, string name)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(int))
            return (value as int? ?? 0) + 1;
        if (type == typeof(double))
            return value is double number && number != 0 ? number / 2 : 0.25;
        if (type == typeof(bool))
            return value is not true;
        if (type.IsEnum)
            return Enum.GetValues(type).Cast<object>().First(other => !other.Equals(value));
        if (typeof(IEnumerable).IsAssignableFrom(type) && type.IsGenericType)
        {
            var items = Array.CreateInstance(type.GetGenericArguments()[0], 1);
            items.SetValue(Item(items.GetType().GetElementType()!), 0);
            return items;
        }
        return Item(type) ?? throw new AssertFailedException($"The test has no other value for {name}, a {type}.");
    }

    private static object? Item(Type type) => type switch
    {
        _ when type == typeof(int) => 7,
        _ when type == typeof(string) => "other",
        _ when type == typeof(GanNetworks) => GanPresets.Goodfellow(),
        _ when type == typeof(MetricLoss) => new ContrastiveLoss(),
        _ when type == typeof(ImageTrunk) => ImageTrunk.ResNet(),
        _ when type == typeof(ValueRange) => new ValueRange(-3, 3),
        _ when type == typeof(Optimizer) => new SgdOptimizer { Momentum = 0.3 },
        _ when type == typeof(LearningRateSchedule) => new CosineSchedule(),
        _ when type == typeof(TeacherForcing) => TeacherForcing.Linear(1, 0.5),
        _ when type == typeof(EarlyStopping) => new EarlyStopping(),
        _ when type == typeof(LayerRule) => new LayerRule("output"),
        _ when type == typeof(HiddenLayer) => new HiddenLayer(7),
        _ when type == typeof(RbmLayer) => new RbmLayer(7),
        _ when type == typeof(ClassWeights) => ClassWeights.Balanced,
        _ when type == typeof(ImageShape) => new ImageShape(1, 3, 3),
        _ when type == typeof(PixelScaling) => PixelScaling.ToUnit,
        _ when type == typeof(ImageLayer) => new DenseLayer(7),
        _ when type == typeof(ImageAugmentation) => new RandomRotation { MaximumDegrees = 5 },
        _ => null,
    };
}
