using Microsoft.ML;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Benchmarks;

/// <summary>Reading a data view into the engine's memory, against going through it and keeping nothing.</summary>
internal sealed class DataReading : IBenchmark
{
    public string Name => "reading";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var ml = new MLContext(1);
        var data = settings.Training.ToDataView(ml);
        var task = new MulticlassTask();
        var columns = new ColumnCheck(new MlpMulticlassTrainer.Options(), task, nameof(ImageRow.Features), task.LabelColumn(nameof(ImageRow.Label)), weightName: null).Find(data, new DenseFormat(ImageRow.Width));
        var comparison = Timing.Compare(
            settings.Rounds,
            Contender.Of("kept", () => TrainingRows.Read(data, columns, null, () => { }, out _).Dispose()),
            Contender.Of("cursor alone", () => GoThrough(data, columns)));
        yield return Bound.Row($"reading {settings.Training.Count} rows of Vector<Single, {ImageRow.Width}> into memory, against the cursor alone", null, comparison, "rows", settings.Training.Count);
    }

    private static void GoThrough(IDataView data, TrainingColumns columns)
    {
        using var reader = new RowReader(data, columns);
        var features = new float[columns.Format.Width];
        while (reader.MoveNext())
            reader.ReadFeatures(features);
    }
}
