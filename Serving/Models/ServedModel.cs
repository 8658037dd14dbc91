using System.Collections.Concurrent;
using System.Reflection;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Serving.Blocks;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Models;

/// <summary>A loaded model. It is freed when it has been retired and nothing uses it anymore: each request has a lease. Thread-safe.</summary>
internal sealed class ServedModel
{
    private readonly ITransformer _model;
    private readonly DataViewSchema _schema;
    private readonly IReadOnlyList<string> _outputNames;
    private readonly ConcurrentBag<BlockScorer> _scorers = [];
    private int _leases = 1; // that of the predictor

    private ServedModel(ITransformer model, DataViewSchema schema, BatchedPredictorOptions options)
    {
        (_model, _schema) = (model, schema);
        if (options.Scoring != null)
            model.SetScoring(options.Scoring);
        _outputNames = options.OutputColumns ?? AnsweredColumns.Of(model, schema);
        Inputs = [.. AnsweredColumns.NeededFor(_outputNames, model, schema).Select(InputColumn.Of)];
        InputColumns = [.. Inputs.Select(input => input.Description)];
        var scorer = CreateScorer();
        Outputs = [.. scorer.Outputs.Select(output => output.Description)];
        scorer.Open(); // what is wrong with the columns comes up now
        _scorers.Add(scorer);
    }

    /// <summary>The columns that requests bring.</summary>
    public IReadOnlyList<InputColumn> Inputs { get; }

    /// <summary>What is said of them.</summary>
    public IReadOnlyList<ModelColumn> InputColumns { get; }

    /// <summary>The columns that are answered.</summary>
    public IReadOnlyList<ModelColumn> Outputs { get; }

    /// <summary>What is made once for a type of rows or answers.</summary>
    public ConcurrentDictionary<Type, object> Bindings { get; } = new();

    /// <summary>Loads a model.</summary>
    /// <exception cref="InvalidOperationException">The file has no schema, or its model cannot be served; the message says why and what to do.</exception>
    public static ServedModel Load(Stream file, string name, BatchedPredictorOptions options)
    {
        var ml = new MLContext();
        var model = ml.Model.Load(file, out var schema);
        try
        {
            if (options.RowType != null)
                schema = SchemaOf(ml, options.RowType);
            if (schema == null)
                throw new InvalidOperationException($"The model '{name}' was saved without a schema, so nobody knows what a request must bring. Save it with the schema of the data that it was trained with: ml.Model.Save(model, data.Schema, path). A column that only training reads, such as the label, need not be sent. Or name a class of rows in {nameof(BatchedPredictorOptions.RowType)}.");
            if (!model.IsRowToRowMapper)
                throw new InvalidOperationException($"The model '{name}' computes rows from other rows, or leaves out some, so requests cannot share a block.");
            return new ServedModel(model, ImageInputs.AddTo(schema, model), options);
        }
        catch
        {
            (model as IDisposable)?.Dispose();
            throw;
        }
    }

    /// <summary>Checks what a request brings.</summary>
    /// <param name="columns">The columns, in any order. Those that the model has and does not need are ignored.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="owned">Takes what is made and must be disposed.</param>
    /// <exception cref="ArgumentException">Columns are missing or unknown, or their values are wrong.</exception>
    public ColumnData[] Accept(IReadOnlyList<ColumnData> columns, int rows, List<IDisposable> owned)
    {
        var accepted = new ColumnData[Inputs.Count];
        for (var i = 0; i < columns.Count; i++)
        {
            var place = PlaceOf(columns[i], i);
            if (place < 0)
                continue;
            if (accepted[place] != null)
                throw new ArgumentException($"Column '{columns[i].Name}' is there twice.");
            accepted[place] = Inputs[place].Accept(columns[i], rows, owned);
        }
        var missing = Array.IndexOf(accepted, null);
        return missing < 0 ? accepted : throw new ArgumentException($"Column '{Inputs[missing].Description.Name}' is missing. The model needs {NameList.Of([.. Inputs.Select(input => input.Description.ToString())])}.");
    }

    /// <summary>Keeps the model until <see cref="Leave"/>.</summary>
    /// <returns>Whether it is there still.</returns>
    public bool TryEnter()
    {
        for (var leases = Volatile.Read(ref _leases); leases > 0;)
        {
            var before = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (before == leases)
                return true;
            leases = before;
        }
        return false;
    }

    /// <summary>Ends a lease, or that of the predictor.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _leases) > 0)
            return;
        foreach (var scorer in _scorers)
            scorer.Dispose();
        (_model as IDisposable)?.Dispose();
    }

    /// <summary>Scores the rows of requests, each with a lease.</summary>
    public ColumnData[][] Score(IReadOnlyList<ServedRequest> block) => Use(scorer => scorer.Score(block));

    /// <summary>Scores the rows of a request, which are counted from 0 in messages.</summary>
    public ColumnData[] ScoreAlone(ServedRequest request) => Use(scorer =>
    {
        scorer.Open();
        return scorer.Score([request])[0];
    });

    private T Use<T>(Func<BlockScorer, T> use)
    {
        var scorer = _scorers.TryTake(out var kept) ? kept : CreateScorer();
        try
        {
            return use(scorer);
        }
        finally
        {
            _scorers.Add(scorer);
        }
    }

    private int PlaceOf(ColumnData column, int guess)
    {
        ArgumentNullException.ThrowIfNull(column, "columns");
        if (guess < Inputs.Count && Inputs[guess].Description.Name == column.Name)
            return guess;
        for (var place = 0; place < Inputs.Count; place++)
        {
            if (Inputs[place].Description.Name == column.Name)
                return place;
        }
        if (_schema.GetColumnOrNull(column.Name) != null)
            return -1;
        var names = Inputs.Select(input => input.Description.Name).ToArray();
        throw new ArgumentException($"The model has no input column '{column.Name}'.{NearestName.Suggest(column.Name, names)} It needs {NameList.Of([.. Inputs.Select(input => input.Description.ToString())])}.");
    }

    private static DataViewSchema SchemaOf(MLContext ml, Type rowType) =>
        (DataViewSchema)typeof(ServedModel).GetMethod(nameof(SchemaOfRows), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(rowType).Invoke(null, [ml])!;

    private static DataViewSchema SchemaOfRows<T>(MLContext ml)
        where T : class => ml.Data.LoadFromEnumerable(Array.Empty<T>()).Schema;

    private BlockScorer CreateScorer() => new(_model, _schema, Inputs, _outputNames);
}
