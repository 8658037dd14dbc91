using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Families.Forecasting;
using MLExtensions.Families.Recurrent;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Trains a recurrent network that forecasts time series.</summary>
/// <remarks>
/// The network reads the last <see cref="Options.WindowSize"/> values and forecasts the next <see cref="Options.Horizon"/> values at once.
/// One network is trained for all series of the data. Rows must be in time order and equally spaced in time; rows of several series may be
/// interleaved. With <see cref="Options.TimeColumnName"/> the order is checked.
/// </remarks>
public sealed class LstmForecastingEstimator : NetworkEstimator<LstmForecastingTransformer>
{
    private readonly Options _options;

    internal LstmForecastingEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(LstmForecastingEstimator), options) => _options = (Options)Settings;

    /// <summary>
    /// The options of <see cref="LstmForecastingEstimator"/>. <see cref="DataTrainingOptions.ValidationFraction"/> holds out the end of
    /// each series, not random rows.
    /// </summary>
    public sealed class Options : DataTrainingOptions
    {
        internal const int DefaultHiddenUnits = 64;
        internal const double DefaultForecastRate = 0.01;

        /// <summary>
        /// Creates options with defaults for series of about a hundred rows and more, of which an epoch has few batches: Adam with a learning
        /// rate of 0.01, gradients clipped at 1.
        /// </summary>
        public Options()
        {
            LearningRate = DefaultForecastRate;
            GradientClipNorm = 1;
        }

        /// <summary>The column to add, a <c>Vector&lt;Single&gt;</c> of <see cref="Horizon"/> values. Default <c>Forecast</c>.</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = "Forecast";

        /// <summary>The column of values, a <c>Single</c>. Must be set.</summary>
        [DoesNotChangeResult]
        public string InputColumnName { get; set; } = "";

        /// <summary>
        /// The column that names each row's series: a key, text or a whole number. Default null: all rows are one series.
        /// </summary>
        [DoesNotChangeResult]
        public string? GroupColumnName { get; set; }

        /// <summary>
        /// The column with the time of each row: a <c>DateTime</c>, a <c>DateTimeOffset</c> or a number. The rows of each series must be in
        /// time order, without the same time twice, and equally spaced in time or in months; other data is refused, not sorted. The model
        /// checks the rows to forecast too if they have this column. Default null: the rows are taken as they come.
        /// </summary>
        [DoesNotChangeResult]
        public string? TimeColumnName { get; set; }

        /// <summary>
        /// How rows that are not equally spaced in the time column are handled. Default <see cref="TimeGapHandling.Throw"/>.
        /// </summary>
        [DoesNotChangeResult]
        public TimeGapHandling TimeGapHandling { get; set; }

        /// <summary>
        /// How series that are too short for a window and a horizon are handled. They are counted in the log and in
        /// <see cref="TrainingHistory.DataCounts"/>; if all are too short, training is refused. Default <see cref="ShortSeriesHandling.Skip"/>.
        /// </summary>
        public ShortSeriesHandling ShortSeriesHandling { get; set; }

        /// <summary>
        /// Columns with further inputs that are known together with the row's value, such as the season or the weather; <c>Single</c> or
        /// <c>Vector&lt;Single&gt;</c> of known size. They are always scaled with the training data. Default: none.
        /// </summary>
        [DoesNotChangeResult]
        public IReadOnlyList<string> ExtraColumnNames { get; set; } = [];

        /// <summary>The number of past values that a forecast uses, including the value of the row itself. Must be set.</summary>
        public int WindowSize { get; set; }

        /// <summary>The number of values to forecast. Must be set.</summary>
        public int Horizon { get; set; }

        /// <summary>
        /// How values are scaled. Default null: <see cref="SeriesScaling.Window"/> where the level moves, so that a trend can be followed and
        /// series of different levels can be forecast, that is where the means of the training windows deviate from each other by more than two
        /// fifths of what the values of a window do; otherwise, and with a <see cref="WindowSize"/> below 5,
        /// <see cref="SeriesScaling.Global"/>, with which the network sees the level.
        /// </summary>
        public SeriesScaling? Scaling { get; set; }

        /// <summary>The recurrent cell. Default <see cref="RecurrentCell.Lstm"/>.</summary>
        public RecurrentCell Cell { get; set; }

        /// <summary>The number of recurrent layers. Default 1.</summary>
        public int NumberOfLayers { get; set; } = 1;

        /// <summary>The number of hidden units of each layer. Default 64.</summary>
        public int HiddenUnits { get; set; } = DefaultHiddenUnits;

        /// <summary>Dropout rate between layers and of the last state, in [0, 1). Default 0.</summary>
        public double Dropout { get; set; }

        /// <summary>The loss. Default <see cref="ForecastLoss.Squared"/>.</summary>
        public ForecastLoss Loss { get; set; }

        internal SeriesColumnNames ColumnNames => new(InputColumnName, ExtraColumnNames, GroupColumnName, TimeColumnName, TimeGapHandling);

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
            [(nameof(HiddenUnits), FormattableString.Invariant($"{HiddenUnits}")), (nameof(NumberOfLayers), FormattableString.Invariant($"{NumberOfLayers}")), (nameof(WindowSize), FormattableString.Invariant($"{WindowSize}")), (nameof(Horizon), FormattableString.Invariant($"{Horizon}"))];

        internal ForecastArchitecture CreateArchitecture(int stepWidth) => new()
        {
            InputCount = (long)WindowSize * stepWidth <= SequenceInput.MaximumValues
                ? WindowSize * stepWidth
                : throw new ArgumentOutOfRangeException(nameof(WindowSize), WindowSize, FormattableString.Invariant($"{nameof(WindowSize)} is {WindowSize}; with {stepWidth} values per row it must be at most {SequenceInput.MaximumValues / stepWidth}.")),
            OutputCount = Horizon,
            WindowSize = WindowSize,
            Recurrent = new RecurrentLayers(Cell, HiddenUnits, NumberOfLayers) { Dropout = Dropout },
            Dropout = Dropout,
        };

        internal override void InitializeWeights(nn.Module network, ulong seed) =>
            RecurrentInitializer.Initialize(network, Initialization, seed, Cell, scale: null, forgetBias: 1);

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            copy.ExtraColumnNames = ExtraColumnNames.ToArray();
            return copy;
        }

        internal override void Check()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            if (GroupColumnName != null)
                OptionCheck.NotEmpty(GroupColumnName, nameof(GroupColumnName));
            if (TimeColumnName != null)
                OptionCheck.NotEmpty(TimeColumnName, nameof(TimeColumnName));
            OptionCheck.Defined(TimeGapHandling, nameof(TimeGapHandling));
            OptionCheck.Defined(ShortSeriesHandling, nameof(ShortSeriesHandling));
            OptionCheck.NotNull(ExtraColumnNames, nameof(ExtraColumnNames));
            for (var i = 0; i < ExtraColumnNames.Count; i++)
                OptionCheck.NotEmpty(ExtraColumnNames[i], FormattableString.Invariant($"{nameof(ExtraColumnNames)}[{i}]"));
            OptionCheck.Count(WindowSize, SequenceInput.MaximumValues, nameof(WindowSize));
            OptionCheck.Count(Horizon, SequenceInput.MaximumValues, nameof(Horizon));
            OptionCheck.Defined(Scaling ?? SeriesScaling.Global, nameof(Scaling));
            OptionCheck.Defined(Cell, nameof(Cell));
            OptionCheck.Count(NumberOfLayers, RecurrentLayers.MaximumLayers, nameof(NumberOfLayers));
            OptionCheck.Count(HiddenUnits, RecurrentLayers.MaximumUnits, nameof(HiddenUnits));
            OptionCheck.Fraction(Dropout, nameof(Dropout));
            OptionCheck.Defined(Loss, nameof(Loss));
            base.Check();
            OptionCheck.Require(Buffering == Buffering.InMemory, Buffering, nameof(Buffering), $"{nameof(Buffering.InMemory)}, because series are held in memory");
        }
    }

    private protected override void CheckSchema(SchemaShape schema) => SeriesColumns.Check(schema, _options.ColumnNames);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() => [OutputColumn.Vector(_options.OutputColumnName, _options.Horizon).Shape];

    private protected override LstmForecastingTransformer Train(IDataView input, IDataView? validation)
    {
        var model = new ForecastTraining(Host, _options, Seed).Run(input, validation);
        return new LstmForecastingTransformer(Host, model, _options.OutputColumnName, _options.ColumnNames);
    }
}

/// <summary>How series with too few rows for a window and a horizon are handled.</summary>
public enum ShortSeriesHandling
{
    /// <summary>Skips them, and counts them.</summary>
    Skip,

    /// <summary>Throws an <see cref="ArgumentException"/> that names the series.</summary>
    Throw,
}
