using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Onnx;

/// <summary>What families have besides their networks computes the same in ONNX Runtime: units, scales, labels, masks, styles.</summary>
[TestClass]
public sealed class FamilyExportTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(VisibleUnitType.Bernoulli, HiddenUnitType.Bernoulli)]
    [DataRow(VisibleUnitType.Gaussian, HiddenUnitType.ReLU)]
    [DataRow(VisibleUnitType.Gaussian, HiddenUnitType.Gaussian)]
    [DataRow(VisibleUnitType.Softmax, HiddenUnitType.Bernoulli)]
    public void Boltzmann_EveryKindOfUnit(VisibleUnitType visible, HiddenUnitType hidden)
    {
        var random = new Random(TestSeed.Of(1));
        var rows = Enumerable.Range(0, 30).Select(_ => new SixValues { Features = Values(random, visible) }).ToArray();
        var data = Ml.Data.LoadFromEnumerable(rows);
        using var model = Ml.Transforms.Rbm(new RbmEstimator.Options
        {
            OutputColumnName = "Code",
            ReconstructionColumnName = "Again",
            FreeEnergyColumnName = "Energy",
            VisibleUnits = visible,
            SoftmaxGroups = visible == VisibleUnitType.Softmax ? [2, 4] : [],
            HiddenLayers = [new RbmLayer(7) { Type = hidden }, 5],
            Epochs = 2,
        }).Fit(data);
        Exported.AssertSame(Ml, model, data, ["Code", "Again", "Energy"]);
    }

    [TestMethod]
    public void BoltzmannSamples_AreRefused() => AssertRefused("RbmOutput.Means", SixValues.Data, Ml.Transforms.Rbm(new RbmEstimator.Options { OutputColumnName = "Code", Output = RbmOutput.Samples, Epochs = 1 }));

    [TestMethod]
    [DataRow(AutoencoderOutput.Bernoulli)]
    [DataRow(AutoencoderOutput.Gaussian)]
    public void Autoencoder_CodeReconstructionError(AutoencoderOutput output)
    {
        using var model = Ml.Transforms.Autoencoder(new AutoencoderEstimator.Options
        {
            OutputColumnName = "Code", ReconstructionColumnName = "Again", ErrorColumnName = "Error", Output = output, HiddenLayers = [8, 5], LatentSize = 2, Epochs = 2,
        }).Fit(SixValues.Data);
        Exported.AssertSame(Ml, model, SixValues.Data, ["Code", "Again", "Error"]);
    }

    /// <summary>A large level and small changes: float32 alone would lose them.</summary>
    [TestMethod]
    [DataRow(SeriesScaling.Global)]
    [DataRow(SeriesScaling.Window)]
    public void Forecast_ScalesAndExtraInputs(SeriesScaling scaling)
    {
        var random = new Random(TestSeed.Of(1));
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 60).Select(row => new SeriesRow { Value = 30_000 + (20 * MathF.Sin(row)) + random.NextSingle(), Extra = [random.NextSingle(), row] }).ToArray());
        using var model = Ml.Forecasting.ForecastByLstm(new LstmForecastingEstimator.Options
        {
            InputColumnName = nameof(SeriesRow.Value), ExtraColumnNames = [nameof(SeriesRow.Extra)], WindowSize = 6, Horizon = 3, Scaling = scaling, HiddenUnits = 5, NumberOfLayers = 2, Epochs = 2,
        }).Fit(data);
        Exported.AssertSame(Ml, model, data, ["Forecast"], rowByRow: false);
    }

    [TestMethod]
    public void ForecastOfSeveralSeries_OrWithTimes_IsRefused()
    {
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 60).Select(row => new SeriesRow { Value = row % 7, Group = row % 2, Time = row }).ToArray());
        var options = new LstmForecastingEstimator.Options { InputColumnName = nameof(SeriesRow.Value), GroupColumnName = nameof(SeriesRow.Group), WindowSize = 6, Horizon = 3, HiddenUnits = 5, Epochs = 1 };
        AssertRefused("column 'Group'", data, Ml.Forecasting.ForecastByLstm(options));
        (options.GroupColumnName, options.TimeColumnName) = (null, nameof(SeriesRow.Time));
        AssertRefused("column 'Time'", data, Ml.Forecasting.ForecastByLstm(options));
    }

    /// <summary>Labels meet by name: the keys of the data are in another order than those of the training.</summary>
    [TestMethod]
    public void ConditionalGan_LabelsByName()
    {
        var random = new Random(TestSeed.Of(1));
        var rows = Enumerable.Range(0, 30).Select(row => new Labeled { Features = [.. Enumerable.Range(0, 36).Select(_ => random.NextSingle())], Noise = [random.NextSingle(), random.NextSingle()], Label = row < 15 ? "a" : "b" }).ToArray();
        var options = new DcganEstimator.Options
        {
            LabelColumnName = "Key",
            NoiseColumnName = nameof(Labeled.Noise),
            Networks = new GanNetworks
            {
                LatentSize = 2,
                Generator = [new DenseLayer(18), new ReshapeLayer(2, 3, 3), new UpsamplingLayer(), new TransposedConvolutionLayer(1, 3) { Padding = 1 }, new ActivationLayer(Activation.Sigmoid)],
                Discriminator = [new SpectralNormalizationLayer(new ConvolutionLayer(2, 3)), new FlattenLayer(), new DenseLayer()],
            },
            Epochs = 1,
            BatchSize = 10,
        };
        var keys = Ml.Transforms.Conversion.MapValueToKey("Key", nameof(Labeled.Label));
        using var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(keys.Fit(View(rows)).Transform(View(rows)));
        var other = View(rows.Reverse());
        Exported.AssertSame(Ml, keys.Fit(other).Append(gan), other, ["Sample"]);
        var unknown = View([.. rows[..1], new Labeled { Features = rows[0].Features, Noise = [0, 0], Label = "c" }]);
        using var exported = new OnnxFile(Ml, keys.Fit(unknown).Append(gan), unknown, "Sample");
        Assert.Throws<OnnxRuntimeException>(() => exported.Compute(unknown, "Sample"));

        IDataView View(IEnumerable<Labeled> given) => Ml.Data.LoadFromEnumerable(given);
    }

    [TestMethod]
    public void GanThatDrawsItsNoise_IsRefused() => AssertRefused("NoiseColumnName", SixValues.Data, Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options { Epochs = 1 }));

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Policy_ValuesAndBestAllowedAction(bool dueling)
    {
        var random = new Random(TestSeed.Of(1));
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 60).Select(row => new StepRow
        {
            State = [random.NextSingle(), random.NextSingle()], Action = (uint)(row % 3), Reward = random.NextSingle(), NextState = [random.NextSingle(), random.NextSingle()],
            Terminated = row % 10 == 9, Mask = [row % 3 == 0, row % 3 == 1 || row % 2 == 0, row % 3 == 2], NextMask = [true, true, false],
        }).ToArray());
        foreach (var masked in new[] { false, true })
        {
            using var policy = Ml.ReinforcementLearning.Trainers.Dqn(new DqnEstimator.Options
            {
                Epochs = 1, StepsPerEpoch = 20, BatchSize = 8, Dueling = dueling, Layers = DqnLayers.Perceptron(6), InputDivisor = 2,
                ActionMaskColumnName = masked ? nameof(StepRow.Mask) : null, NextActionMaskColumnName = masked ? nameof(StepRow.NextMask) : null,
            }).Fit(data);
            Exported.AssertSame(Ml, policy, data, ["PredictedAction", "ActionValues"]);
            if (!masked)
                continue;
            using var exported = new OnnxFile(Ml, policy, data, "ActionValues");
            var nothing = Ml.Data.LoadFromEnumerable(new[] { new StepRow { State = [0, 0], NextState = [0, 0], Mask = [false, false, false], NextMask = [true, true, true] } });
            Assert.Contains("column 'Mask' allows none", Assert.Throws<OnnxRuntimeException>(() => exported.Compute(nothing, "ActionValues")).Message);
        }
    }

    [TestMethod]
    public void Policy_NumberedStates_OthersStopTheGraph()
    {
        using var lake = EnvironmentRegistry.Make("FrozenLake-v1");
        using var policy = Ml.ReinforcementLearning.Trainers.Dqn(new DqnEstimator.Options { Epochs = 1, StepsPerEpoch = 60, LearningStarts = 20, BatchSize = 8, EvaluationEpisodes = 0, Layers = DqnLayers.Perceptron(6) }).Fit(lake);
        var states = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 16).Select(state => new Numbered { State = state }));
        Exported.AssertSame(Ml, policy, states, ["PredictedAction", "ActionValues"]);
        using var exported = new OnnxFile(Ml, policy, states, "ActionValues");
        foreach (var state in new[] { -1, 16, 1.5f })
            Assert.Throws<OnnxRuntimeException>(() => exported.Compute(Ml.Data.LoadFromEnumerable(new[] { new Numbered { State = state } }), "ActionValues"));
    }

    /// <summary>One style, and several that are chosen by a key or mixed; pictures whose sides are no multiples of 4.</summary>
    [TestMethod]
    [DataRow(null)]
    [DataRow("Style")]
    [DataRow(nameof(Painted.Shares))]
    public void FastStyle_OneStyleOrSeveral(string? column)
    {
        var random = new Random(TestSeed.Of(1));
        var rows = Enumerable.Range(0, 6).Select(row => new Painted { Image = [.. Enumerable.Range(0, 3 * 17 * 22).Select(_ => random.NextSingle() * 255)], Name = row % 2 == 0 ? "warm" : "cold", Shares = [row, 2] }).ToArray();
        var data = Ml.Data.LoadFromEnumerable(rows);
        var keys = Ml.Transforms.Conversion.MapValueToKey("Style", nameof(Painted.Name)).Fit(data);
        var options = new FastStyleTransferEstimator.Options
        {
            StyleImages = [Plain(200, 80, 20)], StyleNames = ["cold"], StyleColumnName = column, WeightsPath = LossNetworkSample.Path, Architecture = LossNetworkSample.Network,
            ContentLayers = ["relu1_1"], StyleLayers = ["relu1_1"], Width = 4, ResidualBlocks = 1, Epochs = 1, BatchSize = 3,
        };
        if (column != null)
            (options.StyleImages, options.StyleNames) = ([Plain(200, 80, 20), Plain(20, 80, 200)], ["cold", "warm"]);
        using var painter = Ml.Transforms.FastStyleTransfer(options).Fit(keys.Transform(data));
        Exported.AssertSame(Ml, keys.Append(painter), data, ["Styled"]);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void ImageFeatures_FlatOrPooled(bool pool)
    {
        var random = new Random(TestSeed.Of(1));
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 6).Select(_ => new Painted { Image = [.. Enumerable.Range(0, 3 * 17 * 22).Select(_ => random.NextSingle() * 255)] }).ToArray());
        using var model = Ml.Transforms.ImageFeatures(new ImageFeaturesEstimator.Options { InputColumnName = nameof(Painted.Image), OutputColumnName = "Code", WeightsPath = LossNetworkSample.Path, Architecture = LossNetworkSample.Network, ImageShape = new ImageShape(3, 17, 22), Layer = "features.1", Pool = pool }).Fit(data);
        Exported.AssertSame(Ml, model, data, ["Code"]);
    }

    private static MLImage Plain(byte red, byte green, byte blue) =>
        MLImage.CreateFromPixels(8, 8, MLPixelFormat.Rgba32, Enumerable.Repeat((byte[])[red, green, blue, byte.MaxValue], 64).SelectMany(pixel => pixel).ToArray());

    private static void AssertRefused(string why, IDataView data, IEstimator<ITransformer> estimator)
    {
        var model = estimator.Fit(data);
        using var disposer = (IDisposable)model;
        using var file = new MemoryStream();
        Assert.Contains(why, Assert.ThrowsExactly<NotSupportedException>(() => Ml.Model.ConvertToOnnx(model, data, file)).Message);
    }

    private static float[] Values(Random random, VisibleUnitType units)
    {
        if (units != VisibleUnitType.Softmax)
            return [.. Enumerable.Range(0, 6).Select(_ => random.NextSingle())];
        var values = new float[6];
        values[random.Next(2)] = values[2 + random.Next(4)] = 1;
        return values;
    }

    private sealed class SixValues
    {
        [VectorType(6)]
        public float[] Features { get; set; } = [];

        public static IDataView Data
        {
            get
            {
                var random = new Random(TestSeed.Of(2));
                return Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 30).Select(_ => new SixValues { Features = Values(random, VisibleUnitType.Bernoulli) }).ToArray());
            }
        }
    }

    private sealed class SeriesRow
    {
        public float Value { get; set; }

        [VectorType(2)]
        public float[] Extra { get; set; } = [0, 0];

        public int Group { get; set; }

        public int Time { get; set; }
    }

    private sealed class Labeled
    {
        [VectorType(1, 6, 6)]
        public float[] Features { get; set; } = [];

        [VectorType(2)]
        public float[] Noise { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class StepRow
    {
        [VectorType(2)]
        public float[] State { get; set; } = [];

        [KeyType(3)]
        public uint Action { get; set; }

        public float Reward { get; set; }

        [VectorType(2)]
        public float[] NextState { get; set; } = [];

        public bool Terminated { get; set; }

        [VectorType(3)]
        public bool[] Mask { get; set; } = [];

        [VectorType(3)]
        public bool[] NextMask { get; set; } = [];
    }

    private sealed class Numbered
    {
        public float State { get; set; }
    }

    private sealed class Painted
    {
        [VectorType(3, 17, 22)]
        public float[] Image { get; set; } = [];

        public string Name { get; set; } = "";

        [VectorType(2)]
        public float[] Shares { get; set; } = [1, 1];
    }
}
