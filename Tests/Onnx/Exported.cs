using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Onnx;

/// <summary>Compares a model with what was exported of it.</summary>
internal static class Exported
{
    /// <summary>The greatest difference that is allowed, relative to the largest value.</summary>
    private const double Tolerance = 1e-5;

    /// <summary>Compares columns of a model with those of the exported one in ONNX Runtime: all rows at once, and a row at a time through ML.NET.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">Data for it.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="rowByRow">Whether a row of the exported model does not depend on others.</param>
    /// <param name="tolerance">The greatest difference, relative to the largest value of a column.</param>
    /// <param name="atOnce">Whether the graph takes several rows; ML.NET's words of a text are of one.</param>
    public static void AssertSame(MLContext ml, ITransformer model, IDataView data, string[] columns, bool rowByRow = true, double tolerance = Tolerance, bool atOnce = true, [CallerFilePath] string file = "", [CallerMemberName] string member = "", [CallerLineNumber] int line = 0)
    {
        model.SetScoring(new ScoringOptions { Engine = ScoringEngine.LibTorch });
        var expected = model.Transform(data);
        using var exported = new OnnxFile(ml, model, data, columns);
        foreach (var column in atOnce ? columns : [])
            AssertClose(Values(expected, column), exported.Compute(data, column), tolerance, file, member, line);
        if (!rowByRow)
            return;
        using var folder = new TemporaryFolder();
        var path = folder.File("model.onnx");
        File.WriteAllBytes(path, exported.Bytes);
        using var applied = ml.Transforms.ApplyOnnxModel(path).Fit(data);
        var scored = applied.Transform(data);
        foreach (var column in columns)
            AssertClose(Values(expected, column), Values(scored, column), tolerance, file, member, line);
    }

    /// <summary>What the two owe each other is relative to the largest value, not to each: it comes of sums whose terms can be as large.</summary>
    public static void AssertClose(float[] expected, float[] actual, double tolerance = Tolerance, [CallerFilePath] string file = "", [CallerMemberName] string member = "", [CallerLineNumber] int line = 0)
    {
        Assert.HasCount(expected.Length, actual);
        var size = expected.Where(float.IsFinite).Select(Math.Abs).Append(0).Max();
        var differences = expected.Zip(actual, (x, y) => x.Equals(y) ? 0 : (double)Math.Abs(x - y));
        var largest = differences.Select(difference => double.IsNaN(difference) ? double.PositiveInfinity : difference).DefaultIfEmpty().Max();
        Floor.Record(largest / (tolerance * size), file, member, line);
        Assert.IsLessThanOrEqualTo(tolerance * size, largest, $"greatest difference, of values up to {size}");
    }

    /// <summary>The values of a column, one after the other; keys as their numbers, flags as 0 and 1.</summary>
    public static float[] Values(IDataView data, string name)
    {
        var column = data.Schema[name];
        var item = (column.Type as VectorDataViewType)?.ItemType ?? column.Type;
        return item.RawType == typeof(uint) ? Read<uint>(data, column, value => value)
            : item.RawType == typeof(bool) ? Read<bool>(data, column, value => value ? 1 : 0)
            : Read<float>(data, column, value => value);
    }

    private static float[] Read<T>(IDataView data, DataViewSchema.Column column, Func<T, float> convert) => column.Type is VectorDataViewType
        ? data.GetColumn<VBuffer<T>>(column).SelectMany(row => row.DenseValues()).Select(convert).ToArray()
        : data.GetColumn<T>(column).Select(convert).ToArray();
}
