using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

internal sealed class MlpBinarySubject() : Subject<BinaryNetworkTransformer>("MlpBinary", ContractTask.Binary)
{
    protected override NetworkTrainerOptions CreateOptions() => MlpSubject.Small(new MlpBinaryTrainer.Options());

    protected override void AddNoise(TrainingOptions options) => MlpSubject.AddNoise(options);

    public override IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, NetworkTrainerOptions options) =>
        ml.BinaryClassification.Trainers.Mlp((MlpBinaryTrainer.Options)options);
}

internal sealed class MlpMulticlassSubject() : Subject<MulticlassNetworkTransformer>("MlpMulticlass", ContractTask.Multiclass)
{
    protected override NetworkTrainerOptions CreateOptions() => MlpSubject.Small(new MlpMulticlassTrainer.Options());

    protected override void AddNoise(TrainingOptions options) => MlpSubject.AddNoise(options);

    public override IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, NetworkTrainerOptions options) =>
        ml.MulticlassClassification.Trainers.Mlp((MlpMulticlassTrainer.Options)options);
}

internal sealed class MlpRegressionSubject() : Subject<RegressionNetworkTransformer>("MlpRegression", ContractTask.Regression)
{
    protected override NetworkTrainerOptions CreateOptions() => MlpSubject.Small(new MlpRegressionTrainer.Options());

    protected override void AddNoise(TrainingOptions options) => MlpSubject.AddNoise(options);

    public override IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, NetworkTrainerOptions options) =>
        ml.Regression.Trainers.Mlp((MlpRegressionTrainer.Options)options);
}

/// <summary>What the three share.</summary>
internal static class MlpSubject
{
    public static MlpOptions Small(MlpOptions options)
    {
        options.HiddenLayers = [12];
        options.Epochs = 15;
        options.BatchSize = 32;
        options.LearningRate = 0.02;
        return options;
    }

    public static void AddNoise(TrainingOptions options)
    {
        var mlp = (MlpOptions)options;
        mlp.HiddenLayers = [12, 8];
        mlp.Dropout = 0.1;
        mlp.InputDropout = 0.1;
        mlp.BatchNormalization = true;
    }
}
