using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>Reads numbers out of models and views, and compares them.</summary>
internal static class Outcome
{
    /// <summary>All weights, buffers included, in the order of their names.</summary>
    public static float[] Weights(NetworkTransformer model) => Weights(model.Model);

    /// <inheritdoc cref="Weights(NetworkTransformer)"/>
    public static float[] Weights(TrainedModel model) => model.Networks.SelectMany(Weights).ToArray();

    /// <inheritdoc cref="Weights(NetworkTransformer)"/>
    public static float[] Weights(NetworkModelParameters network) => network.WeightShapes.Keys.Order(StringComparer.Ordinal).SelectMany(network.GetWeights).ToArray();

    /// <summary>The weights that training finds by their gradients, in the order of their names: all but running statistics and singular vectors.</summary>
    public static float[] Parameters(TrainedModel model) => model.Networks.SelectMany(Parameters).ToArray();

    /// <inheritdoc cref="Parameters(TrainedModel)"/>
    public static float[] Parameters(NetworkModelParameters network) =>
        network.WeightShapes.Keys.Where(name => !name.Contains(".running_") && !name.EndsWith(".num_batches_tracked", StringComparison.Ordinal) && !name.EndsWith(".u", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).SelectMany(network.GetWeights).ToArray();

    /// <summary>The Score column of a view, row after row.</summary>
    public static float[] Scores(IDataView scored) => Values(scored, "Score");

    /// <summary>Columns of a view, vectors or not, row after row.</summary>
    public static float[] Values(IDataView data, params string[] columns)
    {
        var rows = Array.ConvertAll(columns, column => Rows(data, column));
        return Enumerable.Range(0, rows[0].Length).SelectMany(row => rows.SelectMany(column => column[row])).ToArray();
    }

    /// <summary>A column of a view, a vector or not.</summary>
    public static float[][] Rows(IDataView data, string column) => data.Schema[column].Type is VectorDataViewType
        ? data.GetColumn<float[]>(column).ToArray()
        : data.GetColumn<float>(column).Select(value => new[] { value }).ToArray();

    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.AreEqual(expected.Length, actual.Length);
        var bits = MemoryMarshal.Cast<float, int>(expected);
        Assert.AreEqual(bits.Length, bits.CommonPrefixLength(MemoryMarshal.Cast<float, int>(actual)), "position of the first difference");
    }

    public static bool SameBits(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => MemoryMarshal.AsBytes(a).SequenceEqual(MemoryMarshal.AsBytes(b));

    /// <summary>Compares relatively to values larger than 1, absolutely to others.</summary>
    public static void AssertClose(float[] expected, float[] actual, double tolerance, [CallerFilePath] string file = "", [CallerMemberName] string member = "", [CallerLineNumber] int line = 0)
    {
        Assert.HasCount(expected.Length, actual);
        Floor.Record(expected.Zip(actual, (x, y) => Math.Abs(x - y) / (tolerance * Math.Max(1, Math.Abs(x)))).DefaultIfEmpty().Max(), file, member, line);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], tolerance * Math.Max(1, Math.Abs(expected[i])), $"at {i}");
    }

    /// <summary>
    /// Compares two float32 computations of the same values that may add up in different orders: one row or a block at a time, one thread or
    /// several, this process or another. What they owe each other depends on the size of what was added, not on the result, so the bound is
    /// relative to the largest value here (and to 1: networks' inner sums are at least about that).
    /// </summary>
    /// <remarks>
    /// A sum of n terms in two orders differs by about 2 sqrt(n) roundings of 2^-24 each. The largest sums under contract have some 100 terms,
    /// in about 9 layers whose errors add up like random steps: 2 x 10 x 3 = 60. Measured: 21 (ResNetBinary with SSE4.1).
    /// </remarks>
    public static void AssertSameComputation(float[] expected, float[] actual, [CallerFilePath] string file = "", [CallerMemberName] string member = "", [CallerLineNumber] int line = 0)
    {
        const double Roundings = 64;
        var magnitude = expected.Where(float.IsFinite).Select(Math.Abs).Append(1).Max();
        Assert.HasCount(expected.Length, actual);
        Floor.Record(expected.Zip(actual, (x, y) => Math.Abs(x - y) / (Roundings * Math.ScaleB(1, -24) * magnitude)).DefaultIfEmpty().Max(), file, member, line);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], Roundings * Math.ScaleB(1, -24) * magnitude, $"at {i}, of values up to {magnitude}");
    }

    /// <summary>The messages of an exception and of those inside it.</summary>
    public static string Messages(Exception? exception) =>
        exception == null ? "" : exception.Message + "\n" + Messages(exception.InnerException);
}

/// <summary>Progress that is told on the training thread, unlike <see cref="Progress{T}"/>.</summary>
internal sealed class Listener(Action<TrainingProgress> action) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => action(value);
}
