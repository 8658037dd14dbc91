using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MLExtensions.Scoring.OnnxRuntime;

namespace MLExtensions.Tests.Onnx;

/// <summary>A model that was exported to ONNX.</summary>
internal sealed class OnnxFile : IDisposable
{
    private readonly byte[] _bytes;
    private readonly InferenceSession _session;

    /// <param name="ml">The context.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">The data that it reads.</param>
    /// <param name="columns">The columns of the result to keep; none for all.</param>
    public OnnxFile(MLContext ml, ITransformer model, IDataView data, params string[] columns)
    {
        using var stream = new MemoryStream();
        if (columns.Length == 0)
            ml.Model.ConvertToOnnx(model, data, stream);
        else
            ml.Model.ConvertToOnnx(model, data, stream, columns);
        _bytes = stream.ToArray();
        Assert.IsTrue(OnnxRuntimeLibrary.IsPresent); // silences it before its first use
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        _session = new InferenceSession(_bytes, options);
    }

    public IReadOnlyList<string> Inputs => _session.InputNames;

    public byte[] Bytes => _bytes;

    /// <summary>Computes a column of all rows at once: its values one after the other, keys as their numbers, flags as 0 and 1.</summary>
    public float[] Compute(IDataView data, string column)
    {
        var name = column + ".output";
        return Run(data, name, result => _session.OutputMetadata[name].ElementType.Name switch
        {
            "Single" => result.GetTensorDataAsSpan<float>().ToArray(),
            "UInt32" => Array.ConvertAll(result.GetTensorDataAsSpan<uint>().ToArray(), value => (float)value),
            "Boolean" => Array.ConvertAll(result.GetTensorDataAsSpan<bool>().ToArray(), value => value ? 1f : 0),
            var other => throw new NotSupportedException(other),
        });
    }

    /// <summary>Computes a column of texts.</summary>
    public string[] ComputeTexts(IDataView data, string column) => Run(data, column + ".output", result => result.GetStringTensorAsArray());

    public void Dispose() => _session.Dispose();

    private T Run<T>(IDataView data, string output, Func<OrtValue, T> read)
    {
        var inputs = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var name in _session.InputNames)
                inputs.Add(name, Value(data, data.Schema[name]));
            using var options = new RunOptions();
            using var results = _session.Run(options, inputs, [output]);
            return read(results[0]);
        }
        finally
        {
            foreach (var value in inputs.Values)
                value.Dispose();
        }
    }

    private static OrtValue Value(IDataView data, DataViewSchema.Column column)
    {
        var item = (column.Type as VectorDataViewType)?.ItemType ?? column.Type;
        return item.RawType == typeof(float) ? Numbers<float>(data, column)
            : item.RawType == typeof(uint) ? Numbers<uint>(data, column)
            : item.RawType == typeof(int) ? Numbers<int>(data, column)
            : item.RawType == typeof(bool) ? Numbers<bool>(data, column)
            : Texts(data, column);
    }

    private static OrtValue Numbers<T>(IDataView data, DataViewSchema.Column column)
        where T : unmanaged
    {
        if (column.Type is not VectorDataViewType type)
        {
            var values = data.GetColumn<T>(column).ToArray();
            return OrtValue.CreateTensorValueFromMemory(values, [values.Length, 1]);
        }
        var rows = data.GetColumn<VBuffer<T>>(column).Select(row => row.DenseValues().ToArray()).ToArray();
        long[] shape = [rows.Length, .. type.IsKnownSize ? type.Dimensions.Select(size => (long)size) : [rows[0].Length]];
        return OrtValue.CreateTensorValueFromMemory(rows.SelectMany(row => row).ToArray(), shape);
    }

    private static OrtValue Texts(IDataView data, DataViewSchema.Column column)
    {
        var rows = column.Type is VectorDataViewType
            ? data.GetColumn<VBuffer<ReadOnlyMemory<char>>>(column).Select(row => Array.ConvertAll(row.DenseValues().ToArray(), text => text.ToString())).ToArray()
            : data.GetColumn<string>(column).Select(text => new[] { text }).ToArray();
        var result = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, [rows.Length, rows[0].Length]);
        var place = 0;
        foreach (var text in rows.SelectMany(row => row))
            result.StringTensorSetElementAt(text, place++);
        return result;
    }
}
