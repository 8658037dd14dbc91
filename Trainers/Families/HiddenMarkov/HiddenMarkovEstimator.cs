using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions;

/// <summary>Base class of the trainers of hidden Markov models.</summary>
public abstract class HiddenMarkovEstimator : IEstimator<HiddenMarkovTransformer>
{
    private readonly IHost _host;
    private readonly HiddenMarkovOptions _options;
    private readonly int _seed;

    private protected HiddenMarkovEstimator(IHostEnvironment env, string name, HiddenMarkovOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _host = env.Register(name);
        _options = options.Snapshot();
        _seed = options.Seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();
    }

    /// <summary>Trains a model.</summary>
    /// <param name="input">The rows of sequences, those of a sequence one after the other.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, there are no rows, or an option does not suit the data; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public HiddenMarkovTransformer Fit(IDataView input) => Fit(input, null);

    /// <summary>Trains a model; starts are compared on validation data.</summary>
    /// <param name="trainData">The rows of sequences, those of a sequence one after the other.</param>
    /// <param name="validationData">Other sequences with the same columns; the label may be missing. Null: as <see cref="Fit(IDataView)"/>.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, there are no rows, or an option does not suit the data; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public HiddenMarkovTransformer Fit(IDataView trainData, IDataView? validationData)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        _options.Columns.Check(SchemaShape.Create(trainData.Schema), _options.IsDiscrete);
        using var channel = _host.Start("Training");
        return new HiddenMarkovTransformer(_host, new HiddenMarkovTraining(_host, channel, _options, _seed).Run(trainData, validationData));
    }

    /// <summary>Returns the output schema of the transformer for an input schema.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _options.Columns.Check(inputSchema, _options.IsDiscrete);
        var columns = inputSchema.ToDictionary(column => column.Name);
        var outputs = _options.Outputs;
        var (scalar, vector) = (SchemaShape.Column.VectorKind.Scalar, SchemaShape.Column.VectorKind.Vector);
        var (keys, slots) = (Names(AnnotationUtils.Kinds.KeyValues), Names(AnnotationUtils.Kinds.SlotNames));
        Add(outputs.State, scalar, NumberDataViewType.UInt32, isKey: true, keys);
        Add(outputs.Probabilities, vector, NumberDataViewType.Single, isKey: false, slots);
        Add(outputs.Filtered, vector, NumberDataViewType.Single, isKey: false, slots);
        Add(outputs.LogLikelihood, scalar, NumberDataViewType.Double, isKey: false, null);
        Add(outputs.SequenceLogLikelihood, scalar, NumberDataViewType.Double, isKey: false, null);
        return new SchemaShape(columns.Values);

        static SchemaShape Names(string kind) => new([new SchemaShape.Column(kind, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, false)]);

        void Add(string? name, SchemaShape.Column.VectorKind kind, DataViewType type, bool isKey, SchemaShape? annotations)
        {
            if (name != null)
                columns[name] = new SchemaShape.Column(name, kind, type, isKey, annotations);
        }
    }
}
