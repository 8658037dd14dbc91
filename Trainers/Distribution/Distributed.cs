using System.Text.Json;
using MLExtensions.Distribution;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Training on several processes, on one machine or several: each reads its share of every batch, and the gradients are averaged before each
/// step, so that all have the same weights at all times (synchronous data-parallel training). Open MPI starts and connects the processes:
/// after <c>dotnet build -c Release</c>, <c>mpirun -n 4 dotnet run --no-build -c Release</c>.
/// </summary>
/// <remarks>
/// <para>All processes run the same program with the same data and options; what differs is found before the training, and said. The weights are
/// those of one process with the same batch of all ranks, but for rounding, where nothing is drawn for each row in training (dropout,
/// augmentation) and no statistics of a batch are used (batch normalization: each rank has those of its share, and what is remembered of them is
/// the mean).</para>
/// <para>Only rank 0 reports epochs and warnings, and writes TensorBoard events and checkpoints; write your own files where <see cref="IsMain"/> is true. A rank that
/// fails ends the training of all with a <see cref="DistributedException"/> that names it. If Open MPI is not installed, nothing changes for
/// programs that were not started by it.</para>
/// </remarks>
/// <example>
/// <code>
/// var distributed = Distributed.FromEnvironment();
/// var options = new MlpMulticlassTrainer.Options { Distributed = distributed, BatchSize = 64, Epochs = 10 };
/// using var model = ml.MulticlassClassification.Trainers.Mlp(options).Fit(train);
/// if (distributed.IsMain)
///     ml.Model.Save(model, train.Schema, "model.zip");
/// </code>
/// </example>
public sealed record Distributed
{
    internal static readonly TimeSpan UsualTimeout = TimeSpan.FromMinutes(10);

    private static readonly Lazy<ProcessGroup> World = new(() => new MpiGroup());

    private Distributed(ProcessGroup? group) => Group = group;

    /// <summary>The number of this process, from 0.</summary>
    public int Rank => Group?.Rank ?? 0;

    /// <summary>The number of processes; 1 if the program was not started by <c>mpirun</c>.</summary>
    public int WorldSize => Group?.Size ?? 1;

    /// <summary>Whether this is the process that writes files: rank 0.</summary>
    public bool IsMain => Rank == 0;

    /// <summary>
    /// How long ranks wait for one that does not answer, before all of them end and an error names it. It must be longer than the slowest rank
    /// needs to read its data. Default: ten minutes.
    /// </summary>
    public TimeSpan Timeout { get; init; } = UsualTimeout;

    /// <summary>
    /// Whether the learning rate is multiplied by the number of ranks, as the batch is (Goyal et al., "Accurate, large minibatch SGD: training
    /// ImageNet in 1 hour", 2017). They recommend a warm-up of five epochs with it: see <see cref="LearningRateSchedule"/>. Default: false.
    /// </summary>
    public bool ScaleLearningRate { get; init; }

    /// <summary>
    /// Whether batch normalization uses the statistics of the rows of all ranks (Peng et al., "MegDet: a large mini-batch object detector", 2018),
    /// so that the result does not depend on their number. It costs two small sums more for each normalization and step. Default false: each rank
    /// has the statistics of its own rows.
    /// </summary>
    public bool SynchronizeBatchNormalization { get; init; }

    /// <summary>
    /// The number format in which gradients are sent. <see cref="Precision.BFloat16"/> halves what is sent, and rounds each gradient to 8
    /// significant bits at each sum; it pays where the network is slow. Default <see cref="Precision.Float32"/>.
    /// </summary>
    public Precision GradientPrecision { get; init; }

    /// <summary>The processes, or null if there is one.</summary>
    internal ProcessGroup? Group { get; }

    /// <summary>
    /// Finds the processes that <c>mpirun</c> has started. In a program that was started without it, there is one, and training is as without
    /// this option.
    /// </summary>
    /// <exception cref="DllNotFoundException">The program was started by mpirun, but the library of Open MPI is not installed.</exception>
    public static Distributed FromEnvironment() => new(MpiGroup.IsRank && World.Value.Size > 1 ? World.Value : null);

    /// <summary>
    /// Computes each item on one rank (item i on rank i modulo <see cref="WorldSize"/>), such as the trainings of a grid of options, and returns
    /// the results of all items on all ranks. All ranks must call it with the same items.
    /// </summary>
    /// <typeparam name="TItem">The type of the items.</typeparam>
    /// <typeparam name="TResult">
    /// The type of the results: what <see cref="JsonSerializer"/> can write and read, such as numbers, strings, arrays and records. ML.NET's
    /// metrics are not; return their numbers.
    /// </typeparam>
    /// <param name="items">The items. There is no balance of work between ranks: put costly ones first, or mix them.</param>
    /// <param name="compute">Computes one. Trainings in it must not have <see cref="TrainingOptions.Distributed"/> set.</param>
    /// <returns>The results, in the order of the items.</returns>
    /// <exception cref="DistributedException">It failed on another rank, or another rank does something else.</exception>
    /// <exception cref="InvalidOperationException">A result is lost in JSON.</exception>
    /// <remarks>Ranks that are done wait for the others without a limit of time.</remarks>
    /// <example>
    /// <code>
    /// int[] sizes = [32, 64, 128, 256];
    /// var accuracies = distributed.Map(sizes, size =&gt;
    /// {
    ///     var pipeline = ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options { HiddenLayers = [size], Seed = 1 });
    ///     return ml.MulticlassClassification.Evaluate(pipeline.Fit(train).Transform(test)).MicroAccuracy;
    /// });
    /// </code>
    /// </example>
    public IReadOnlyList<TResult> Map<TItem, TResult>(IReadOnlyList<TItem> items, Func<TItem, TResult> compute)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(compute);
        if (Group == null)
            return items.Select(compute).ToArray();
        var results = new MappedResults<TResult>();
        return Group.Map(FormattableString.Invariant($"{nameof(Map)} of {items.Count} items of type {typeof(TItem).Name} to {typeof(TResult).Name}"), items.Count, i => results.Write(compute(items[i]), i)).Select(results.Read).ToArray();
    }

    /// <summary>The processes of a test.</summary>
    internal static Distributed Of(ProcessGroup group) => new(group);

    /// <summary>The rank and the number of ranks.</summary>
    public override string ToString() => FormattableString.Invariant($"rank {Rank} of {WorldSize}");

    /// <summary>The part of each batch that this process trains on.</summary>
    internal static Share ShareOf(Distributed? distributed) => new(distributed?.Rank ?? 0, distributed?.WorldSize ?? 1);

    /// <summary>Returns the number that rank 0 has drawn.</summary>
    internal static int Agree(Distributed? distributed, int drawn) => distributed?.Group is { } group
        ? BitConverter.ToInt32(group.Share(distributed.Timeout, BitConverter.GetBytes(drawn)))
        : drawn;

    /// <summary>A seed of what each rank draws for itself.</summary>
    internal static int SeedOf(Distributed? distributed, int seed) => unchecked(seed + ((distributed?.Rank ?? 0) * 7919));

    /// <summary>Runs a training on all ranks.</summary>
    internal static T Run<T>(Distributed? distributed, string name, Func<T> training) =>
        distributed?.Group is { } group ? group.Run($"a training of {name}", distributed.Timeout, training) : training();

    internal void Check()
    {
        OptionCheck.Require(GradientPrecision is Precision.Float32 or Precision.BFloat16, GradientPrecision, FormattableString.Invariant($"{nameof(Distributed)}.{nameof(GradientPrecision)}"), $"{nameof(Precision.Float32)} or {nameof(Precision.BFloat16)}");
        if (Timeout <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(Timeout), Timeout, FormattableString.Invariant($"{nameof(Distributed)}.{nameof(Timeout)} is {Timeout}; it must be positive."));
    }
}
