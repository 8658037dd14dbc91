using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Forecasting;
using MLExtensions.Training;
using MLExtensions.Training.Engine;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Learns to forecast time series with a recurrent network.</summary>
/// <remarks>
/// The network reads the last <see cref="Options.WindowSize"/> values and gives the next <see cref="Options.Horizon"/> at
/// once. One network serves all series of the data. Rows must be in the order of time, at equal distances; those of several series may be
/// mixed.
/// </remarks>
public sealed class LstmForecaster : IEstimator<LstmForecastTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly int _seed;

    internal LstmForecaster(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _host = env.Register(nameof(LstmForecaster));
        _options = (Options)options.Snapshot();
        _seed = options.Seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();
    }

    /// <summary>
    /// What can be set. <see cref="TrainingOptions.ValidationFraction"/> sets the last share of each series aside, not one at random.
    /// </summary>
    public sealed class Options : TrainingOptions
    {
        internal const int DefaultHiddenUnits = 64;

        /// <summary>The column to add, a <c>Vector&lt;Single&gt;</c> of <see cref="Horizon"/> values. Default "Forecast".</summary>
        public string OutputColumnName { get; set; } = "Forecast";

        /// <summary>The column of the series' values, a <c>Single</c>. Must be set.</summary>
        public string InputColumnName { get; set; } = "";

        /// <summary>The column that says which series a row belongs to, a key, text or a whole number. Default null: there is one series.</summary>
        public string? GroupColumnName { get; set; }

        /// <summary>
        /// Columns with further inputs of each row, <c>Single</c> or <c>Vector&lt;Single&gt;</c> of known size, that are known together with
        /// the row's value, such as the season or the weather. They are always scaled by the training data. Default: none.
        /// </summary>
        public IReadOnlyList<string> ExtraColumnNames { get; set; } = [];

        /// <summary>The number of values that a forecast looks back, the row's own among them. Must be set.</summary>
        public int WindowSize { get; set; }

        /// <summary>The number of values to forecast. Must be set.</summary>
        public int Horizon { get; set; }

        /// <summary>How values are scaled. Default <see cref="SeriesScaling.Global"/>.</summary>
        public SeriesScaling Scaling { get; set; }

        /// <summary>What a recurrent layer computes. Default <see cref="RecurrentCell.Lstm"/>.</summary>
        public RecurrentCell Cell { get; set; }

        /// <summary>The number of recurrent layers. Default 1.</summary>
        public int Layers { get; set; } = 1;

        /// <summary>The hidden units of each layer. Default 64.</summary>
        public int HiddenUnits { get; set; } = DefaultHiddenUnits;

        /// <summary>The probability of setting a value between two layers, or of the last state, to zero in training. Default 0.</summary>
        public double Dropout { get; set; }

        /// <summary>What is minimised. Default <see cref="ForecastLoss.Squared"/>.</summary>
        public ForecastLoss Loss { get; set; }

        internal SeriesColumnNames ColumnNames => new(InputColumnName, ExtraColumnNames, GroupColumnName);

        internal ForecastArchitecture CreateArchitecture(int stepWidth) => new()
        {
            InputCount = checked(WindowSize * stepWidth),
            OutputCount = Horizon,
            WindowSize = WindowSize,
            Recurrent = new RecurrentLayers(Cell, HiddenUnits, Layers) { Dropout = Dropout },
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
            OptionCheck.NotNull(ExtraColumnNames, nameof(ExtraColumnNames));
            for (var i = 0; i < ExtraColumnNames.Count; i++)
                OptionCheck.NotEmpty(ExtraColumnNames[i], $"{nameof(ExtraColumnNames)}[{i}]");
            OptionCheck.AtLeast(WindowSize, 1, nameof(WindowSize));
            OptionCheck.AtLeast(Horizon, 1, nameof(Horizon));
            OptionCheck.Defined(Scaling, nameof(Scaling));
            OptionCheck.Defined(Cell, nameof(Cell));
            OptionCheck.AtLeast(Layers, 1, nameof(Layers));
            OptionCheck.AtLeast(HiddenUnits, 1, nameof(HiddenUnits));
            OptionCheck.Fraction(Dropout, nameof(Dropout));
            OptionCheck.Defined(Loss, nameof(Loss));
            base.Check();
            OptionCheck.Require(Buffering == Buffering.InMemory, Buffering, nameof(Buffering), $"{nameof(Buffering.InMemory)}: series are held in memory");
            if (EarlyStopping != null && ValidationFraction == 0)
                throw new ArgumentException($"{nameof(EarlyStopping)} needs validation data: set {nameof(ValidationFraction)}.", nameof(EarlyStopping));
        }
    }

    /// <summary>Trains a network.</summary>
    /// <param name="input">The series, their rows in the order of time.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or a series is too short; the message names it.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and value.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public LstmForecastTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var model = new ForecastTraining(_host, _options, _seed).Run(input);
        return new LstmForecastTransformer(_host, model, _options.OutputColumnName, _options.ColumnNames);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SeriesColumns.Check(inputSchema, _options.ColumnNames);
        var columns = inputSchema.ToDictionary(column => column.Name);
        columns[_options.OutputColumnName] = new SchemaShape.Column(_options.OutputColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false);
        return new SchemaShape(columns.Values);
    }
}
