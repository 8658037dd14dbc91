using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Distribution;

/// <summary>Cross-validation whose folds are trained by several processes.</summary>
internal static class FoldTraining
{
    /// <summary>Trains a model for each fold, on one of the ranks, and judges all on each.</summary>
    /// <param name="env">The environment of the catalog.</param>
    /// <param name="distributed">The ranks.</param>
    /// <param name="data">The data.</param>
    /// <param name="estimator">The pipeline.</param>
    /// <param name="numberOfFolds">The number of folds.</param>
    /// <param name="labelColumnName">The label column.</param>
    /// <param name="samplingKeyColumnName">The column whose equal values stay in one fold, or null.</param>
    /// <param name="seed">The seed of the division into folds; null for that of the context.</param>
    /// <param name="evaluate">Judges what a model says of its fold.</param>
    /// <remarks>Metrics cannot travel, but models can, and a pass over the rows is cheap beside a training.</remarks>
    public static IReadOnlyList<TrainCatalogBase.CrossValidationResult<TMetrics>> Run<TMetrics>(
        IHostEnvironment env,
        Distributed distributed,
        IDataView data,
        IEstimator<ITransformer> estimator,
        int numberOfFolds,
        string labelColumnName,
        string? samplingKeyColumnName,
        int? seed,
        Func<IDataView, TMetrics> evaluate)
        where TMetrics : class
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(estimator);
        ArgumentNullException.ThrowIfNull(distributed);
        ArgumentOutOfRangeException.ThrowIfLessThan(numberOfFolds, 2);
        var ownSeed = seed ?? ((IHostEnvironmentInternal)env).Seed ?? Distributed.Agree(distributed, Random.Shared.Next());
        var splits = new DataOperationsCatalog(env).CrossValidationSplit(data, numberOfFolds, samplingKeyColumnName, ownSeed);
        var models = new ModelOperationsCatalog(env);
        if (distributed.Group is not { } group)
            return splits.Select((split, fold) => Judge(split, estimator.Fit(split.TrainSet), fold)).ToArray();
        return group.Map(Describe(data, numberOfFolds, labelColumnName, samplingKeyColumnName, ownSeed), numberOfFolds, fold => Write(models, estimator.Fit(splits[fold].TrainSet), splits[fold].TrainSet.Schema))
            .Select((bytes, fold) => Judge(splits[fold], models.Load(new MemoryStream(bytes), out _), fold))
            .ToArray();

        TrainCatalogBase.CrossValidationResult<TMetrics> Judge(DataOperationsCatalog.TrainTestData split, ITransformer model, int fold)
        {
            // ML.NET's folds also show what is for training only.
            var scores = model is TransformerChain<ITransformer> chain ? chain.Transform(split.TestSet, TransformerScope.Everything) : model.Transform(split.TestSet);
            return new(model, evaluate(scores), scores, fold);
        }
    }

    private static byte[] Write(ModelOperationsCatalog models, ITransformer model, DataViewSchema schema)
    {
        using var stream = new MemoryStream();
        models.Save(model, schema, stream);
        (model as IDisposable)?.Dispose();
        return stream.ToArray();
    }

    /// <summary>What all ranks must have in common: schema, labels and folds.</summary>
    private static string Describe(IDataView data, int numberOfFolds, string labelColumnName, string? samplingKeyColumnName, int seed)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(FormattableString.Invariant($"{numberOfFolds} {samplingKeyColumnName} {seed} {string.Join(", ", data.Schema.Select(column => $"{column.Name}: {column.Type}"))}"));
        var rows = 0L;
        if (data.Schema.GetColumnOrNull(labelColumnName) is { } label)
        {
            using var cursor = data.GetRowCursor([label]);
            var getter = RowCursorUtils.GetGetterAsStringBuilder(cursor, label.Index);
            var text = new StringBuilder();
            for (; cursor.MoveNext(); rows++)
            {
                getter(ref text);
                Add(text.ToString());
            }
        }
        return FormattableString.Invariant($"cross-validation with {numberOfFolds} folds of {rows} rows, whose labels, schema and seed have the hash {Convert.ToHexStringLower(hash.GetHashAndReset())[..8]}");

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
    }
}
