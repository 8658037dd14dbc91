using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions;

/// <summary>Base class of the trainers of hidden Markov models.</summary>
public abstract class HiddenMarkovEstimator : ManagedEstimator<HiddenMarkovTransformer>
{
    private readonly HiddenMarkovOptions _options;
    private readonly int _seed;

    private protected HiddenMarkovEstimator(IHostEnvironment env, string name, HiddenMarkovOptions options)
        : base(env, name)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options.Snapshot();
        _seed = options.Seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();
    }

    /// <summary>Trains a model; starts are compared on validation data.</summary>
    /// <param name="trainData">The rows of sequences, those of a sequence one after the other.</param>
    /// <param name="validationData">Other sequences with the same columns; the label may be missing. Null: as without it.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, there are no rows, or an option does not suit the data; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public HiddenMarkovTransformer Fit(IDataView trainData, IDataView? validationData)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        CheckSchema(SchemaShape.Create(trainData.Schema));
        return Train(trainData, validationData);
    }

    private protected override void CheckSchema(SchemaShape schema) => _options.Columns.Check(schema, _options.IsDiscrete);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input)
    {
        var outputs = _options.Outputs;
        var (scalar, vector) = (SchemaShape.Column.VectorKind.Scalar, SchemaShape.Column.VectorKind.Vector);
        var (keys, slots) = (Names(AnnotationUtils.Kinds.KeyValues), Names(AnnotationUtils.Kinds.SlotNames));
        (string? Name, SchemaShape.Column.VectorKind Kind, DataViewType Type, bool IsKey, SchemaShape? Annotations)[] added =
        [
            (outputs.State, scalar, NumberDataViewType.UInt32, true, keys),
            (outputs.Probabilities, vector, NumberDataViewType.Single, false, slots),
            (outputs.Filtered, vector, NumberDataViewType.Single, false, slots),
            (outputs.LogLikelihood, scalar, NumberDataViewType.Double, false, null),
            (outputs.SequenceLogLikelihood, scalar, NumberDataViewType.Double, false, null),
        ];
        return added.Where(column => column.Name != null).Select(column => new SchemaShape.Column(column.Name!, column.Kind, column.Type, column.IsKey, column.Annotations));

        static SchemaShape Names(string kind) => new([new SchemaShape.Column(kind, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, false)]);
    }

    private protected override HiddenMarkovTransformer FitChecked(IDataView input) => Train(input, null);

    private HiddenMarkovTransformer Train(IDataView input, IDataView? validation)
    {
        using var channel = Host.Start("Training");
        return new HiddenMarkovTransformer(Host, new HiddenMarkovTraining(Host, channel, _options, _seed).Run(input, validation));
    }
}
