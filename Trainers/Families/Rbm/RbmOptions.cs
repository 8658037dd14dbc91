using MLExtensions.Engine;
using MLExtensions.Families.Rbm;
using MLExtensions.Families.Recurrent;
using MLExtensions.Supervised;
using MLExtensions.Training;
using Microsoft.ML.Data;

namespace MLExtensions;

public sealed partial class RbmEstimator
{
    /// <summary>
    /// What can be set on a restricted Boltzmann machine or a stack of them. Other defaults than those of other networks: 10 epochs, batches of 10,
    /// plain gradient descent at a learning rate of 0.05, weights that start small.
    /// </summary>
    /// <remarks>Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", 2010, says what to try. Momentum is that of <see cref="SgdOptimizer"/>, weight decay <see cref="TrainingOptions.L2Regularization"/>.</remarks>
    public sealed class Options : RowTrainingOptions
    {
        internal const int DefaultRbmEpochs = 10;
        internal const int DefaultRbmBatchSize = 10;
        internal const double DefaultRbmLearningRate = 0.05;
        internal const int DefaultHiddenLayers = 256;

        /// <summary>Sets the defaults.</summary>
        public Options()
        {
            Epochs = DefaultRbmEpochs;
            BatchSize = DefaultRbmBatchSize;
            LearningRate = DefaultRbmLearningRate;
            Optimizer = new SgdOptimizer();
            Initialization = WeightInitialization.SmallNormal;
        }

        /// <summary>The column of the hidden units' values. Default "Features".</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>The column of the visible units' values, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>. Default "Features".</summary>
        [DoesNotChangeResult]
        public string InputColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>A column for the visible units as the hidden ones say they are, a <c>Vector&lt;Single&gt;</c>. Default null: there is none.</summary>
        [DoesNotChangeResult]
        public string? ReconstructionColumnName { get; set; }

        /// <summary>A column for the free energy of each row, a <c>Single</c>. Default null: there is none.</summary>
        [DoesNotChangeResult]
        public string? FreeEnergyColumnName { get; set; }

        /// <summary>What the output column holds. Default <see cref="RbmOutput.Means"/>.</summary>
        [DoesNotChangeResult]
        public RbmOutput Output { get; set; }

        /// <summary>The hidden units of each machine, from the lowest to the topmost. Default one machine of 256.</summary>
        public IReadOnlyList<RbmLayer> HiddenLayers { get; set; } = [DefaultHiddenLayers];

        /// <summary>What the visible units are. Default <see cref="VisibleUnitType.Bernoulli"/>.</summary>
        public VisibleUnitType VisibleUnits { get; set; }

        /// <summary>
        /// The number of categories of each softmax unit, in the order of the column's slots, for visible softmax units. Default empty: the whole column is one.
        /// </summary>
        public IReadOnlyList<int> SoftmaxGroups { get; set; } = [];

        /// <summary>The number of Gibbs steps between the data and what the machine makes of it, the k of CD-k. Default 1.</summary>
        public int GibbsSteps { get; set; } = 1;

        /// <summary>
        /// The number of chains that go on from batch to batch (Tieleman, 2008) instead of starting from the data each time; as many as a batch has rows is usual.
        /// Default null: they start from the data, which is contrastive divergence.
        /// </summary>
        public int? PersistentChains { get; set; }

        /// <summary>
        /// Whether states of visible units are drawn in the chains (true), or are their probabilities, the mean field (false).
        /// Default null: drawn in chains that persist, not in those that start from the data.
        /// </summary>
        public bool? SampleVisible { get; set; }

        /// <summary>The share of the time that a hidden Bernoulli unit should be on, in (0, 1); Lee, Ekanadham and Ng, 2008. Default null: as the data wants it.</summary>
        public double? SparsityTarget { get; set; }

        /// <summary>How strongly hidden units are pushed towards <see cref="SparsityTarget"/>: the factor of the cross entropy between it and the unit's mean over the last batches. Default 0.1.</summary>
        public double SparsityCost { get; set; } = 0.1;

        /// <summary>Whether visible biases start from the data's means, so that weights need not learn them (the Guide, section 8). Default true; false starts at 0.</summary>
        public bool InitializeVisibleBiases { get; set; } = true;

        internal RbmColumnNames ColumnNames => new(OutputColumnName, InputColumnName, ReconstructionColumnName, FreeEnergyColumnName);

        /// <summary>The options of one machine of the stack.</summary>
        internal Options OfLayer(int index)
        {
            var copy = (Options)Snapshot();
            var layer = HiddenLayers[index];
            copy.HiddenLayers = [layer];
            copy.Epochs = Epochs == 0 ? 0 : layer.Epochs ?? Epochs;
            copy.LearningRate = layer.LearningRate ?? LearningRate;
            if (HiddenLayers.Count == 1)
                return copy;
            copy.Stage = $"layer {index + 1} of {HiddenLayers.Count}";
            copy.CheckpointFolder = CheckpointFolder == null ? null : Path.Combine(CheckpointFolder, $"layer{index + 1}");
            copy.TensorBoardFolder = TensorBoardFolder == null ? null : Path.Combine(TensorBoardFolder, $"layer{index + 1}");
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
            OptionCheck.Require(HiddenLayers.Count > 0, "empty", nameof(HiddenLayers), "one machine or more");
            for (var i = 0; i < HiddenLayers.Count; i++)
            {
                OptionCheck.NotNull(HiddenLayers[i], $"{nameof(HiddenLayers)}[{i}]");
                HiddenLayers[i].Check($"{nameof(HiddenLayers)}[{i}]");
            }
            CheckUnits();
            OptionCheck.AtLeast(GibbsSteps, 1, nameof(GibbsSteps));
            OptionCheck.AtLeast(PersistentChains ?? 1, 1, nameof(PersistentChains));
            base.Check();
            if (InitialWeightsPath != null && HiddenLayers.Count > 1)
                throw new ArgumentException($"{nameof(InitialWeightsPath)} is a file for one network, and {nameof(HiddenLayers)} asks for {HiddenLayers.Count} machines; {nameof(InitialModel)} takes a whole stack.", nameof(InitialWeightsPath));
        }

        private void CheckColumns()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            if (ReconstructionColumnName != null)
                OptionCheck.NotEmpty(ReconstructionColumnName, nameof(ReconstructionColumnName));
            if (FreeEnergyColumnName != null)
                OptionCheck.NotEmpty(FreeEnergyColumnName, nameof(FreeEnergyColumnName));
            var names = new[] { OutputColumnName, ReconstructionColumnName, FreeEnergyColumnName }.OfType<string>().ToList();
            if (names.Distinct().Count() < names.Count)
                throw new ArgumentException($"{nameof(OutputColumnName)}, {nameof(ReconstructionColumnName)} and {nameof(FreeEnergyColumnName)} are {string.Join(", ", names)}; each needs a name of its own.");
        }

        private void CheckUnits()
        {
            OptionCheck.Defined(Output, nameof(Output));
            OptionCheck.Defined(VisibleUnits, nameof(VisibleUnits));
            OptionCheck.NotNull(SoftmaxGroups, nameof(SoftmaxGroups));
            OptionCheck.Require(SoftmaxGroups.Count == 0 || VisibleUnits == VisibleUnitType.Softmax, string.Join(", ", SoftmaxGroups), nameof(SoftmaxGroups), $"empty where {nameof(VisibleUnits)} is {VisibleUnits}");
            for (var i = 0; i < SoftmaxGroups.Count; i++)
                OptionCheck.AtLeast(SoftmaxGroups[i], 2, $"{nameof(SoftmaxGroups)}[{i}]");
            var allBernoulli = HiddenLayers.All(layer => layer.Type == HiddenUnitType.Bernoulli);
            OptionCheck.Require(Output == RbmOutput.Means || HiddenLayers[^1].Type == HiddenUnitType.Bernoulli, Output, nameof(Output), $"{nameof(RbmOutput.Means)} where the topmost hidden units are {HiddenLayers[^1].Type}");
            OptionCheck.Above(SparsityTarget ?? 0.5, 0, 1, nameof(SparsityTarget));
            OptionCheck.Require(SparsityTarget is not >= 1, SparsityTarget, nameof(SparsityTarget), "below 1");
            OptionCheck.Require(SparsityTarget == null || allBernoulli, SparsityTarget, nameof(SparsityTarget), "null where hidden units are no Bernoulli units");
            OptionCheck.NotNegative(SparsityCost, nameof(SparsityCost));
        }
    }
}

/// <summary>The hidden units of one restricted Boltzmann machine. A number converts to a machine of so many: <c>HiddenLayers = [500, 500, 2000]</c>.</summary>
/// <param name="Units">The number of hidden units, at least 1.</param>
public sealed record RbmLayer(int Units)
{
    /// <summary>What the hidden units are. Default <see cref="HiddenUnitType.Bernoulli"/>.</summary>
    public HiddenUnitType Type { get; init; }

    /// <summary>The learning rate of this machine. Default null: that of the options.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The epochs of this machine. Default null: those of the options.</summary>
    public int? Epochs { get; init; }

    /// <summary>A machine of so many hidden units.</summary>
    public static implicit operator RbmLayer(int units) => new(units);

    internal void Check(string option)
    {
        OptionCheck.AtLeast(Units, 1, $"{option}.{nameof(Units)}");
        OptionCheck.Defined(Type, $"{option}.{nameof(Type)}");
        OptionCheck.Positive(LearningRate ?? 1, $"{option}.{nameof(LearningRate)}");
        OptionCheck.AtLeast(Epochs ?? 1, 1, $"{option}.{nameof(Epochs)}");
    }
}
