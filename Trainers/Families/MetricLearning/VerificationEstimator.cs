using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Verification: are two examples the same, such as the same person? The threshold of their distance is measured on pairs for a stated share
/// of false accepts, and saved with the model.
/// </summary>
/// <remarks>
/// <para>
/// Rows are pairs: two embeddings, or, with <see cref="Options.Model"/>, two images or rows of features. For <c>Fit</c> they have a label,
/// <c>Boolean</c>: whether they are the same. Take examples of classes that were not in the training; of those that were, the network is too
/// sure, and the threshold would accept too many. <c>mlContext.MetricLearning.CreatePairs</c> makes pairs of labeled examples.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Verification of pairs; the label is needed in <c>Fit</c></description></item>
/// <item><term>Is normalization required?</term><description>No: embeddings have length 1</description></item>
/// <item><term>Is caching required?</term><description>No: pairs are read once.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions; a libtorch package only with a model</description></item>
/// <item><term>Exportable to ONNX</term><description>No: export the network, and compare its outputs</description></item>
/// </list>
/// </remarks>
public sealed class VerificationEstimator : ManagedEstimator<VerificationTransformer>
{
    // With fewer, one pair more or less changes the rate by a tenth.
    private const int SteadyAccepts = 10;

    private readonly Options _options;

    internal VerificationEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(VerificationEstimator))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options.Copy();
    }

    /// <summary>The options of <see cref="VerificationEstimator"/>.</summary>
    public sealed class Options
    {
        internal const string DefaultFirstColumn = "First";
        internal const string DefaultSecondColumn = "Second";
        internal const string DefaultDistanceColumn = "Distance";
        internal const double DefaultFalseAcceptRate = 0.01;

        /// <summary>The column of the one: an embedding, or what <see cref="Model"/> takes. Default <c>First</c>.</summary>
        public string FirstColumnName { get; set; } = DefaultFirstColumn;

        /// <summary>The column of the other, of the same type. Default <c>Second</c>.</summary>
        public string SecondColumnName { get; set; } = DefaultSecondColumn;

        /// <summary>Whether they are the same, a <c>Boolean</c>; only <c>Fit</c> reads it. Default <c>Label</c>.</summary>
        public string LabelColumnName { get; set; } = DefaultColumnNames.Label;

        /// <summary>The column to add for the squared distance, a <c>Single</c>. Default <c>Distance</c>.</summary>
        public string DistanceColumnName { get; set; } = DefaultDistanceColumn;

        /// <summary>The column to add for whether the pair is the same, a <c>Boolean</c>. Default <c>PredictedLabel</c>.</summary>
        public string OutputColumnName { get; set; } = DefaultColumnNames.PredictedLabel;

        /// <summary>The column to add for the probability that it is, a <c>Single</c>. Default <c>Probability</c>.</summary>
        public string ProbabilityColumnName { get; set; } = DefaultColumnNames.Probability;

        /// <summary>
        /// The share of pairs of different that may be accepted, above 0 and below 1. There must be at least 1 / share of such pairs, and ten
        /// times as many for a steady threshold. Default 0.01.
        /// </summary>
        public double FalseAcceptRate { get; set; } = DefaultFalseAcceptRate;

        /// <summary>
        /// What distances mean, if it is known already, as from <c>mlContext.MetricLearning.CrossCalibrate</c>; <c>Fit</c> then reads no rows and
        /// needs no label, and <see cref="FalseAcceptRate"/> is not used. Default null: <c>Fit</c> measures it.
        /// </summary>
        public DistanceCalibration? Calibration { get; set; }

        /// <summary>
        /// The network that computes the embeddings of both columns. The transformer uses it and saves it, but it belongs to you: dispose it
        /// when nothing needs it. Default null: the columns have embeddings.
        /// </summary>
        public EmbeddingTransformer? Model { get; set; }

        internal VerificationColumns Columns => new(FirstColumnName, SecondColumnName, DistanceColumnName, OutputColumnName, ProbabilityColumnName);

        internal Options Copy() => (Options)MemberwiseClone();

        internal void Check()
        {
            (string Name, string Option)[] names = [(FirstColumnName, nameof(FirstColumnName)), (SecondColumnName, nameof(SecondColumnName)), (LabelColumnName, nameof(LabelColumnName)), (DistanceColumnName, nameof(DistanceColumnName)), (OutputColumnName, nameof(OutputColumnName)), (ProbabilityColumnName, nameof(ProbabilityColumnName))];
            for (var i = 0; i < names.Length; i++)
            {
                OptionCheck.NotEmpty(names[i].Name, names[i].Option);
                MLExtensions.Messages.ColumnNames.RequireOther(names[i].Name, names[i].Option, names[..i].Select(other => ((string?)other.Name, other.Option)).ToArray());
            }
            OptionCheck.Require(FalseAcceptRate is > 0 and < 1, FalseAcceptRate, nameof(FalseAcceptRate), "above 0 and below 1");
        }
    }

    private protected override VerificationTransformer FitChecked(IDataView input)
    {
        var embedded = _options.Columns.Embed(input, _options.Model);
        var names = _options.Model == null ? (First: _options.FirstColumnName, Second: _options.SecondColumnName) : _options.Columns.EmbeddingNames;
        if (_options.Calibration is { } known)
        {
            EmbeddingPair.Find(embedded.Schema, names.First, names.Second, known.Fingerprint, "the calibration");
            return new VerificationTransformer(Host, _options.Columns, known, _options.Model);
        }
        var pairs = EmbeddingReader.ReadPairs(embedded, names.First, names.Second, _options.LabelColumnName).All;
        var calibration = CalibrationFit.Fit(pairs, _options.FalseAcceptRate, EmbeddingFingerprint.Of(embedded.Schema[names.First]) ?? EmbeddingFingerprint.Of(embedded.Schema[names.Second]));
        using (var channel = Host.Start("Calibration"))
        {
            channel.Info("{0}", calibration);
            if (_options.FalseAcceptRate * pairs.Different.Length < SteadyAccepts)
                channel.Warning(FormattableString.Invariant($"{nameof(_options.FalseAcceptRate)} {_options.FalseAcceptRate} of {pairs.Different.Length} pairs of different are {_options.FalseAcceptRate * pairs.Different.Length:G3}: the threshold hangs on so few. Use more pairs, or a larger rate."));
            if (calibration.Fingerprint == null)
                channel.Warning($"Column '{names.First}' does not say which network its embeddings are of, so those of another one cannot be refused. Columns that an {nameof(EmbeddingTransformer)} added say it.");
        }
        return new VerificationTransformer(Host, _options.Columns, calibration, _options.Model);
    }

    private protected override void CheckSchema(SchemaShape schema)
    {
        foreach (var name in (string[])[_options.FirstColumnName, _options.SecondColumnName])
        {
            if (_options.Model == null)
                FeatureRows.Check(schema, name);
            else if (!schema.TryFindColumn(name, out _))
                throw FeatureRows.Missing(name, schema.Select(column => column.Name));
        }
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input)
    {
        var embeddings = _options.Model is { } model
            ? ((string[])[_options.Columns.EmbeddingNames.First, _options.Columns.EmbeddingNames.Second]).Select(name => Added(name, new VectorDataViewType(NumberDataViewType.Single, model.EmbeddingSize)))
            : [];
        return
        [
            .. embeddings,
            Added(_options.DistanceColumnName, NumberDataViewType.Single),
            Added(_options.OutputColumnName, BooleanDataViewType.Instance),
            Added(_options.ProbabilityColumnName, NumberDataViewType.Single),
        ];
    }
}
