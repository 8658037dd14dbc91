using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Identification: whom of a gallery does an embedding show, or nobody who is known? <c>Fit</c> makes the gallery of labeled embeddings;
/// people can be added and removed later, without any training.
/// </summary>
/// <remarks>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Open-set identification; the label, of any type with a name, is needed in <c>Fit</c></description></item>
/// <item><term>Is normalization required?</term><description>No: embeddings have length 1</description></item>
/// <item><term>Is caching required?</term><description>No: rows are read once.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Rows for <c>Fit</c> have a name and an embedding; those without a name are left out, and no rows make an empty gallery. All embeddings of
/// the gallery are compared: 10,000 of 128 values take about a millisecond a row.
/// </para>
/// </remarks>
public sealed class IdentificationEstimator : ManagedEstimator<IdentificationTransformer>
{
    private readonly Options _options;

    internal IdentificationEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(IdentificationEstimator))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options.Copy();
    }

    /// <summary>The options of <see cref="IdentificationEstimator"/>.</summary>
    public sealed class Options
    {
        internal const int DefaultNumberOfCandidates = 3;
        private const int MostCandidates = 10_000;

        /// <summary>The name of whom a row shows: a key, a text, a Boolean or a number; only <c>Fit</c> reads it. Default <c>Label</c>.</summary>
        public string LabelColumnName { get; set; } = DefaultColumnNames.Label;

        /// <summary>The column of the embeddings, a <c>Vector&lt;Single&gt;</c> of known size. Default <c>Embedding</c>.</summary>
        public string FeatureColumnName { get; set; } = EmbeddingOptions.DefaultOutputColumn;

        /// <summary>The column to add for the name, a text; empty for somebody unknown. Default <c>PredictedLabel</c>.</summary>
        public string OutputColumnName { get; set; } = DefaultColumnNames.PredictedLabel;

        /// <summary>The column to add for the probability that it is the nearest one, a <c>Single</c>. Default <c>Confidence</c>.</summary>
        public string ConfidenceColumnName { get; set; } = "Confidence";

        /// <summary>The column to add for the names of the nearest people, a vector of texts. Default <c>Candidates</c>.</summary>
        public string CandidatesColumnName { get; set; } = "Candidates";

        /// <summary>The column to add for their squared distances, a <c>Vector&lt;Single&gt;</c>. Default <c>Distances</c>.</summary>
        public string DistancesColumnName { get; set; } = "Distances";

        /// <summary>The number of nearest people to tell, at least 1. Default 3.</summary>
        public int NumberOfCandidates { get; set; } = DefaultNumberOfCandidates;

        /// <summary>What distances mean, from a <see cref="VerificationTransformer"/> of the same network. Required.</summary>
        public DistanceCalibration? Calibration { get; set; }

        /// <summary>
        /// The squared distance below which somebody is recognized. Default null: that of <see cref="Calibration"/>. See
        /// <see cref="IdentificationTransformer.Threshold"/>.
        /// </summary>
        public double? Threshold { get; set; }

        internal IdentificationColumns Columns => new(FeatureColumnName, OutputColumnName, ConfidenceColumnName, CandidatesColumnName, DistancesColumnName, NumberOfCandidates);

        internal Options Copy() => (Options)MemberwiseClone();

        internal void Check()
        {
            (string Name, string Option)[] names = [(FeatureColumnName, nameof(FeatureColumnName)), (LabelColumnName, nameof(LabelColumnName)), (OutputColumnName, nameof(OutputColumnName)), (ConfidenceColumnName, nameof(ConfidenceColumnName)), (CandidatesColumnName, nameof(CandidatesColumnName)), (DistancesColumnName, nameof(DistancesColumnName))];
            for (var i = 0; i < names.Length; i++)
            {
                OptionCheck.NotEmpty(names[i].Name, names[i].Option);
                MLExtensions.Messages.ColumnNames.RequireOther(names[i].Name, names[i].Option, names[..i].Select(other => ((string?)other.Name, other.Option)).ToArray());
            }
            OptionCheck.Count(NumberOfCandidates, MostCandidates, nameof(NumberOfCandidates));
            OptionCheck.NotNull(Calibration, nameof(Calibration));
            OptionCheck.NotNegative(Threshold ?? 0, nameof(Threshold));
        }
    }

    private protected override IdentificationTransformer FitChecked(IDataView input)
    {
        var column = FeatureRows.Find(input.Schema, _options.FeatureColumnName);
        var size = FeatureReader.WidthOf(column);
        EmbeddingFingerprint.Check(column, _options.Calibration!.Fingerprint, "the calibration");
        var transformer = new IdentificationTransformer(Host, _options.Columns, _options.Calibration, Gallery.Empty(size), _options.Threshold ?? _options.Calibration.Threshold);
        transformer.AddRange(input, _options.LabelColumnName);
        return transformer;
    }

    private protected override void CheckSchema(SchemaShape schema) => FeatureRows.Check(schema, _options.FeatureColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) =>
    [
        Added(_options.OutputColumnName, TextDataViewType.Instance),
        Added(_options.ConfidenceColumnName, NumberDataViewType.Single),
        Added(_options.CandidatesColumnName, new VectorDataViewType(TextDataViewType.Instance, _options.NumberOfCandidates)),
        Added(_options.DistancesColumnName, new VectorDataViewType(NumberDataViewType.Single, _options.NumberOfCandidates)),
    ];
}
