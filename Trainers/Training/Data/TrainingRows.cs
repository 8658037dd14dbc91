using Microsoft.ML;

namespace MLExtensions.Training.Data;

/// <summary>A training set in native memory, one block a column.</summary>
internal sealed class TrainingRows : IDisposable
{
    private TrainingRows(int width, bool hasWeights, long? expectedRows)
    {
        Features = new FloatColumn(width, expectedRows);
        Labels = new FloatColumn(1, expectedRows);
        Weights = hasWeights ? new FloatColumn(1, expectedRows) : null;
    }

    public FloatColumn Features { get; }

    public FloatColumn Labels { get; }

    public FloatColumn? Weights { get; }

    public int Count => Features.Count;

    /// <summary>Reads data with one cursor.</summary>
    /// <param name="data">The data.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="skippedRows">The number of rows without a label, which are left out.</param>
    /// <param name="check">Called now and then; throws to stop.</param>
    public static TrainingRows Read(IDataView data, TrainingColumns columns, out long skippedRows, Action check)
    {
        var rows = new TrainingRows(columns.Format.Width, columns.Weight != null, data.GetRowCount());
        try
        {
            using var reader = new RowReader(data, columns);
            while (reader.MoveNext())
            {
                reader.ReadFeatures(rows.Features.Next());
                rows.Append(reader.Label, reader.Weight);
                if (rows.Count % 1024 == 0)
                    check();
            }
            skippedRows = reader.SkippedRows;
            rows.Features.Trim();
            return rows;
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    public LabelSummary Summarize(ReadOnlySpan<int> rows, int classCount)
    {
        var summary = new LabelSummary(classCount);
        foreach (var row in rows)
            summary.Add(Labels[row][0], Weights == null ? 1 : Weights[row][0]);
        return summary;
    }

    public void Dispose()
    {
        Features.Dispose();
        Labels.Dispose();
        Weights?.Dispose();
    }

    private void Append(float label, float weight)
    {
        Labels.Next()[0] = label;
        if (Weights != null)
        {
            Weights.Next()[0] = weight;
            Weights.Commit();
        }
        Labels.Commit();
        Features.Commit();
    }
}
