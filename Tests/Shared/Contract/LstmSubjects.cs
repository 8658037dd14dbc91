using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Recurrent networks: each third of the features is a step.</summary>
internal static class LstmSubjects
{
    public static Subject[] All =>
    [
        new LstmSubject<BinaryNetworkTransformer>("LstmBinary", ContractTask.Binary, () => new LstmBinaryTrainer.Options(), (ml, o) => ml.BinaryClassification.Trainers.Lstm((LstmBinaryTrainer.Options)o)),
        new LstmSubject<MulticlassNetworkTransformer>("LstmMulticlass", ContractTask.Multiclass, () => new LstmMulticlassTrainer.Options { Cell = RecurrentCell.Gru, Bidirectional = true, Pooling = SequencePooling.Attention }, (ml, o) => ml.MulticlassClassification.Trainers.Lstm((LstmMulticlassTrainer.Options)o)),
        new LstmSubject<RegressionNetworkTransformer>("LstmRegression", ContractTask.Regression, () => new LstmRegressionTrainer.Options { Layers = 2 }, (ml, o) => ml.Regression.Trainers.Lstm((LstmRegressionTrainer.Options)o)),
    ];
}

internal sealed class LstmSubject<TTransformer>(string name, ContractTask task, Func<LstmOptions> createOptions, Func<MLContext, NetworkTrainerOptions, IEstimator<NetworkTransformer>> createTrainer)
    : Subject<TTransformer>(name, task)
    where TTransformer : NetworkTransformer
{
    public override bool TakesOneFeature => false;

    public override bool TakesAnyLength => true;

    public override IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, NetworkTrainerOptions options) => createTrainer(ml, options);

    public override int ChangeArchitecture(TrainingOptions options)
    {
        ((LstmOptions)options).HiddenUnits = 7;
        return FeatureCount;
    }

    protected override NetworkTrainerOptions CreateOptions()
    {
        var options = createOptions();
        options.HiddenUnits = 12;
        options.StepSize = 2;
        options.Epochs = 15;
        options.BatchSize = 16;
        options.LearningRate = 0.02;
        return options;
    }

    protected override void AddNoise(TrainingOptions options)
    {
        var lstm = (LstmOptions)options;
        lstm.Layers = 2;
        lstm.Dropout = 0.1;
        lstm.InputDropout = 0.1;
    }
}
