using Microsoft.ML;

namespace MLExtensions.Tests.Lstm;

/// <summary>Tiny networks over sequences that train in a moment.</summary>
internal static class SequenceModel
{
    public const string Values = nameof(SequenceRow.Values);
    public const string Texts = nameof(SequenceRow.Text);
    public const string Keys = "Keys";

    public static MLContext Ml { get; } = new(1);

    /// <summary>The words of the text column as a vector of keys.</summary>
    public static IEstimator<ITransformer> ToKeys => Ml.Transforms.Text.TokenizeIntoWords(Keys, Texts).Append(Ml.Transforms.Conversion.MapValueToKey(Keys));

    public static TOptions Options<TOptions>(string features, string label, Action<RecurrentOptions>? change = null)
        where TOptions : RecurrentOptions, new()
    {
        var options = new TOptions
        {
            FeatureColumnName = features,
            LabelColumnName = label,
            HiddenUnits = 8,
            EmbeddingSize = 6,
            Epochs = 2,
            BatchSize = 16,
            LearningRate = 0.02,
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        };
        change?.Invoke(options);
        return options;
    }

    public static RecurrentBinaryTrainer Binary(string features, Action<RecurrentOptions>? change = null) =>
        Ml.BinaryClassification.Trainers.Recurrent(Options<RecurrentBinaryTrainer.Options>(features, nameof(SequenceRow.Flag), change));

    public static RecurrentMulticlassTrainer Multiclass(string features, Action<RecurrentOptions>? change = null) =>
        Ml.MulticlassClassification.Trainers.Recurrent(Options<RecurrentMulticlassTrainer.Options>(features, nameof(SequenceRow.Class), change));

    public static RecurrentRegressionTrainer Regression(string features, Action<RecurrentOptions>? change = null) =>
        Ml.Regression.Trainers.Recurrent(Options<RecurrentRegressionTrainer.Options>(features, nameof(SequenceRow.Target), change));

    public static BinaryNetworkTransformer Fit(IEnumerable<SequenceRow> rows, Action<RecurrentOptions>? change = null, string features = Values) =>
        Binary(features, change).Fit(SequenceRow.View(Ml, rows));

    public static float[] Scores(ITransformer model, params IEnumerable<SequenceRow> rows) =>
        Contract.Outcome.Scores(model.Transform(SequenceRow.View(Ml, rows)));

    /// <summary>The scores of rows, one after the other through a prediction engine.</summary>
    public static float[] ScoresOneByOne(ITransformer model, IEnumerable<SequenceRow> rows)
    {
        using var engine = Ml.Model.CreatePredictionEngine<SequenceRow, SequenceScore>(model, new PredictionEngineOptions { OwnsTransformer = false });
        return rows.Select(row => engine.Predict(row).Score).ToArray();
    }

    public static RecurrentArchitecture Architecture(NetworkTransformer model) => (RecurrentArchitecture)model.Model.Architecture;
}
