using MLExtensions.Messages;
using MLExtensions.Onnx;
using MLExtensions.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions.Tensors;
using MLExtensions.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Base class of transformers that compute columns from a feature column with trained networks.</summary>
/// <inheritdoc cref="NetworkColumnsTransformer" path="/remarks"/>
public abstract class FeatureColumnsTransformer : NetworkColumnsTransformer
{
    private protected FeatureColumnsTransformer(IHost host, string inputColumnName, params IReadOnlyList<NetworkModelParameters> networks)
        : this(host, inputColumnName, owned: true, networks)
    {
    }

    private protected FeatureColumnsTransformer(IHost host, string inputColumnName, bool owned, IReadOnlyList<NetworkModelParameters> networks)
        : base(host, inputColumnName, networks, owned)
    {
    }

    /// <summary>The format of a row of features.</summary>
    internal abstract FeatureFormat Format { get; }

    /// <summary>The added columns.</summary>
    internal abstract IReadOnlyList<OutputColumn> Outputs { get; }

    internal sealed override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns =>
        Outputs.Select(output => new DataViewSchema.DetachedColumn(output.Name, output.Type, output.Annotations)).ToArray();

    internal override string? WhyLibtorch => null;

    /// <summary>The multiply-adds per row.</summary>
    internal abstract double MultiplyAdds { get; }

    /// <summary>The best number of rows per pass.</summary>
    private protected virtual int PassRows => int.MaxValue;

    /// <summary>Computes some of the columns, each <c>[rows, values]</c>. Thread-safe; runs in inference mode, with a lease.</summary>
    /// <param name="features"><c>[rows, Format.Width]</c>.</param>
    /// <param name="active">The indices of the <see cref="Outputs"/> to compute, in ascending order.</param>
    internal abstract Tensor[] Compute(Tensor features, int[] active);

    /// <summary>Writes what <see cref="Compute"/> does as ONNX operators, for all of <see cref="Outputs"/>. Runs with a lease.</summary>
    /// <param name="context">The graph.</param>
    /// <param name="rows">The rows, as <see cref="Format"/> has them.</param>
    /// <returns>The values of each column, <c>[rows, values]</c>.</returns>
    /// <exception cref="NotSupportedException">A graph cannot compute the columns; the message says why.</exception>
    internal abstract IReadOnlyList<string> Write(OnnxContext context, string rows);

    /// <summary>Writes how columns become rows as ONNX operators.</summary>
    /// <exception cref="NotSupportedException">A graph cannot read the columns; the message says why.</exception>
    private protected virtual string WriteRows(GraphWriter graph, OnnxColumns columns) => Format.Write(graph, columns, FindInput(columns.Schema));

    private protected sealed override void Write(OnnxContext context, OnnxColumns columns)
    {
        var graph = new GraphWriter(context);
        var values = Write(context, WriteRows(graph, columns));
        for (var i = 0; i < Outputs.Count; i++)
            Outputs[i].Write(graph, columns, values[i]);
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = FeatureRows.Find(schema, InputColumnName);
        if (FeatureReader.WidthOf(column) != Format.Width)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the model was trained on {Format.Width} values."), nameof(schema));
        return column;
    }

    private protected sealed override IDataView ReadAhead(IDataView input) => new LookAheadDataView(input, FindInput(input.Schema).Name, Format, others: OtherInputs(input.Schema));

    private protected sealed override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer) =>
        ScoreSource.CreateGetters(row, input, new Scorer(this, active), Outputs, active, out disposer);

    /// <summary>Returns the mean of a measure over all rows of data.</summary>
    /// <exception cref="ArgumentException">The column is missing, of another type or size, or there are no rows.</exception>
    private protected double MeanOf(IDataView data, FeatureRows.Measure measure)
    {
        ArgumentNullException.ThrowIfNull(data);
        using var lease = Lease();
        return FeatureRows.Mean(data, FindInput(data.Schema), Format.Width, MultiplyAdds, measure);
    }

    /// <summary>Computes some of the columns, concatenated.</summary>
    private sealed class Scorer(FeatureColumnsTransformer transformer, int[] active) : IRowComputation
    {
        public FeatureFormat Format { get; } = transformer.Format;

        public int OutputCount { get; } = active.Sum(index => transformer.Outputs[index].Width);

        public double MultiplyAdds => transformer.MultiplyAdds;

        public int PassRows => transformer.PassRows;

        public IReadOnlyList<NetworkModelParameters> Networks => transformer.Networks;

        public string Name { get; } = FormattableString.Invariant($"{transformer.GetType().Name} {transformer.Format.Width} {NumberList.Of(active)}");

        public Tensor Compute(Tensor rows)
        {
            var results = transformer.Compute(rows, active);
            return results.Length == 1 ? results[0].contiguous() : cat(results, 1);
        }

        public string Write(OnnxContext context, string rows)
        {
            var values = transformer.Write(context, rows);
            return new GraphWriter(context).Concatenate(1, Array.ConvertAll(active, index => values[index]));
        }
    }
}
