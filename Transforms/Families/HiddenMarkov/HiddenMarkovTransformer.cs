using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.HiddenMarkov;
using MLExtensions.Models;

[assembly: LoadableClass(typeof(HiddenMarkovTransformer), typeof(HiddenMarkovTransformer), null, typeof(SignatureLoadModel), "", HiddenMarkovTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// A hidden Markov model: adds to each row of a sequence its state on the most probable path, the probabilities of states, and how probable the
/// row is after those before it.
/// </summary>
/// <remarks>
/// <para>
/// The rows of a sequence must stand one after the other, in order. Each sequence is read to its end before its first row is handed out, by a
/// second cursor, so the data must give the same rows each time. Memory is that of the longest sequence: 4 bytes for an observation or a
/// feature, 4 for each state and column of probabilities, 1 for each state of the path (2 with more than 256 states), 8 for each log-likelihood. Only columns
/// that are read are computed.
/// </para>
/// <para>
/// Missing observations (missing keys, empty text, vectors with a NaN) say nothing: states are those that the others make probable. So do
/// symbols that the model does not know; a warning in the log tells how many there were. An observation that the model holds for impossible has the
/// log-likelihood minus infinity, and is then treated as missing. The model computes in double precision, in managed code.
/// </para>
/// </remarks>
public sealed class HiddenMarkovTransformer : ManagedTransformer
{
    internal const string LoaderSignature = "MLExtHiddenMarkov";
    private const string ModelSignature = "MLEXTHMM";
    private const string SequenceName = "Sequence";


    internal HiddenMarkovTransformer(IHostEnvironment env, HiddenMarkovContent content)
        : base(env, ModelSignature, LoaderSignature) => Content = content;

    /// <summary>The column of observations.</summary>
    public string ObservationColumnName => Content.Columns.Observation;

    /// <summary>The column that says which sequence a row belongs to; null if all rows are one.</summary>
    public string? SequenceColumnName => Content.Columns.Sequence;

    /// <summary>The column that is added for the state on the most probable path, a key; null if there is none.</summary>
    public string? PredictedStateColumnName => Content.Outputs.State;

    /// <summary>The column that is added for the probabilities of states given the whole sequence, a <c>Vector&lt;Single&gt;</c>; null if there is none.</summary>
    public string? StateProbabilitiesColumnName => Content.Outputs.Probabilities;

    /// <summary>The column that is added for the probabilities of states given the rows so far, a <c>Vector&lt;Single&gt;</c>; null if there is none.</summary>
    public string? FilteredProbabilitiesColumnName => Content.Outputs.Filtered;

    /// <summary>The column that is added for the logarithm of the probability of a row after those before it, a <c>Double</c>; null if there is none.</summary>
    public string? LogLikelihoodColumnName => Content.Outputs.LogLikelihood;

    /// <summary>The column that is added for the logarithm of the probability of the whole sequence, a <c>Double</c>; null if there is none.</summary>
    public string? SequenceLogLikelihoodColumnName => Content.Outputs.SequenceLogLikelihood;

    /// <summary>The parameters: how sequences begin, how states follow each other, what they emit.</summary>
    public HiddenMarkovParameters Parameters => Content.Parameters;

    /// <summary>The number of states.</summary>
    public int NumberOfStates => Parameters.NumberOfStates;

    /// <summary>The names of the states: what labels stand for, or <c>state 1</c>, <c>state 2</c> and so on.</summary>
    public IReadOnlyList<string> StateNames => Content.States.All;

    /// <summary>The symbols in the order of <see cref="DiscreteEmissions.Probabilities"/>; null if keys have no names, and for numbers.</summary>
    public IReadOnlyList<string>? SymbolNames => Content.Format.Names;

    /// <summary>The training history of the chosen start: an epoch is an iteration of EM.</summary>
    public TrainingHistory History => Content.History ?? throw new InvalidOperationException("The model has no history.");

    /// <summary>All starts of the training, by number of states: the path of information criteria, and how different the optima were.</summary>
    public IReadOnlyList<HiddenMarkovStart> Starts => Content.Starts;

    internal HiddenMarkovContent Content { get; }

    /// <summary>The logarithm of the probability of all sequences together.</summary>
    /// <param name="data">Data with the columns of observations and sequences.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public double LogLikelihood(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var (sum, impossible) = (0.0, 0L);
        using var reader = Open(data);
        var (sequence, scorer) = (new ObservedSequence(Content.Format.Width), new MarkovScorer(Parameters, ScoreParts.None));
        while (reader.Read(sequence))
        {
            scorer.Score(sequence);
            sum += scorer.LogLikelihood;
            impossible += scorer.NumberOfImpossible;
        }
        Report(reader, impossible);
        return sum;
    }

    /// <summary>Draws sequences from the model.</summary>
    /// <param name="length">The number of rows of each sequence, at least 1.</param>
    /// <param name="seed">The seed: the same seed gives the same rows. Default 0.</param>
    /// <param name="numberOfSequences">The number of sequences, at least 1. Default 1.</param>
    /// <returns>
    /// Data with the columns of sequences (text, numbers from 1; called <c>Sequence</c> if the model has no such column), of observations, and of states under the name of the
    /// label column, or <c>State</c>.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or there would be more rows than an array can have.</exception>
    public IDataView Sample(int length, int seed = 0, int numberOfSequences = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(numberOfSequences, 1);
        if ((long)length * numberOfSequences > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(length), length, FormattableString.Invariant($"{numberOfSequences} sequences of {length} rows do not fit into memory; together they may have at most {Array.MaxLength} rows."));
        var (format, rows) = (Content.Format, length * numberOfSequences);
        var random = new SeededRandom(SeedSequence.Derive(seed, SeedSequence.MarkovSamples));
        var (names, states, symbols, vectors) = (new List<ReadOnlyMemory<char>>(rows), new List<uint>(rows), new List<uint>(rows), new List<float[]>());
        for (var number = 1; number <= numberOfSequences; number++)
        {
            var name = FormattableString.Invariant($"{number}").AsMemory();
            var sequence = SequenceSampler.Draw(Parameters, length, format.Width, random);
            for (var position = 0; position < length; position++)
            {
                names.Add(name);
                states.Add((uint)sequence.State(position) + 1);
                if (format.IsDiscrete)
                    symbols.Add((uint)sequence.Symbols[position] + 1);
                else
                    vectors.Add(sequence.Vector(position).ToArray());
            }
        }
        var builder = new ArrayDataViewBuilder(Host);
        builder.AddColumn(SequenceColumnName ?? SequenceName, TextDataViewType.Instance, names.ToArray());
        if (!format.IsDiscrete && format.IsVector)
            builder.AddColumn(ObservationColumnName, NumberDataViewType.Single, vectors.ToArray());
        else if (!format.IsDiscrete)
            builder.AddColumn(ObservationColumnName, NumberDataViewType.Single, vectors.Select(vector => vector[0]).ToArray());
        else if (format.IsText)
            builder.AddColumn(ObservationColumnName, TextDataViewType.Instance, symbols.Select(symbol => format.Names![(int)symbol - 1].AsMemory()).ToArray());
        else if (format.Names == null)
            builder.AddColumn(ObservationColumnName, new KeyDataViewType(typeof(uint), format.Symbols), symbols.ToArray());
        else
            builder.AddColumn(ObservationColumnName, Getter(format.Names), (ulong)format.Symbols, symbols.ToArray());
        builder.AddColumn(Content.Columns.Label ?? "State", Getter(StateNames), (ulong)NumberOfStates, states.ToArray());
        return builder.GetDataView();
    }

    private protected override IDataView Apply(IDataView input)
    {
        Check(input.Schema);
        return new HiddenMarkovDataView(input, Content, this, Report);
    }

    private protected override IRowMapper CreateMapper(DataViewSchema schema) =>
        throw new InvalidOperationException("The states of a row depend on the rows before and after it, so a PredictionEngine, which gets single rows, cannot compute them. Call Transform on the rows of whole sequences.");

    private protected override void SaveContent(ModelSaveContext ctx) => HiddenMarkovFile.Save(ctx, Content);

    internal static HiddenMarkovTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        return new HiddenMarkovTransformer(env, HiddenMarkovFile.Load(ctx));
    }

    /// <summary>Opens data for scoring.</summary>
    /// <param name="data">The data.</param>
    /// <param name="label">The column of known states; null if they are not read.</param>
    internal SequenceReader Open(IDataView data, string? label = null)
    {
        var columns = Content.Columns with { Label = label };
        columns.Check(SchemaShape.Create(data.Schema), Content.Format.IsDiscrete);
        return new SequenceReader(data, columns, Content.Format, states: Content.States);
    }

    /// <summary>Says what there is to say of data that was scored.</summary>
    internal void Report(SequenceReader reader, long impossible)
    {
        var unknown = reader.Counts[SequenceReader.UnknownSymbols];
        var missing = reader.Counts[SequenceReader.MissingObservations];
        using var channel = Host.Start("Scoring");
        if (unknown > 0)
            channel.Warning("{0}", FormattableString.Invariant($"{unknown} of {reader.Rows} observations in column '{ObservationColumnName}' are symbols that the model does not know; they count as missing."));
        if (impossible > 0)
            channel.Warning("{0}", FormattableString.Invariant($"{impossible} of {reader.Rows} observations in column '{ObservationColumnName}' are impossible after those before them: their log-likelihood is minus infinity, and for the others they count as missing. Train with EmissionFloor or pseudo-counts if nothing should be impossible."));
        if (missing > unknown)
            channel.Info("{0}", FormattableString.Invariant($"{missing - unknown} of {reader.Rows} observations in column '{ObservationColumnName}' are missing."));
    }

    private void Check(DataViewSchema schema)
    {
        (Content.Columns with { Label = null }).Check(SchemaShape.Create(schema), Content.Format.IsDiscrete);
        if (schema[ObservationColumnName].Type is KeyDataViewType)
            Content.Format.PlacesOf(schema[ObservationColumnName]);
    }

    private static ValueGetter<VBuffer<ReadOnlyMemory<char>>> Getter(IReadOnlyList<string> names) => (ref VBuffer<ReadOnlyMemory<char>> destination) =>
        destination = new VBuffer<ReadOnlyMemory<char>>(names.Count, names.Select(name => name.AsMemory()).ToArray());
}
