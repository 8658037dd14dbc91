using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Options shared by all trainings of one network on the rows of an <see cref="IDataView"/>.</summary>
public abstract class DataTrainingOptions : TrainingOptions
{
    private protected DataTrainingOptions()
    {
    }

    /// <summary>
    /// The fraction of the training data that is held out for validation, in [0, 1). Rows are drawn at random, stratified by class;
    /// streamed rows are not stratified. Sequence to sequence draws pairs at random. Of language models, quatrains and time series the last
    /// part is held out. Ignored if <c>Fit</c> gets validation data. Default 0.
    /// </summary>
    public double ValidationFraction { get; set; }

    /// <summary>
    /// The column of groups that <see cref="ValidationFraction"/> must not divide, such as customers, patients or documents: all rows of a
    /// group are for training, or all are for validation. Rows that belong together are similar, so that validation would otherwise be too
    /// good. Groups are drawn at random until their rows are about the fraction; classes are not stratified. A key, text, a whole number or
    /// Boolean; missing values are one group. The column must be in the training data, even if <c>Fit</c> gets validation data: then nothing
    /// is held out, and the log says so. Default null: rows are divided one by one.
    /// </summary>
    public string? ValidationGroupColumnName { get; set; }

    /// <summary>Whether the training data is held in memory or streamed. Default <see cref="Buffering.InMemory"/>.</summary>
    public Buffering Buffering { get; set; }

    /// <summary>
    /// The path of a safetensors file with initial weights, which replace <see cref="TrainingOptions.Initialization"/>. Tensors have the
    /// names of <see cref="NetworkModelParameters.WeightShapes"/>. The file comes from <see cref="NetworkModelParameters.SaveWeights"/> or
    /// from another program, such as torchvision for networks with the same names. 16- and 64-bit numbers are converted to 32-bit. A path that
    /// ends with <c>.json</c> is the manifest of dlib's face network, see <see cref="ImageTrunk.DlibFace"/>.
    /// <see cref="TrainingHistory.InitialWeights"/> reports what was loaded. Cannot be combined with
    /// <see cref="TrainingOptions.InitialModel"/>. Default null: no file.
    /// </summary>
    [DoesNotChangeResult]
    public string? InitialWeightsPath { get; set; }

    /// <summary>
    /// How closely <see cref="InitialWeightsPath"/> must match the network. Default <see cref="WeightMatch.ExceptOutput"/>.
    /// </summary>
    [DoesNotChangeResult]
    public WeightMatch InitialWeightsMatch { get; set; }

    /// <summary>
    /// Layers that are not trained, given as prefixes of parameter names that end at a dot or at the end of the name, such as
    /// <c>features</c> or <c>layer1.0</c> (<c>layer1</c> does not match <c>layer10</c>). Their weights do not change by a bit, no gradients
    /// are computed for them, and their batch normalization uses its running statistics without updating them. An unknown name causes an
    /// exception. Default: none.
    /// </summary>
    public IReadOnlyList<string> FrozenLayers { get; set; } = [];

    /// <summary>Layers with their own learning rate or regularization. An unknown name causes an exception. Default: none.</summary>
    public IReadOnlyList<LayerRule> LayerRules { get; set; } = [];

    /// <summary>The options that determine the size of the network, the most important one first, with their values as text.</summary>
    internal abstract IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture);

    /// <summary>The numbers that a training keeps besides weights, gradients and optimizer states.</summary>
    internal virtual double ValuesBesideWeights(NetworkArchitecture architecture) => 0;

    /// <inheritdoc/>
    internal override OptimizationSettings Optimization => base.Optimization with { Layers = new LayerSelection(FrozenLayers, LayerRules) };

    /// <summary>The file with the initial weights, and its name in messages; null if there is none.</summary>
    internal virtual (string Name, string Path)? WeightsFile => InitialWeightsPath is { } path ? (nameof(InitialWeightsPath), path) : null;

    private protected override bool StartsTrained => base.StartsTrained || WeightsFile != null;

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
        if (ValidationGroupColumnName != null)
            OptionCheck.NotEmpty(ValidationGroupColumnName, nameof(ValidationGroupColumnName));
        OptionCheck.Defined(Buffering, nameof(Buffering));
        CheckLayers();
        CheckInitialWeights();
    }

    /// <exception cref="ArgumentException">
    /// Early stopping or a group column is set, but there is no validation data; or the training data has no such group column.
    /// </exception>
    internal void CheckValidation(IDataView input, IDataView? validation)
    {
        if (ValidationGroupColumnName != null)
        {
            if (validation == null && ValidationFraction == 0)
                throw new ArgumentException($"{nameof(ValidationGroupColumnName)} is '{ValidationGroupColumnName}', but {nameof(ValidationFraction)} is 0, so that nothing is held out; set the fraction.", nameof(ValidationGroupColumnName));
            GroupColumn.Find(input.Schema, ValidationGroupColumnName);
        }
        if (EarlyStopping != null && validation == null && ValidationFraction == 0)
            throw new ArgumentException($"{nameof(EarlyStopping)} needs validation data: set {nameof(ValidationFraction)}, or pass validation data to Fit.", nameof(EarlyStopping));
    }

    /// <summary>Says which options have no effect because there is validation data.</summary>
    internal void ReportIgnored(IDataView? validation, IHost host)
    {
        if (validation == null)
            return;
        using var channel = host.Start("Training");
        if (ValidationGroupColumnName != null)
            channel.Warning("{0} '{1}' has no effect: Fit got validation data, so that nothing of the training data is held out.", nameof(ValidationGroupColumnName), ValidationGroupColumnName);
        if (ValidationFraction > 0)
            channel.Info(string.Create(CultureInfo.InvariantCulture, $"{nameof(ValidationFraction)} {ValidationFraction} has no effect: Fit got validation data."));
    }

    private void CheckInitialWeights()
    {
        OptionCheck.Defined(InitialWeightsMatch, nameof(InitialWeightsMatch));
        if (InitialWeightsPath == null)
            return;
        OptionCheck.NotEmpty(InitialWeightsPath, nameof(InitialWeightsPath));
        if (InitialModel != null)
            throw new ArgumentException($"{nameof(InitialWeightsPath)} is '{InitialWeightsPath}', but {nameof(InitialModel)} is set too; a network can start from only one of them.", nameof(InitialWeightsPath));
    }

    private void CheckLayers()
    {
        OptionCheck.NotNull(FrozenLayers, nameof(FrozenLayers));
        for (var i = 0; i < FrozenLayers.Count; i++)
            OptionCheck.NotEmpty(FrozenLayers[i], FormattableString.Invariant($"{nameof(FrozenLayers)}[{i}]"));
        OptionCheck.NotNull(LayerRules, nameof(LayerRules));
        for (var i = 0; i < LayerRules.Count; i++)
        {
            OptionCheck.NotNull(LayerRules[i], FormattableString.Invariant($"{nameof(LayerRules)}[{i}]"));
            LayerRules[i].Check(FormattableString.Invariant($"{nameof(LayerRules)}[{i}]"));
        }
        var twice = LayerRules.GroupBy(rule => rule.Layer).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (twice != null)
            throw new ArgumentException($"{nameof(LayerRules)} has several rules for '{twice}'; a layer can have only one.", nameof(LayerRules));
    }
}

/// <summary>Options shared by all trainings whose examples are independent rows, so that their order does not matter.</summary>
public abstract class RowTrainingOptions : DataTrainingOptions
{
    private protected RowTrainingOptions()
    {
    }

    /// <summary>
    /// Number of rows in the shuffle buffer of streamed data. Rows come at most that many places earlier than in the data, and seldom more than
    /// three times as many later; all of them are in memory. Default 10,000.
    /// </summary>
    public int ShuffleBufferRows { get; set; } = 10_000;

    /// <summary>How the rows are read and divided.</summary>
    internal RowSetSettings CreateRowSettings(int seed) => new(Buffering, ShuffleBufferRows, ValidationFraction, seed, HasChecksum: NeedsChecksum, ValidationGroupColumnName);

    internal override void Check()
    {
        base.Check();
        OptionCheck.AtLeast(ShuffleBufferRows, 1, nameof(ShuffleBufferRows));
    }
}
