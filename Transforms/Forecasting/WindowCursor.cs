using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Forecasting;

/// <summary>Goes through rows in their order and knows the window of each.</summary>
/// <param name="input">The rows.</param>
/// <param name="schema">Their schema and the column of windows at its end.</param>
/// <param name="windows">Gathers the windows; null where nobody asks for them.</param>
internal sealed class WindowCursor(DataViewRowCursor input, DataViewSchema schema, SeriesWindowReader? windows) : DataViewRowCursor
{
    public override DataViewSchema Schema => schema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) =>
        IsWindow(column) ? windows != null : input.IsColumnActive(input.Schema[column.Index]);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsWindow(column))
            return input.GetGetter<TValue>(input.Schema[column.Index]);
        if (windows == null)
            throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
        ValueGetter<VBuffer<float>> getter = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, windows.Width);
            windows.CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return getter as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
    }

    public override bool MoveNext()
    {
        if (!input.MoveNext())
            return false;
        windows?.Read();
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            input.Dispose();
        base.Dispose(disposing);
    }

    private bool IsWindow(DataViewSchema.Column column) => column.Index == input.Schema.Count;
}
