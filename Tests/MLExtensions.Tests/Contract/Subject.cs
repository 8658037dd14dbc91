using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A trainer under contract. A new family adds a subject a task, and one line to <see cref="Subjects"/>.</summary>
internal abstract class Subject(string name, ContractTask task)
{
    public string Name => name;

    public ContractTask Task => task;

    /// <summary>The width of the feature column; a multiple of 3.</summary>
    public virtual int FeatureCount => 6;

    /// <summary>
    /// Whether the network always normalises by the statistics of a batch: the rows of a batch then affect each other, and there are
    /// running statistics that change at any learning rate.
    /// </summary>
    public virtual bool HasBatchStatistics => false;

    /// <summary>Whether a feature column that is one number makes sense to the family.</summary>
    public virtual bool TakesOneFeature => true;

    /// <summary>Whether rows may have any number of values: the family reads sequences.</summary>
    public virtual bool TakesAnyLength => false;

    /// <summary>The family's options for a network that learns the known answer quickly; nothing in it may be random but the seed's doing.</summary>
    protected abstract NetworkTrainerOptions CreateOptions();

    /// <summary>Turns on whatever keeps state beside the weights or draws random numbers while training: dropout, batch normalisation.</summary>
    protected abstract void AddNoise(NetworkTrainerOptions options);

    /// <summary>The learning rate of gradient descent without momentum on all rows at once.</summary>
    public virtual double FullBatchRate => 0.3;

    /// <summary>Changes options to those of a network whose weights have other shapes.</summary>
    /// <returns>The width of the feature column for it, a multiple of 3.</returns>
    public virtual int ChangeArchitecture(NetworkTrainerOptions options) => FeatureCount + 3;

    public abstract IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, NetworkTrainerOptions options);

    public abstract NetworkTransformer Fit(IEstimator<NetworkTransformer> trainer, IDataView train, IDataView validation);

    /// <summary>Options on the contract's columns, seed 1, one thread.</summary>
    public NetworkTrainerOptions Options(Action<NetworkTrainerOptions>? change = null, bool noisy = false)
    {
        var options = CreateOptions();
        options.LabelColumnName = Task.LabelColumn;
        options.FeatureColumnName = nameof(Example.Features);
        options.Seed = 1;
        options.ThreadCount = 1;
        if (noisy)
            AddNoise(options);
        change?.Invoke(options);
        return options;
    }

    public NetworkTransformer Fit(IEnumerable<Example> rows, Action<NetworkTrainerOptions>? change = null, bool noisy = false, MLContext? ml = null)
    {
        ml ??= new MLContext(1);
        return CreateTrainer(ml, Options(change, noisy)).Fit(Example.View(ml, rows, FeatureCount));
    }

    public Example[] Rows(int count, int seed = 1) => Example.Create(count, FeatureCount, seed);

    public IDataView View(MLContext ml, int count, int seed = 1) => Example.View(ml, Rows(count, seed));
}

/// <summary>A subject with its transformer's type.</summary>
internal abstract class Subject<TTransformer>(string name, ContractTask task) : Subject(name, task)
    where TTransformer : NetworkTransformer
{
    public sealed override NetworkTransformer Fit(IEstimator<NetworkTransformer> trainer, IDataView train, IDataView validation) =>
        ((NetworkTrainer<TTransformer>)trainer).Fit(train, validation);
}
