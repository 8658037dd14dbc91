using System.Globalization;
using Microsoft.ML.Data;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

public sealed partial class RbmEstimator
{
    /// <summary>
    /// The options of <see cref="RbmEstimator"/>. Some defaults differ from those of other networks: 10 epochs, batches of 10 rows, plain
    /// gradient descent with a learning rate of 0.05 (more for sparse rows, unless it is set), small initial weights.
    /// </summary>
    /// <remarks>
    /// Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", 2010, recommends settings. Momentum is an option of
    /// <see cref="SgdOptimizer"/>; weight decay is <see cref="TrainingOptions.L2Regularization"/>.
    /// </remarks>
    public sealed class Options : RowTrainingOptions
    {
        // A batch cannot be cancelled in between.
        private const int MaximumGibbsSteps = 10_000;

        internal const int DefaultRbmEpochs = 10;
        internal const int DefaultRbmBatchSize = 10;
        internal const double DefaultRbmLearningRate = 0.05;
        internal const int DefaultHiddenLayers = 256;

        /// <summary>Creates options with the defaults.</summary>
        public Options()
        {
            Epochs = DefaultRbmEpochs;
            BatchSize = DefaultRbmBatchSize;
            Optimizer = new SgdOptimizer();
            Initialization = WeightInitialization.SmallNormal;
        }

        /// <summary>The column to add or to replace: the values of the hidden units. Default <c>Features</c>.</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>
        /// The column of the values of the visible units, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>. Default
        /// <c>Features</c>.
        /// </summary>
        [DoesNotChangeResult]
        public string InputColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>
        /// The column to add for the reconstruction of the visible units, a <c>Vector&lt;Single&gt;</c>. Default null: none.
        /// </summary>
        [DoesNotChangeResult]
        public string? ReconstructionColumnName { get; set; }

        /// <summary>The column to add for the free energy of each row, a <c>Single</c>. Default null: none.</summary>
        [DoesNotChangeResult]
        public string? FreeEnergyColumnName { get; set; }

        /// <summary>What the output column holds. Default <see cref="RbmOutput.Means"/>.</summary>
        [DoesNotChangeResult]
        public RbmOutput Output { get; set; }

        /// <summary>The hidden units of each RBM, from the lowest to the topmost. Default: one RBM with 256 hidden units.</summary>
        public IReadOnlyList<RbmLayer> HiddenLayers { get; set; } = [DefaultHiddenLayers];

        /// <summary>The type of the visible units. Default <see cref="VisibleUnitType.Bernoulli"/>.</summary>
        public VisibleUnitType VisibleUnits { get; set; }

        /// <summary>
        /// The number of categories of each visible softmax unit, in slot order. Only for visible softmax units. Default empty: the whole
        /// column is one unit.
        /// </summary>
        public IReadOnlyList<int> SoftmaxGroups { get; set; } = [];

        /// <summary>The number of Gibbs steps, the k of CD-k. Default 1.</summary>
        public int GibbsSteps { get; set; } = 1;

        /// <summary>
        /// The number of persistent chains, which continue from batch to batch instead of starting from the data each time (Tieleman,
        /// 2008); usually the batch size. Default null: contrastive divergence without persistent chains.
        /// </summary>
        public int? PersistentChains { get; set; }

        /// <summary>
        /// Whether the states of visible units are sampled in the chains (true) or replaced by their probabilities (mean field, false).
        /// Default null: true for persistent chains, false for chains that start from the data.
        /// </summary>
        public bool? SampleVisible { get; set; }

        /// <summary>
        /// The fraction of the time that a hidden Bernoulli unit should be on, in (0, 1) (Lee, Ekanadham and Ng, 2008). Default null: no
        /// target.
        /// </summary>
        public double? SparsityTarget { get; set; }

        /// <summary>
        /// How strongly hidden units are pushed towards <see cref="SparsityTarget"/>: the factor of the cross entropy between the target
        /// and the mean of the unit over the last batches. Default 0.1.
        /// </summary>
        public double SparsityCost { get; set; } = 0.1;

        /// <summary>
        /// Whether visible biases are initialized from the means of the data, so that the weights need not learn them (Hinton's guide,
        /// section 8); false initializes them to 0. Default true.
        /// </summary>
        public bool InitializeVisibleBiases { get; set; } = true;

        /// <summary>Whether the learning rate is chosen by the data: it is larger for rows that are nearly all zeros.</summary>
        internal bool AdaptsLearningRate => !IsLearningRateSet;

        private protected override double UsualLearningRate => DefaultRbmLearningRate;

        internal RbmColumnNames ColumnNames => new(OutputColumnName, InputColumnName, ReconstructionColumnName, FreeEnergyColumnName);

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
            [(nameof(HiddenLayers), FormattableString.Invariant($"[{NameList.Of(HiddenLayers.Select(layer => FormattableString.Invariant($"{layer.Units}")).ToList())}]")), (nameof(PersistentChains), PersistentChains?.ToString(CultureInfo.InvariantCulture) ?? "null")];

        /// <summary>The states of the chains, and the visible units that are computed from them.</summary>
        internal override double ValuesBesideWeights(NetworkArchitecture architecture) =>
            (PersistentChains ?? 0) * ((2.0 * architecture.OutputCount) + architecture.InputCount);

        /// <summary>Returns the options of one RBM of the stack.</summary>
        internal Options OfLayer(int index)
        {
            var copy = (Options)Snapshot();
            var layer = HiddenLayers[index];
            copy.HiddenLayers = [layer];
            copy.Epochs = Epochs == 0 ? 0 : layer.Epochs ?? Epochs;
            if (layer.LearningRate is { } rate)
                copy.LearningRate = rate;
            if (HiddenLayers.Count == 1)
                return copy;
            copy.Stage = FormattableString.Invariant($"layer {index + 1} of {HiddenLayers.Count}");
            copy.CheckpointFolder = CheckpointFolder == null ? null : Path.Combine(CheckpointFolder, FormattableString.Invariant($"layer{index + 1}"));
            copy.TensorBoardFolder = TensorBoardFolder == null ? null : Path.Combine(TensorBoardFolder, FormattableString.Invariant($"layer{index + 1}"));
            return copy;
        }

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            copy.HiddenLayers = HiddenLayers.ToArray();
            copy.SoftmaxGroups = SoftmaxGroups.ToArray();
            return copy;
        }

        internal override void Check()
        {
            CheckColumns();
            OptionCheck.NotNull(HiddenLayers, nameof(HiddenLayers));
            OptionCheck.Require(HiddenLayers.Count > 0, "empty", nameof(HiddenLayers), "at least one RBM");
            OptionCheck.Count(HiddenLayers.Count, RbmTransformer.MaximumLayers, $"{nameof(HiddenLayers)}.{nameof(HiddenLayers.Count)}");
            for (var i = 0; i < HiddenLayers.Count; i++)
            {
                OptionCheck.NotNull(HiddenLayers[i], FormattableString.Invariant($"{nameof(HiddenLayers)}[{i}]"));
                HiddenLayers[i].Check(FormattableString.Invariant($"{nameof(HiddenLayers)}[{i}]"));
            }
            CheckUnits();
            OptionCheck.Count(GibbsSteps, MaximumGibbsSteps, nameof(GibbsSteps));
            OptionCheck.AtLeast(PersistentChains ?? 1, 1, nameof(PersistentChains));
            base.Check();
            if (InitialWeightsPath != null && HiddenLayers.Count > 1)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(InitialWeightsPath)} is a file for one network, but {nameof(HiddenLayers)} has {HiddenLayers.Count} RBMs; use {nameof(InitialModel)} for a whole stack."), nameof(InitialWeightsPath));
        }

        private void CheckColumns()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            if (ReconstructionColumnName != null)
                OptionCheck.NotEmpty(ReconstructionColumnName, nameof(ReconstructionColumnName));
            if (FreeEnergyColumnName != null)
                OptionCheck.NotEmpty(FreeEnergyColumnName, nameof(FreeEnergyColumnName));
            Messages.ColumnNames.RequireOther(FreeEnergyColumnName, nameof(FreeEnergyColumnName), (InputColumnName, nameof(InputColumnName)));
            var names = new[] { OutputColumnName, ReconstructionColumnName, FreeEnergyColumnName }.OfType<string>().ToList();
            if (names.Distinct().Count() < names.Count)
                throw new ArgumentException($"{nameof(OutputColumnName)}, {nameof(ReconstructionColumnName)} and {nameof(FreeEnergyColumnName)} are {string.Join(", ", names)}; the names must be different.");
        }

        private void CheckUnits()
        {
            OptionCheck.Defined(Output, nameof(Output));
            OptionCheck.Defined(VisibleUnits, nameof(VisibleUnits));
            OptionCheck.NotNull(SoftmaxGroups, nameof(SoftmaxGroups));
            OptionCheck.Require(SoftmaxGroups.Count == 0 || VisibleUnits == VisibleUnitType.Softmax, NumberList.Of(SoftmaxGroups), nameof(SoftmaxGroups), $"empty if {nameof(VisibleUnits)} is {VisibleUnits}");
            for (var i = 0; i < SoftmaxGroups.Count; i++)
                OptionCheck.AtLeast(SoftmaxGroups[i], 2, FormattableString.Invariant($"{nameof(SoftmaxGroups)}[{i}]"));
            var allBernoulli = HiddenLayers.All(layer => layer.Type == HiddenUnitType.Bernoulli);
            OptionCheck.Require(Output == RbmOutput.Means || HiddenLayers[^1].Type == HiddenUnitType.Bernoulli, Output, nameof(Output), $"{nameof(RbmOutput.Means)} if the topmost hidden units are {HiddenLayers[^1].Type}");
            OptionCheck.Above(SparsityTarget ?? 0.5, 0, 1, nameof(SparsityTarget));
            OptionCheck.Require(SparsityTarget is not >= 1, SparsityTarget, nameof(SparsityTarget), "below 1");
            OptionCheck.Require(SparsityTarget == null || allBernoulli, SparsityTarget, nameof(SparsityTarget), "null unless all hidden units are Bernoulli units");
            OptionCheck.NotNegative(SparsityCost, nameof(SparsityCost));
        }
    }
}

/// <summary>
/// The hidden units of one RBM. A number converts to an RBM with that many hidden units: <c>HiddenLayers = [500, 500, 2000]</c>.
/// </summary>
/// <param name="Units">The number of hidden units, at least 1.</param>
public sealed record RbmLayer(int Units)
{
    /// <summary>The type of the hidden units. Default <see cref="HiddenUnitType.Bernoulli"/>.</summary>
    public HiddenUnitType Type { get; init; }

    /// <summary>The learning rate of this RBM. Default null: that of the options.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The number of epochs of this RBM. Default null: those of the options.</summary>
    public int? Epochs { get; init; }

    /// <summary>Creates an RBM with that many hidden units.</summary>
    public static implicit operator RbmLayer(int units) => new(units);

    internal void Check(string option)
    {
        OptionCheck.AtLeast(Units, 1, $"{option}.{nameof(Units)}");
        OptionCheck.Defined(Type, $"{option}.{nameof(Type)}");
        OptionCheck.Positive(LearningRate ?? 1, $"{option}.{nameof(LearningRate)}");
        OptionCheck.AtLeast(Epochs ?? 1, 1, $"{option}.{nameof(Epochs)}");
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(RbmLayer), PrintMembers);
}
