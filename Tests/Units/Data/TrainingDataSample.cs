using Microsoft.ML;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Tests.Contract;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Data;

/// <summary>Rows that know their own number: feature 0 and the target are the row's index.</summary>
internal static class TrainingDataSample
{
    public static readonly MLContext Ml = new(1);

    public static Example[] Numbered(int count) => Enumerable.Range(0, count)
        .Select(i => new Example { Target = i, Class = (uint)(i % 3), Flag = i % 2 == 1, Weight = i + 1 }.With(i, -i))
        .ToArray();

    public static TrainingColumns Columns(IDataView data, string label = nameof(Example.Target), bool weighted = false, int classes = 0) =>
        new(data.Schema[nameof(Example.Features)], new DenseFormat(2), data.Schema[label], weighted ? data.Schema[nameof(Example.Weight)] : null, classes);

    public static BatchSettings Settings(int size, bool shuffle = true, int seed = 1, int minimumRows = 1) => new(size, minimumRows, seed, shuffle, CPU);

    /// <summary>Makes buffers of labeled rows.</summary>
    public static CreateBuffer<LabeledBatch> Labeled(LabelScale? scale = null) =>
        (rows, width, epochRows) => new LabeledBuffer(rows, width, scale ?? new LabelScale(0, 1, null, 1, false), CPU, epochRows);

    /// <summary>The numbers of an epoch's rows, batch by batch; features and labels must agree.</summary>
    public static int[][] Epoch(IBatchSource<LabeledBatch> source, int epoch)
    {
        var batches = new List<int[]>();
        foreach (var batch in source.ReadEpoch(epoch))
        {
            using var scope = NewDisposeScope();
            using (batch)
            {
                var labels = batch.Labels.data<float>().ToArray();
                CollectionAssert.AreEqual(labels, batch.Features.select(1, 0).contiguous().data<float>().ToArray());
                CollectionAssert.AreEqual(labels, batch.Features.select(1, 1).neg().contiguous().data<float>().ToArray());
                CollectionAssert.AreEqual(labels, batch.LabelValues.ToArray());
                Assert.AreEqual(labels.Length, batch.RowCount);
                batches.Add(labels.Select(label => (int)label).ToArray());
            }
        }
        return [.. batches];
    }
}
