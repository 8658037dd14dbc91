using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Recurrent networks: each third of the features is a step.</summary>
internal static class LstmSubjects
{
    public static Subject[] All =>
    [
        new LstmSubject<BinaryNetworkTransformer>("LstmBinary", ContractTask.Binary, () => new RecurrentBinaryTrainer.Options(), (ml, o) => ml.BinaryClassification.Trainers.Recurrent((RecurrentBinaryTrainer.Options)o)),
        new LstmSubject<MulticlassNetworkTransformer>("LstmMulticlass", ContractTask.Multiclass, () => new RecurrentMulticlassTrainer.Options { Cell = RecurrentCell.Gru, Bidirectional = true, Pooling = SequencePooling.Attention }, (ml, o) => ml.MulticlassClassification.Trainers.Recurrent((RecurrentMulticlassTrainer.Options)o)),
        new LstmSubject<RegressionNetworkTransformer>("LstmRegression", ContractTask.Regression, () => new RecurrentRegressionTrainer.Options { NumberOfLayers = 2 }, (ml, o) => ml.Regression.Trainers.Recurrent((RecurrentRegressionTrainer.Options)o)),
    ];
}

internal sealed class LstmSubject<TTransformer>(string name, ContractTask task, Func<RecurrentOptions> createOptions, Func<MLContext, SupervisedTrainerOptions, IEstimator<NetworkTransformer>> createTrainer)
    : Subject<TTransformer>(name, task)
    where TTransformer : NetworkTransformer
{
    public override bool TakesOneFeature => false;

    public override bool TakesAnyLength => true;

    /// <summary>The gates make gradients small.</summary>
    public override double? RateOf(Optimizer optimizer) => optimizer is SgdOptimizer ? 0.2 : base.RateOf(optimizer);

    public override IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, SupervisedTrainerOptions options) => createTrainer(ml, options);

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        ((RecurrentOptions)options).HiddenUnits = 7;
        return FeatureCount;
    }

    protected override SupervisedTrainerOptions CreateOptions()
    {
        var options = createOptions();
        options.HiddenUnits = 12;
        options.StepSize = 2;
        options.Epochs = 15;
        options.BatchSize = 16;
        options.LearningRate = 0.02;
        return options;
    }

    protected override void AddNoise(DataTrainingOptions options)
    {
        var lstm = (RecurrentOptions)options;
        lstm.NumberOfLayers = 2;
        lstm.Dropout = 0.1;
        lstm.InputDropout = 0.1;
    }
}
