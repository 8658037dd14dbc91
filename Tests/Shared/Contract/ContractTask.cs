using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>What the contract has to know about a machine learning task: its label, and how ML.NET judges it.</summary>
internal abstract class ContractTask
{
    public static ContractTask Binary { get; } = new BinaryTask();

    public static ContractTask Multiclass { get; } = new MulticlassTask();

    public static ContractTask Regression { get; } = new RegressionTask();

    public abstract string LabelColumn { get; }

    /// <summary>The columns that the transformer adds, in order.</summary>
    public abstract string[] OutputColumns { get; }

    /// <summary>What a history says beside the loss.</summary>
    public abstract string Metric { get; }

    /// <summary>Takes the label of a row away; false where it cannot be missing.</summary>
    public abstract bool RemoveLabel(Example row);

    /// <summary>Accuracy or R2, as ML.NET's evaluator sees it.</summary>
    public abstract double Quality(MLContext ml, IDataView scored);

    public abstract double[] CrossValidate(MLContext ml, IDataView data, IEstimator<ITransformer> estimator, int folds);

    /// <summary>By how much the quality falls when a feature is shuffled.</summary>
    public abstract double[] Importance(MLContext ml, NetworkTransformer model, IDataView data);

    /// <summary>The scores of rows, one after the other through a prediction engine.</summary>
    public abstract float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows, int width);

    private static float[] PredictRows<TOutput>(MLContext ml, ITransformer model, IEnumerable<Example> rows, int width, Func<TOutput, float[]> scores)
        where TOutput : class, new()
    {
        // An engine that owns its transformer would take it away from the test.
        var options = new PredictionEngineOptions { InputSchemaDefinition = Example.Schema(width), OwnsTransformer = false };
        using var engine = ml.Model.CreatePredictionEngine<Example, TOutput>(model, options);
        return rows.SelectMany(row => scores(engine.Predict(row))).ToArray();
    }

    private sealed class ScalarOutput
    {
        public float Score { get; set; }
    }

    private sealed class VectorOutput
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class BinaryTask : ContractTask
    {
        public override string LabelColumn => nameof(Example.Flag);

        public override string[] OutputColumns => ["PredictedLabel", "Score", "Probability"];

        public override string Metric => "accuracy";

        public override bool RemoveLabel(Example row) => false;

        public override double Quality(MLContext ml, IDataView scored) => ml.BinaryClassification.Evaluate(scored, LabelColumn).Accuracy;

        public override double[] CrossValidate(MLContext ml, IDataView data, IEstimator<ITransformer> estimator, int folds) =>
            ml.BinaryClassification.CrossValidate(data, estimator, folds, LabelColumn).Select(fold => fold.Metrics.Accuracy).ToArray();

        public override double[] Importance(MLContext ml, NetworkTransformer model, IDataView data) =>
            ml.BinaryClassification.PermutationFeatureImportance(model, data, LabelColumn).Select(metrics => -metrics.Accuracy.Mean).ToArray();

        public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows, int width) =>
            PredictRows<ScalarOutput>(ml, model, rows, width, output => [output.Score]);
    }

    private sealed class MulticlassTask : ContractTask
    {
        public override string LabelColumn => nameof(Example.Class);

        public override string[] OutputColumns => ["PredictedLabel", "Score"];

        public override string Metric => "accuracy";

        public override bool RemoveLabel(Example row)
        {
            row.Class = Example.ClassCount;
            return true;
        }

        public override double Quality(MLContext ml, IDataView scored) => ml.MulticlassClassification.Evaluate(scored, LabelColumn).MicroAccuracy;

        public override double[] CrossValidate(MLContext ml, IDataView data, IEstimator<ITransformer> estimator, int folds) =>
            ml.MulticlassClassification.CrossValidate(data, estimator, folds, LabelColumn).Select(fold => fold.Metrics.MicroAccuracy).ToArray();

        public override double[] Importance(MLContext ml, NetworkTransformer model, IDataView data) =>
            ml.MulticlassClassification.PermutationFeatureImportance(model, data, LabelColumn).Select(metrics => -metrics.MicroAccuracy.Mean).ToArray();

        public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows, int width) =>
            PredictRows<VectorOutput>(ml, model, rows, width, output => output.Score);
    }

    private sealed class RegressionTask : ContractTask
    {
        public override string LabelColumn => nameof(Example.Target);

        public override string[] OutputColumns => ["Score"];

        public override string Metric => "rmse";

        public override bool RemoveLabel(Example row)
        {
            row.Target = float.NaN;
            return true;
        }

        public override double Quality(MLContext ml, IDataView scored) => ml.Regression.Evaluate(scored, LabelColumn).RSquared;

        public override double[] CrossValidate(MLContext ml, IDataView data, IEstimator<ITransformer> estimator, int folds) =>
            ml.Regression.CrossValidate(data, estimator, folds, LabelColumn).Select(fold => fold.Metrics.RSquared).ToArray();

        public override double[] Importance(MLContext ml, NetworkTransformer model, IDataView data) =>
            ml.Regression.PermutationFeatureImportance(model, data, LabelColumn).Select(metrics => -metrics.RSquared.Mean).ToArray();

        public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows, int width) =>
            PredictRows<ScalarOutput>(ml, model, rows, width, output => [output.Score]);
    }
}
