using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;
using Microsoft.ML;

namespace MLExtensions;

/// <summary>Options shared by all trainings of one network on the rows of an <see cref="IDataView"/>.</summary>
public abstract class DataTrainingOptions : TrainingOptions
{
    private protected DataTrainingOptions()
    {
    }

    /// <summary>
    /// The share of the training data that is set aside for validation, in [0, 1): drawn at random and stratified by class (streaming
    /// data row by row, not stratified), of text and of series the last part. Default 0. Not used when <c>Fit</c> is given validation data.
    /// </summary>
    public double ValidationFraction { get; set; }

    /// <summary>Whether training data is held in memory. Default <see cref="Buffering.InMemory"/>.</summary>
    public Buffering Buffering { get; set; }

    /// <summary>
    /// A safetensors file with weights to start from instead of <see cref="TrainingOptions.Initialization"/>, named as in
    /// <see cref="NetworkModelParameters.WeightShapes"/>: one of <see cref="NetworkModelParameters.SaveWeights"/>, or another
    /// program's, such as torchvision's for a network that has its names. 16- and 64-bit numbers become 32-bit ones. What was
    /// taken is in <see cref="TrainingHistory.InitialWeights"/>. Not together with <see cref="TrainingOptions.InitialModel"/>. Default null.
    /// </summary>
    [DoesNotChangeResult]
    public string? InitialWeightsPath { get; set; }

    /// <summary>How well <see cref="InitialWeightsPath"/> must fit the network. Default <see cref="WeightMatch.ExceptOutput"/>.</summary>
    [DoesNotChangeResult]
    public WeightMatch InitialWeightsMatch { get; set; }

    /// <summary>
    /// Layers that are not trained, by the beginnings of their parameters' names up to a dot or their end: <c>features</c>,
    /// <c>layer1.0</c> (<c>layer1</c> is no beginning of <c>layer10</c>). Their weights stay bit for bit what they were at the
    /// start, no gradients are computed for them, and batch normalisation in them uses its running statistics and leaves them
    /// alone. A name that does not exist is an exception. Default: none.
    /// </summary>
    public IReadOnlyList<string> FrozenLayers { get; set; } = [];

    /// <summary>Layers with a learning rate or regularisation of their own. A name that does not exist is an exception. Default: none.</summary>
    public IReadOnlyList<LayerRule> LayerRules { get; set; } = [];

    /// <inheritdoc/>
    internal override OptimizationSettings Optimization => base.Optimization with { Layers = new LayerSelection(FrozenLayers, LayerRules) };

    private protected override bool StartsTrained => base.StartsTrained || InitialWeightsPath != null;

    private protected override string TrainedStart => $"{nameof(InitialModel)} or {nameof(InitialWeightsPath)}";

    internal override TrainingOptions Snapshot()
    {
        var copy = (DataTrainingOptions)base.Snapshot();
        copy.FrozenLayers = FrozenLayers.ToArray();
        copy.LayerRules = LayerRules.ToArray();
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        OptionCheck.Fraction(ValidationFraction, nameof(ValidationFraction));
        OptionCheck.Defined(Buffering, nameof(Buffering));
        CheckLayers();
        CheckInitialWeights();
    }

    /// <exception cref="ArgumentException">There is to be early stopping, and no validation data.</exception>
    internal void CheckValidation(IDataView? validation)
    {
        if (EarlyStopping != null && validation == null && ValidationFraction == 0)
            throw new ArgumentException($"{nameof(EarlyStopping)} needs validation data: set {nameof(ValidationFraction)}, or give validation data to Fit.", nameof(EarlyStopping));
    }

    private void CheckInitialWeights()
    {
        OptionCheck.Defined(InitialWeightsMatch, nameof(InitialWeightsMatch));
        if (InitialWeightsPath == null)
            return;
        OptionCheck.NotEmpty(InitialWeightsPath, nameof(InitialWeightsPath));
        if (InitialModel != null)
            throw new ArgumentException($"{nameof(InitialWeightsPath)} is '{InitialWeightsPath}' and {nameof(InitialModel)} is set too; a network can start from one of them.", nameof(InitialWeightsPath));
    }

    private void CheckLayers()
    {
        OptionCheck.NotNull(FrozenLayers, nameof(FrozenLayers));
        for (var i = 0; i < FrozenLayers.Count; i++)
            OptionCheck.NotEmpty(FrozenLayers[i], $"{nameof(FrozenLayers)}[{i}]");
        OptionCheck.NotNull(LayerRules, nameof(LayerRules));
        for (var i = 0; i < LayerRules.Count; i++)
        {
            OptionCheck.NotNull(LayerRules[i], $"{nameof(LayerRules)}[{i}]");
            LayerRules[i].Check($"{nameof(LayerRules)}[{i}]");
        }
        var twice = LayerRules.GroupBy(rule => rule.Layer).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (twice != null)
            throw new ArgumentException($"{nameof(LayerRules)} has several rules for '{twice}'; a layer can have one.", nameof(LayerRules));
    }
}

/// <summary>Options shared by all trainings whose examples are single rows, in an order that does not matter.</summary>
public abstract class RowTrainingOptions : DataTrainingOptions
{
    private protected RowTrainingOptions()
    {
    }

    /// <summary>Number of rows in the shuffle buffer of streamed data. Default 10,000.</summary>
    public int ShuffleBufferRows { get; set; } = 10_000;

    /// <summary>How the rows are read and divided.</summary>
    internal RowSetSettings CreateRowSettings(int seed) => new(Buffering, ShuffleBufferRows, ValidationFraction, seed, HasChecksum: CheckpointFolder != null);

    internal override void Check()
    {
        base.Check();
        OptionCheck.AtLeast(ShuffleBufferRows, 1, nameof(ShuffleBufferRows));
    }
}
