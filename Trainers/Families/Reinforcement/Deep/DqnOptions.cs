using MLExtensions.Engine;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How a replay buffer keeps the values of observations.</summary>
public enum ReplayStorage
{
    /// <summary>One byte for images whose values lie between 0 and 255, otherwise <see cref="Single"/>.</summary>
    Automatic,

    /// <summary>One byte per value: whole numbers from 0 to 255. Pixels from 0 to 255 are rounded.</summary>
    Byte,

    /// <summary>Four bytes per value: any number.</summary>
    Single,
}

/// <summary>How much an error in the value of an action counts.</summary>
public enum ValueLoss
{
    /// <summary>Squared up to 1, and along a line beyond it, so that large errors do not outweigh all others (Huber, 1964).</summary>
    Huber,

    /// <summary>Half the square.</summary>
    Squared,
}

/// <summary>What is learned from logged rows.</summary>
public enum LogLearning
{
    /// <summary>The values of actions, and so to do better than the log.</summary>
    ActionValues,

    /// <summary>To do what the log does: the action is predicted from the state. The values are logits then.</summary>
    Cloning,
}

public sealed partial class DqnEstimator
{
    /// <summary>The options of <see cref="DqnEstimator"/>.</summary>
    /// <remarks>
    /// The defaults learn CartPole in 50,000 steps: double Q-learning, returns over 4 steps, a target network that follows slowly, a learning
    /// rate that falls to 0. Of the options of all trainings, <see cref="TrainingOptions.Epochs"/> counts epochs of
    /// <see cref="StepsPerEpoch"/> steps in an environment, or of all rows of a log.
    /// </remarks>
    public sealed class Options : DataTrainingOptions, IStepOptions, IExplorationOptions
    {
        internal const int DefaultDqnEpochs = 50;
        internal const int DefaultDqnBatchSize = 64;
        internal const double DefaultDqnLearningRate = 1e-3;

        // More than any computer holds.
        private const int MostPlaces = 1 << 30;

        /// <summary>
        /// Creates options with their defaults: 50 epochs of 1,000 steps, 64 transitions per training step, learning rate 0.001 that falls to 0
        /// along a line, Adam, gradients clipped to 10.
        /// </summary>
        public Options()
        {
            (Epochs, BatchSize, LearningRate) = (DefaultDqnEpochs, DefaultDqnBatchSize, DefaultDqnLearningRate);
            (LearningRateSchedule, GradientClipNorm) = (LearningRateSchedule.Linear(), 10);
        }

        /// <summary>The column of the state, a <c>Vector&lt;Single&gt;</c>: in logged rows, and in the rows that the transformer adds columns to. Default <c>State</c>.</summary>
        [DoesNotChangeResult]
        public string StateColumnName { get; set; } = TabularOptions.DefaultStateColumnName;

        /// <summary>The column of the action that was taken, a key. Default <c>Action</c>.</summary>
        [DoesNotChangeResult]
        public string ActionColumnName { get; set; } = TabularOptions.DefaultActionColumnName;

        /// <summary>The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</summary>
        [DoesNotChangeResult]
        public string RewardColumnName { get; set; } = TabularOptions.DefaultRewardColumnName;

        /// <summary>
        /// The column of the state that followed, a <c>Vector&lt;Single&gt;</c>; where a row terminated, it is not read. Not used with
        /// <see cref="EpisodeColumnName"/>. Default <c>NextState</c>.
        /// </summary>
        [DoesNotChangeResult]
        public string NextStateColumnName { get; set; } = TabularOptions.DefaultNextStateColumnName;

        /// <summary>
        /// The column of the episode, a key or a whole number, if rows are whole episodes, one after the other: the state that followed is that of
        /// the next row. The last row of an episode that did not terminate has none and is left out. Default null:
        /// <see cref="NextStateColumnName"/> has it.
        /// </summary>
        [DoesNotChangeResult]
        public string? EpisodeColumnName { get; set; }

        /// <summary>The column of the number of the step in its episode, a whole number that rises by 1. Default null: gaps are not found.</summary>
        [DoesNotChangeResult]
        public string? StepColumnName { get; set; }

        /// <summary>The column that says whether the episode came to its end with the row, a <c>Boolean</c>. Default <c>Terminated</c>.</summary>
        [DoesNotChangeResult]
        public string TerminatedColumnName { get; set; } = "Terminated";

        /// <summary>
        /// The column that says whether the episode was cut off after the row, a <c>Boolean</c>. With it, an episode that ends otherwise is
        /// an error: its last step is missing. Default null.
        /// </summary>
        [DoesNotChangeResult]
        public string? TruncatedColumnName { get; set; }

        /// <summary>
        /// The column of the actions that are allowed in the state, a <c>Vector&lt;Boolean&gt;</c> or a <c>Vector&lt;Single&gt;</c> of 0 and 1: in
        /// logged rows, and in those that the transformer adds columns to. An environment has its masks itself. Default null: all are.
        /// </summary>
        [DoesNotChangeResult]
        public string? ActionMaskColumnName { get; set; }

        /// <summary>
        /// The column of the actions that are allowed in the state that followed. Not used with <see cref="EpisodeColumnName"/>. Default null:
        /// all are.
        /// </summary>
        [DoesNotChangeResult]
        public string? NextActionMaskColumnName { get; set; }

        /// <summary>The column that the transformer adds for the best action, a key. Default <c>PredictedAction</c>.</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = "PredictedAction";

        /// <summary>The column that the transformer adds for the values of all actions, a <c>Vector&lt;Single&gt;</c>. Default <c>ActionValues</c>.</summary>
        [DoesNotChangeResult]
        public string ActionValuesColumnName { get; set; } = "ActionValues";

        /// <summary>
        /// The layers of the network. They end with a <see cref="DenseLayer"/> without a number of units. Default null: those of
        /// <see cref="DqnLayers.Perceptron"/>, for images those of <see cref="DqnLayers.Nature"/>, or of <see cref="DqnLayers.MinAtar"/> if they
        /// are smaller than 36 pixels.
        /// </summary>
        public IReadOnlyList<ImageLayer>? Layers { get; set; }

        /// <summary>
        /// Whether the last hidden layer and what follows it are there twice, once for the value of the state and once for what the actions differ
        /// by (Wang et al., "Dueling Network Architectures", 2016). Default false.
        /// </summary>
        public bool Dueling { get; set; }

        /// <summary>The size of images in logged rows, if the column does not determine it. Default null.</summary>
        public ImageShape? ImageShape { get; set; }

        /// <summary>
        /// What states are divided by before the first layer, above 0. Default null: 255 for images of an environment whose values lie between 0
        /// and 255, otherwise 1.
        /// </summary>
        public double? InputDivisor { get; set; }

        /// <summary>What a reward is worth one step later, above 0 and at most 1. Default 0.99.</summary>
        public double DiscountFactor { get; set; } = TabularOptions.DefaultDiscountFactor;

        /// <summary>
        /// The number of steps whose rewards are counted before a value is believed, at least 1 (Sutton, 1988). Rows with a
        /// <see cref="NextStateColumnName"/> have one step. Default 4.
        /// </summary>
        public int ReturnSteps { get; set; } = 4;

        /// <summary>
        /// Whether the network chooses the best next action and the target network values it, so that luck is not taken for value (van Hasselt,
        /// Guez and Silver, "Deep Reinforcement Learning with Double Q-learning", 2016). Default true.
        /// </summary>
        public bool DoubleLearning { get; set; } = true;

        /// <summary>How much errors count. Default <see cref="ValueLoss.Huber"/>.</summary>
        public ValueLoss Loss { get; set; }

        /// <summary>
        /// The share by which the target network comes closer to the network at each training step, above 0 and at most 1. Not used with
        /// <see cref="TargetUpdateInterval"/>. Default 0.01.
        /// </summary>
        public double TargetUpdateRate { get; set; } = 0.01;

        /// <summary>
        /// The number of steps in the environment, from logged rows of training steps, after which the target network becomes a copy of the network,
        /// at least 1 (Mnih et al., 2015). Default null: it follows by <see cref="TargetUpdateRate"/>.
        /// </summary>
        public int? TargetUpdateInterval { get; set; }

        /// <summary>The number of steps in the environment per epoch; with <see cref="TrainingOptions.Distributed"/>, those of each rank in its own. Default 1,000.</summary>
        public int StepsPerEpoch { get; set; } = 1000;

        /// <summary>
        /// The number of steps that the replay buffer of each rank holds; the oldest are forgotten. Its memory is taken at once and stated in the log. Rows of
        /// a log are all kept. Default 100,000.
        /// </summary>
        public int ReplayCapacity { get; set; } = 100_000;

        /// <summary>How the replay buffer keeps observations. Default <see cref="ReplayStorage.Automatic"/>.</summary>
        public ReplayStorage ReplayStorage { get; set; }

        /// <summary>The number of steps before the first training step. Default 1,000.</summary>
        public int LearningStarts { get; set; } = 1000;

        /// <summary>The number of steps from one training to the next. Default 4.</summary>
        public int TrainingInterval { get; set; } = 4;

        /// <summary>The number of training steps of each training. Default 2.</summary>
        public int GradientSteps { get; set; } = 2;

        /// <summary>The probability of a random action at the beginning, from 0 to 1. Default 1.</summary>
        public double InitialEpsilon { get; set; } = 1;

        /// <summary>The probability of a random action at the end, from 0 to 1. Default 0.04.</summary>
        public double FinalEpsilon { get; set; } = 0.04;

        /// <summary>The share of all steps over which the probability of random actions falls along a line, from 0 to 1. Default 0.16.</summary>
        public double EpsilonDecayFraction { get; set; } = 0.16;

        /// <summary>
        /// Whether transitions whose values were far from their goals are drawn more often (Schaul et al., "Prioritized Experience Replay", 2016).
        /// Default false.
        /// </summary>
        public bool PrioritizedReplay { get; set; }

        /// <summary>The power of the error that is the priority, from 0 to 1; at 0 all count the same. Default 0.6.</summary>
        public double PriorityExponent { get; set; } = 0.6;

        /// <summary>
        /// The power of the weight that makes up for drawing some transitions more often, from 0 to 1, at the beginning; it rises to 1 at the end.
        /// Default 0.4.
        /// </summary>
        public double PriorityCorrection { get; set; } = 0.4;

        /// <summary>
        /// The number of episodes that the policy plays without random actions after each epoch, always the same ones; 0 for none. They are played
        /// in the second environment that <c>Fit</c> gets, or in the first one if its state can be kept meanwhile. Default 10.
        /// </summary>
        public int EvaluationEpisodes { get; set; } = 10;

        /// <summary>The number of steps after which an evaluation episode is cut off if the environment does not do it. Default 100,000.</summary>
        public int EvaluationMaximumSteps { get; set; } = 100_000;

        /// <summary>What is learned from logged rows. Default <see cref="LogLearning.ActionValues"/>.</summary>
        public LogLearning LogLearning { get; set; }

        /// <summary>
        /// With logged rows, how strongly the values of actions that the log does not take are held down, at least 0: nobody tells the network
        /// there that it believes too much (Kumar et al., "Conservative Q-Learning", 2020). 0 is plain Q-learning. Default 1.
        /// </summary>
        public double ConservativeWeight { get; set; } = 1;

        internal override bool DependsOnEpochs => base.DependsOnEpochs || (InitialEpsilon != FinalEpsilon && EpsilonDecayFraction > 0) || PrioritizedReplay;

        internal DqnColumns Columns => new(StateColumnName, ActionMaskColumnName, OutputColumnName, ActionValuesColumnName);

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
            [(nameof(Layers), Layers == null ? "null" : "set")];

        /// <summary>The target network.</summary>
        internal override double ValuesBesideWeights(NetworkArchitecture architecture) => 2.0 * architecture.ParameterCount;

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            copy.Layers = Layers?.ToArray();
            return copy;
        }

        internal override void Check()
        {
            base.Check();
            this.CheckSteps();
            CheckColumns();
            if (ValidationFraction > 0)
                throw new ArgumentOutOfRangeException(nameof(ValidationFraction), ValidationFraction, FormattableString.Invariant($"{nameof(ValidationFraction)} is {ValidationFraction}; it must be 0: steps of one episode belong together. Fit takes held-out rows of a log as validation data; in an environment there are {nameof(EvaluationEpisodes)}."));
            OptionCheck.Require(Buffering == Buffering.InMemory, Buffering, nameof(Buffering), $"{Buffering.InMemory}: transitions are drawn in any order");
            OptionCheck.AtLeast(ReturnSteps, 1, nameof(ReturnSteps));
            OptionCheck.Defined(Loss, nameof(Loss));
            OptionCheck.Above(TargetUpdateRate, 0, 1, nameof(TargetUpdateRate));
            OptionCheck.AtLeast(TargetUpdateInterval ?? 1, 1, nameof(TargetUpdateInterval));
            OptionCheck.AtLeast(StepsPerEpoch, 1, nameof(StepsPerEpoch));
            OptionCheck.Require(ReplayCapacity >= LeastPlaces && ReplayCapacity <= MostPlaces, ReplayCapacity, nameof(ReplayCapacity), FormattableString.Invariant($"at least {LeastPlaces}, which is {nameof(BatchSize)} + {nameof(ReturnSteps)}, and at most {MostPlaces}"));
            OptionCheck.Defined(ReplayStorage, nameof(ReplayStorage));
            OptionCheck.AtLeast(LearningStarts, 0, nameof(LearningStarts));
            OptionCheck.AtLeast(TrainingInterval, 1, nameof(TrainingInterval));
            OptionCheck.AtLeast(GradientSteps, 1, nameof(GradientSteps));
            this.CheckExploration();
            OptionCheck.Between(PriorityExponent, 0, 1, nameof(PriorityExponent));
            OptionCheck.Between(PriorityCorrection, 0, 1, nameof(PriorityCorrection));
            OptionCheck.AtLeast(EvaluationEpisodes, 0, nameof(EvaluationEpisodes));
            OptionCheck.AtLeast(EvaluationMaximumSteps, 1, nameof(EvaluationMaximumSteps));
            OptionCheck.Defined(LogLearning, nameof(LogLearning));
            OptionCheck.NotNegative(ConservativeWeight, nameof(ConservativeWeight));
            OptionCheck.Positive(InputDivisor ?? 1, nameof(InputDivisor));
            OptionCheck.Require((float)(1 / (InputDivisor ?? 1)) < float.MaxValue, InputDivisor, nameof(InputDivisor), "so large that a state divided by it is a float32");
        }

        /// <summary>Whether there is a training step at all in an environment.</summary>
        /// <param name="frames">The number of frames that an observation consists of.</param>
        /// <exception cref="ArgumentException">There is none; the message names the option.</exception>
        internal void CheckLearns(int frames)
        {
            var steps = (long)Epochs * StepsPerEpoch;
            OptionCheck.Require(Epochs == 0 || TrainingInterval <= steps, TrainingInterval, nameof(TrainingInterval), FormattableString.Invariant($"at most {steps}, the number of all steps ({nameof(Epochs)} x {nameof(StepsPerEpoch)}), or nothing is learned"));
            OptionCheck.Require(Epochs == 0 || LearningStarts <= steps / TrainingInterval * TrainingInterval, LearningStarts, nameof(LearningStarts), FormattableString.Invariant($"at most {steps / TrainingInterval * TrainingInterval}, the last step that is followed by a training, or nothing is learned"));
            var places = (long)LeastPlaces + frames - 1;
            OptionCheck.Require(ReplayCapacity >= places, ReplayCapacity, nameof(ReplayCapacity), FormattableString.Invariant($"at least {places}, which is {nameof(BatchSize)} + {nameof(ReturnSteps)} + the {frames - 1} frames before an observation"));
        }

        private int LeastPlaces => (int)Math.Min(MostPlaces, (long)BatchSize + ReturnSteps);

        private void CheckColumns()
        {
            OptionCheck.NotEmpty(TerminatedColumnName, nameof(TerminatedColumnName));
            foreach (var (name, option) in new[]
            {
                (EpisodeColumnName, nameof(EpisodeColumnName)), (StepColumnName, nameof(StepColumnName)), (TruncatedColumnName, nameof(TruncatedColumnName)),
                (ActionMaskColumnName, nameof(ActionMaskColumnName)), (NextActionMaskColumnName, nameof(NextActionMaskColumnName)),
            })
            {
                if (name != null)
                    OptionCheck.NotEmpty(name, option);
            }
            Messages.ColumnNames.RequireOther(ActionValuesColumnName, nameof(ActionValuesColumnName), (ActionMaskColumnName, nameof(ActionMaskColumnName)));
            OptionCheck.Require(StepColumnName == null || EpisodeColumnName != null, StepColumnName, nameof(StepColumnName), $"null without {nameof(EpisodeColumnName)}, which says whose steps are counted");
        }
    }
}
