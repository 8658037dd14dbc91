using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>Restricted Boltzmann machines: of the kinds of visible units that real-valued features can be, and a stack.</summary>
internal static class RbmSubjects
{
    public static TrainingSubject[] All =>
    [
        new RbmSubject("Rbm", [8]),
        new RbmSubject("StackedRbm", [8, 8]),
    ];
}

internal sealed class RbmSubject(string name, RbmLayer[] layers) : CodeSubject(name)
{
    public override int NetworkCount => layers.Length;

    /// <summary>Each machine more loses something.</summary>
    public override double Floor => layers.Length == 1 ? 0.85 : 0.7;

    /// <summary>What is drawn at random says less than probabilities do.</summary>
    public override double NoisyFloor => 0.5;

    public override string[] OutputColumns => ["Code", "Reconstruction", "FreeEnergy"];

    public override string[] TrainingMetrics => ["loss", "freeEnergy", "pseudoLogLikelihood"];

    public override string[] ValidationMetrics => [.. TrainingMetrics, "freeEnergyGap"];

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("InputColumnName", "empty", o => Of(o).InputColumnName = " "),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = ""),
        ("ReconstructionColumnName", "empty", o => Of(o).ReconstructionColumnName = " "),
        ("FreeEnergyColumnName", "Code", o => Of(o).FreeEnergyColumnName = "Code"),
        ("Output", "9", o => Of(o).Output = (RbmOutput)9),
        ("HiddenLayers", "empty", o => Of(o).HiddenLayers = []),
        ("HiddenLayers[0].Units", "0", o => Of(o).HiddenLayers = [0]),
        ("HiddenLayers[1].LearningRate", "-1", o => Of(o).HiddenLayers = [3, new RbmLayer(3) { LearningRate = -1 }]),
        ("VisibleUnits", "9", o => Of(o).VisibleUnits = (VisibleUnitType)9),
        ("SoftmaxGroups", "Bernoulli", o => Of(o).SoftmaxGroups = [3, 3, 3]),
        ("GibbsSteps", "0", o => Of(o).GibbsSteps = 0),
        ("PersistentChains", "0", o => Of(o).PersistentChains = 0),
        ("SparsityTarget", "0", o => Of(o).SparsityTarget = 0),
        ("SparsityTarget", "1", o => Of(o).SparsityTarget = 1),
        ("SparsityCost", "-1", o => Of(o).SparsityCost = -1),
        ("ShuffleBufferRows", "0", o => SetShuffleBuffer(o, 0)),
        ("InitialWeightsPath", "InitialModel", o => (Of(o).HiddenLayers, o.InitialWeightsPath) = ([4, 3], "weights.safetensors")),
    ];

    /// <summary>Chains that persist have an upper machine learn what its visible units are together, rather than how to say them again.</summary>
    public override void LearnDespiteNoise(DataTrainingOptions options)
    {
        base.LearnDespiteNoise(options);
        if (layers.Length > 1)
            (Of(options).PersistentChains, options.LearningRate) = (null, 0.2);
    }

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).HiddenLayers = [.. layers[..^1], new RbmLayer(7)];
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).InputColumnName = column;

    public override void SetShuffleBuffer(DataTrainingOptions options, int rows) => Of(options).ShuffleBufferRows = rows;

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) =>
        layers.Length == 1 ? ml.Transforms.Rbm(Of(options)) : ml.Transforms.StackedRbm(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((RbmEstimator)estimator).Fit(train, validation));

    /// <summary>The loss is of hidden states that were drawn, which a user does not see.</summary>
    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) =>
        [("freeEnergy", scored.GetColumn<float>("FreeEnergy").Average(value => (double)value), 1e-4)];

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<CodeRow>(ml, model, rows, row => row.Code.Concat(row.Reconstruction).Append(row.FreeEnergy));

    /// <summary>Adadelta's first steps are a thousandth of it, and what a machine draws at random hides what they gain; Adam's are as long as it says.</summary>
    public override double? RateOf(Optimizer optimizer) => optimizer switch { AdadeltaOptimizer => 10, AdamOptimizer or AdamWOptimizer or RmsPropOptimizer => 0.05, _ => null };

    protected override DataTrainingOptions CreateOptions() => new RbmEstimator.Options
    {
        HiddenLayers = layers,
        ReconstructionColumnName = "Reconstruction",
        FreeEnergyColumnName = "FreeEnergy",
        Epochs = 25,
        BatchSize = 10,
        LearningRate = 0.6,
    };

    /// <summary>The chains and the units' mean activities are what a checkpoint must keep. What is drawn for an output depends on its row alone.</summary>
    protected override void AddNoise(DataTrainingOptions options)
    {
        var machine = Of(options);
        machine.PersistentChains = 10;
        machine.SparsityTarget = 0.3;
        machine.GibbsSteps = 2;
        machine.Output = layers.Length == 1 ? RbmOutput.Samples : RbmOutput.Means;
    }

    protected override void SetColumns(DataTrainingOptions options) => (Of(options).InputColumnName, Of(options).OutputColumnName) = (nameof(Example.Features), "Code");

    private static RbmEstimator.Options Of(DataTrainingOptions options) => (RbmEstimator.Options)options;

    private sealed class CodeRow
    {
        public float[] Code { get; set; } = [];

        public float[] Reconstruction { get; set; } = [];

        public float FreeEnergy { get; set; }
    }
}
