using Microsoft.ML;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>A network of any family that an example trains.</summary>
/// <param name="Title">What it is called in tables.</param>
/// <param name="FileName">What its files are called.</param>
/// <param name="Options">A fresh set of options.</param>
internal sealed record NetworkTraining(string Title, string FileName, SupervisedTrainerOptions Options)
{
    /// <summary>Fits network and class names on data with the columns Label (a key) and Features, with a progress bar.</summary>
    public ITransformer Fit(MLContext mlContext, IDataView trainSet, CancellationToken cancellationToken)
    {
        Options.Progress = new ConsoleProgress(Title);
        Options.CancellationToken = cancellationToken;
        return CreateTrainer(mlContext).Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(trainSet);
    }

    public IEstimator<MulticlassNetworkTransformer> CreateTrainer(MLContext mlContext)
    {
        var trainers = mlContext.MulticlassClassification.Trainers;
        return Options switch
        {
            MlpMulticlassTrainer.Options options => trainers.Mlp(options),
            CnnMulticlassTrainer.Options options => trainers.Cnn(options),
            ResNetMulticlassTrainer.Options options => trainers.ResNet(options),
            _ => throw new NotSupportedException($"{Options.GetType()} has no multiclass trainer here."),
        };
    }
}
