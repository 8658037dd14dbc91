using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Tests.Training;

/// <summary>Sizes that no computer has are refused before memory is taken, with option, size and what to do.</summary>
[TestClass]
public sealed class AbsurdSizeTests
{
    private const int Billion = 1_000_000_000;

    private static readonly MLContext Ml = new(1);
    private static readonly Row[] Rows = Enumerable.Range(0, 30).Select(i => new Row { Features = [i % 2, i % 3, 0.5f], Flag = i % 2 == 0, Text = i % 2 == 0 ? "a b a" : "b a b", Value = i % 5 }).ToArray();

    private static readonly Dictionary<string, Func<IEstimator<ITransformer>>> Cases = new()
    {
        ["ThreadCount 2000000000"] = () => Mlp(o => o.ThreadCount = 2 * Billion),
        ["HiddenLayers 1000000000"] = () => Mlp(o => o.HiddenLayers = [Billion]),
        ["HiddenLayers 2147483647"] = () => Mlp(o => o.HiddenLayers = [int.MaxValue, int.MaxValue]),
        ["HiddenLayers.Count 10000000"] = () => Mlp(o => o.HiddenLayers = Enumerable.Repeat<HiddenLayer>(2, 10_000_000).ToArray()),
        ["HiddenUnits 2147483647"] = () => Recurrent(o => o.HiddenUnits = int.MaxValue),
        ["HiddenUnits 1048576"] = () => Recurrent(o => (o.HiddenUnits, o.NumberOfLayers) = (1 << 20, 10)),
        ["NumberOfLayers 1000000000"] = () => Recurrent(o => o.NumberOfLayers = Billion),
        ["StepSize 2147483647"] = () => Recurrent(o => o.StepSize = int.MaxValue),
        ["MaximumLength 2147483647"] = () => Recurrent(o => o.MaximumLength = int.MaxValue),
        ["EmbeddingSize 2147483647"] = () => Recurrent(o => (o.FeatureColumnName, o.EmbeddingSize) = ("Text", int.MaxValue)),
        ["Layers 2147483647"] = () => Cnn(new DenseLayer(int.MaxValue), new DenseLayer()),
        ["Layer 2147483647 filters"] = () => Cnn(new ConvolutionLayer(int.MaxValue, 1), new DenseLayer()),
        ["kernel 2147483647"] = () => Cnn(new ConvolutionLayer(1, int.MaxValue), new DenseLayer()),
        ["BaseChannels 4096"] = () => Ml.BinaryClassification.Trainers.ResNet(new ResNetBinaryTrainer.Options { LabelColumnName = "Flag", ImageShape = new ImageShape(1, 1, 3), Depth = 6002, BaseChannels = 4096 }),
        ["HiddenLayers 2147483647 hidden"] = () => Rbm(o => o.HiddenLayers = [int.MaxValue]),
        ["HiddenLayers 1000000000 upper"] = () => Rbm(o => o.HiddenLayers = [3, Billion]),
        ["PersistentChains 2147483647"] = () => Rbm(o => o.PersistentChains = int.MaxValue),
        ["GibbsSteps 2147483647"] = () => Rbm(o => o.GibbsSteps = int.MaxValue),
        ["LatentSize 2147483647"] = () => Autoencoder(o => o.LatentSize = int.MaxValue),
        ["HiddenLayers 1000000000 encoder"] = () => Autoencoder(o => o.HiddenLayers = [Billion]),
        ["WindowSize 2147483647"] = () => Forecast(o => o.WindowSize = int.MaxValue),
        ["Horizon 2147483647"] = () => Forecast(o => o.Horizon = int.MaxValue),
        ["HiddenUnits 2147483647 forecast"] = () => Forecast(o => o.HiddenUnits = int.MaxValue),
        ["NumberOfLayers 1000000000 forecast"] = () => Forecast(o => o.NumberOfLayers = Billion),
        ["HiddenUnits 1048576 language"] = () => Language(o => o.HiddenUnits = 1 << 20),
        ["EmbeddingSize 2147483647 language"] = () => Language(o => o.EmbeddingSize = int.MaxValue),
        ["NumberOfLayers 1000000000 language"] = () => Language(o => o.NumberOfLayers = Billion),
    };

    public static IEnumerable<object[]> Names => Cases.Keys.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Refused_WithOptionAndValue(string name)
    {
        var exception = Assert.Throws<ArgumentException>(() => Cases[name]().Fit(Ml.Data.LoadFromEnumerable(Rows)));
        foreach (var word in name.Split(' ').Take(2))
            Assert.Contains(word, exception.Message);
    }

    /// <summary>They are as large as the data, whatever the number is.</summary>
    [TestMethod]
    public void LargestBatchBufferVocabularyAndWindow_Train()
    {
        var data = Ml.Data.LoadFromEnumerable(Rows);
        foreach (var buffering in (Buffering[])[Buffering.InMemory, Buffering.Streaming])
            Mlp(o => (o.BatchSize, o.ShuffleBufferRows, o.Buffering) = (int.MaxValue, int.MaxValue, buffering)).Fit(data);
        Recurrent(o => (o.BatchSize, o.Tokenization, o.FeatureColumnName) = (int.MaxValue, Tokenization.Words(int.MaxValue), "Text")).Fit(data);
        Rbm(o => o.BatchSize = int.MaxValue).Fit(data);
        Autoencoder(o => o.BatchSize = int.MaxValue).Fit(data);
        Forecast(o => o.BatchSize = int.MaxValue).Fit(data);
        Language(o => (o.BatchSize, o.WindowLength, o.Tokenization) = (int.MaxValue, int.MaxValue, Tokenization.Words(int.MaxValue))).Fit(data);
    }

    [TestMethod]
    public void ComputerWithLittleMemory_SaysWhatIsNeededAndWhatThereIs()
    {
        // 3 x 1,000,000 + 1,000,000 + 1,000,001 weights in 5 copies of 4 bytes.
        MachineMemory.Assumed = 50_000_000;
        try
        {
            var message = Assert.Throws<ArgumentException>(() => Mlp(o => o.HiddenLayers = [1_000_000]).Fit(Ml.Data.LoadFromEnumerable(Rows))).Message;
            Assert.Contains("5,000,001 weights, in 5 copies", message);
            Assert.Contains("need at least 100 MB", message);
            Assert.Contains("can have 50 MB", message);
            Assert.Contains("HiddenLayers is [1000000], BatchSize is 10; a row has 3 values", message);
            // Fewer copies.
            MachineMemory.Assumed = 70_000_000;
            Mlp(o => (o.HiddenLayers, o.Optimizer) = ([1_000_000], new SgdOptimizer())).Fit(Ml.Data.LoadFromEnumerable(Rows));
            // A batch of 30 rows keeps a million values of each.
            MachineMemory.Assumed = 115_000_000;
            message = Assert.Throws<ArgumentException>(() => Mlp(o => (o.HiddenLayers, o.BatchSize) = ([1_000_000], 30)).Fit(Ml.Data.LoadFromEnumerable(Rows))).Message;
            Assert.Contains("a batch of 30 examples with 1,000,004 values each needs at least 120 MB", message);
        }
        finally
        {
            MachineMemory.Assumed = null;
        }
    }

    [TestMethod]
    public void MoreDataThanMemory_NamesColumnAndBuffering()
    {
        MachineMemory.Assumed = 1;
        try
        {
            // Above a gigabyte, because asking the system each time would cost more than it saves.
            var rows = Enumerable.Range(0, 3).Select(_ => new Wide());
            var schema = SchemaDefinition.Create(typeof(Wide));
            schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1 << 28);
            var format = new DenseFormat(1 << 28);
            var data = Ml.Data.LoadFromEnumerable(rows, schema);
            var columns = new MLExtensions.Training.TrainingColumns(data.Schema["Features"], format, null, null, 0);
            var exception = Assert.ThrowsExactly<InsufficientMemoryException>(() => MLExtensions.Training.TrainingRows.Read(data, columns, null, () => { }, out _));
            Assert.Contains("Column 'Features'", exception.Message);
            Assert.Contains("Buffering to Streaming", exception.Message);
        }
        finally
        {
            MachineMemory.Assumed = null;
        }
    }

    /// <summary>Rows are not reserved a thousand ahead: ten rows of a million values are 42 MB.</summary>
    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    [DataRow(9_000_000, 4, "trained")]
    [DataRow(9_000_000, 2000, "HiddenLayers is [2000]")]
    public void TenRowsOfAMillionSlots_UnderALimitOfTheAddressSpace(int kilobytes, int units, string expected)
    {
        var start = new System.Diagnostics.ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true };
        var child = ChildProcess.CommandLine(TrainWide, units.ToString(System.Globalization.CultureInfo.InvariantCulture));
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"ulimit -v {kilobytes} && exec \"$0\" \"$@\"");
        foreach (var argument in child.ArgumentList.Prepend(child.FileName))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in child.Environment)
            start.Environment[name] = value;
        using var process = System.Diagnostics.Process.Start(start)!;
        Assert.Contains(expected, ChildProcess.WaitFor(process).AssertSuccess().Output);
    }

    private static void TrainWide(string[] args)
    {
        var schema = SchemaDefinition.Create(typeof(Wide));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1 << 20);
        var data = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 10).Select(i => new Wide { Features = Enumerable.Repeat((float)(i % 2), 1 << 20).ToArray(), Flag = i % 2 == 0 }), schema);
        var units = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
        try
        {
            Ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options { LabelColumnName = "Flag", HiddenLayers = [units], Epochs = 1, LearningRate = 1e-6 }).Fit(data);
            Console.WriteLine("trained");
        }
        catch (ArgumentException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    [TestMethod]
    public void AvailableMemory_IsThatOfThisComputer()
    {
        Assert.IsGreaterThan(1e8, MachineMemory.Available);
        Assert.IsLessThan(1e15, MachineMemory.Available);
        Assert.AreEqual("999 bytes", MachineMemory.Text(999));
        Assert.AreEqual("1.5 GB", MachineMemory.Text(1.5e9));
        Assert.AreEqual("12,000 EB", MachineMemory.Text(1.2e22));
    }

    private static IEstimator<ITransformer> Mlp(Action<MlpBinaryTrainer.Options> change) => Ml.BinaryClassification.Trainers.Mlp(With(new MlpBinaryTrainer.Options { LabelColumnName = "Flag" }, change));

    private static IEstimator<ITransformer> Recurrent(Action<RecurrentBinaryTrainer.Options> change) => Ml.BinaryClassification.Trainers.Recurrent(With(new RecurrentBinaryTrainer.Options { LabelColumnName = "Flag" }, change));

    private static IEstimator<ITransformer> Cnn(params ImageLayer[] layers) =>
        Ml.BinaryClassification.Trainers.Cnn(new CnnBinaryTrainer.Options { LabelColumnName = "Flag", ImageShape = new ImageShape(1, 1, 3), Layers = layers });

    private static IEstimator<ITransformer> Rbm(Action<RbmEstimator.Options> change) => Ml.Transforms.StackedRbm(With(new RbmEstimator.Options { VisibleUnits = VisibleUnitType.Gaussian }, change));

    private static IEstimator<ITransformer> Autoencoder(Action<AutoencoderEstimator.Options> change) => Ml.Transforms.Autoencoder(With(new AutoencoderEstimator.Options { Output = AutoencoderOutput.Gaussian }, change));

    private static IEstimator<ITransformer> Forecast(Action<LstmForecastingEstimator.Options> change) =>
        Ml.Forecasting.ForecastByLstm(With(new LstmForecastingEstimator.Options { InputColumnName = "Value", WindowSize = 2, Horizon = 1, HiddenUnits = 2 }, change));

    private static IEstimator<ITransformer> Language(Action<LanguageModelEstimator.Options> change) => Ml.LanguageModels.Trainers.Lstm(With(new LanguageModelEstimator.Options { HiddenUnits = 2 }, change));

    private static TOptions With<TOptions>(TOptions options, Action<TOptions> change)
        where TOptions : DataTrainingOptions
    {
        options.Epochs = 1;
        options.BatchSize = 10;
        change(options);
        return options;
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public bool Flag { get; set; }

        public string Text { get; set; } = "";

        public float Value { get; set; }
    }

    private sealed class Wide
    {
        public float[] Features { get; set; } = [];

        public bool Flag { get; set; }
    }
}
