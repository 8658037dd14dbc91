using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Quatrains;
using MLExtensions.Models;
using MLExtensions.Text;

[assembly: LoadableClass(typeof(QuatrainCheckTransformer), typeof(QuatrainCheckTransformer), null, typeof(SignatureLoadModel), "", QuatrainCheckTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Says of each poem in a text column what is right and wrong with it as a regulated quatrain.</summary>
/// <remarks>
/// <para>Adds columns whose names begin with <see cref="OutputColumnPrefix"/>:</para>
/// <list type="bullet">
/// <item><term><c>Pattern</c>, <c>NearestPattern</c>, <c>Text</c></term><description>See <see cref="QuatrainReport.Pattern"/>; empty if there is
/// none.</description></item>
/// <item><term><c>RhymeGroup</c>, <c>Text</c></term><description>The rhyme groups of lines 2 and 4, divided by spaces.</description></item>
/// <item><term><c>Faults</c>, <c>Text</c></term><description>The faults in words, divided by semicolons.</description></item>
/// <item><term><c>FaultPositions</c>, <c>Vector&lt;Single, 28&gt;</c></term><description>A value per character: 0 for none, 1 for a wrong tone, 2
/// for a wrong rhyme, 3 for both. Poems of 20 characters have 8 zeros at the end.</description></item>
/// <item><term><c>IsQuatrain</c>, <c>FollowsPattern</c>, <c>IsRegulated</c>, <c>Rhymes</c>, <c>RhymesInLevelTone</c>, <c>FirstLineRhymes</c>,
/// <c>ThirdLineIsOblique</c>, <c>Alternates</c>, <c>HasOpposition</c>, <c>HasAdhesion</c>, <c>KeepsOrder</c>, <c>HasThreeLevelTail</c>, <c>HasSolitaryLevel</c>,
/// <c>Boolean</c></term><description>See <see cref="QuatrainReport"/>.</description></item>
/// <item><term><c>LineLength</c>, <c>RepeatedCharacters</c>, <c>RepeatedLines</c>, <c>UnknownCharacters</c>, <c>Int32</c></term><description>
/// Counts.</description></item>
/// </list>
/// <para>Computed without libtorch. One transformer can be used by several threads.</para>
/// </remarks>
public sealed class QuatrainCheckTransformer : ManagedTransformer
{
    internal const string LoaderSignature = "MLExtCheckQuatrain";
    private const string ModelSignature = "MLEXTCQT";

    private readonly QuatrainChecker _checker;

    internal QuatrainCheckTransformer(IHostEnvironment env, RhymeTable table, string inputColumnName, string outputColumnPrefix)
        : base(env, ModelSignature, LoaderSignature)
    {
        _checker = new QuatrainChecker(table);
        (InputColumnName, OutputColumnPrefix) = (inputColumnName, outputColumnPrefix);
    }

    /// <summary>The column of the poems.</summary>
    public string InputColumnName { get; }

    /// <summary>What the names of the added columns begin with.</summary>
    public string OutputColumnPrefix { get; }

    /// <summary>The tones and rhymes of characters.</summary>
    public RhymeTable RhymeTable => _checker.Table;

    /// <summary>Checks one poem.</summary>
    /// <param name="poem">The poem. Its lines are divided by anything that is no letter; without marks, 20 or 28 characters are divided evenly.</param>
    public QuatrainReport Check(string poem)
    {
        ArgumentNullException.ThrowIfNull(poem);
        return _checker.Check(poem);
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveString(OutputColumnPrefix);
        RhymeTableStorage.Save(ctx, RhymeTable);
    }

    private protected override IRowMapper CreateMapper(DataViewSchema schema) => new Mapper(this, schema);

    internal static QuatrainCheckTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        var (input, prefix) = (ctx.LoadNonEmptyString(), ctx.LoadString());
        return new QuatrainCheckTransformer(env, RhymeTableStorage.Load(ctx), input, prefix);
    }

    private sealed class Mapper(QuatrainCheckTransformer transformer, DataViewSchema schema) : RowMapper(transformer)
    {
        private readonly DataViewSchema.Column _input = TextColumn.Find(schema, transformer.InputColumnName);

        public override Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
            column => column == _input.Index && Enumerable.Range(0, QuatrainColumns.All.Count).Any(activeOutput);

        public override DataViewSchema.DetachedColumn[] GetOutputColumns() =>
            [.. QuatrainColumns.All.Select(column => new DataViewSchema.DetachedColumn(transformer.OutputColumnPrefix + column.Name, column.Type, column.Annotations))];

        public override Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            var getters = new Delegate?[QuatrainColumns.All.Count];
            if (!Enumerable.Range(0, getters.Length).Any(activeOutput))
                return getters;
            var getText = row.GetGetter<ReadOnlyMemory<char>>(row.Schema[_input.Index]);
            var position = -1L;
            ReadOnlyMemory<char> text = default;
            QuatrainReport? report = null;
            for (var column = 0; column < getters.Length; column++)
                getters[column] = activeOutput(column) ? QuatrainColumns.All[column].CreateGetter(Current) : null;
            return getters;

            QuatrainReport Current()
            {
                if (report != null && position == row.Position && position >= 0)
                    return report;
                getText(ref text);
                position = row.Position;
                return report = transformer._checker.Check(text.Span);
            }
        }
    }
}

/// <summary>Adds what is right and wrong with each poem in a text column as a regulated quatrain. Nothing is learned.</summary>
public sealed class QuatrainCheckEstimator : ManagedEstimator<QuatrainCheckTransformer>
{
    private readonly Options _options;

    internal QuatrainCheckEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(QuatrainCheckEstimator))
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Copy();
        ArgumentException.ThrowIfNullOrWhiteSpace(_options.InputColumnName, nameof(_options.InputColumnName));
        ArgumentNullException.ThrowIfNull(_options.OutputColumnPrefix, nameof(_options.OutputColumnPrefix));
        ArgumentNullException.ThrowIfNull(_options.RhymeTable, nameof(_options.RhymeTable));
    }

    /// <summary>The options of <see cref="QuatrainCheckEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The column of the poems, a <c>Text</c>. Default <c>Poem</c>.</summary>
        public string InputColumnName { get; set; } = QuatrainColumns.Poem;

        /// <summary>What the names of the added columns begin with; may be empty. Default <c>Quatrain</c>.</summary>
        public string OutputColumnPrefix { get; set; } = QuatrainColumns.Prefix;

        /// <summary>The tones and rhymes of characters; saved with the model if it is not the built-in one. Default: the built-in table.</summary>
        public RhymeTable RhymeTable { get; set; } = RhymeTable.Default;

        internal Options Copy() => (Options)MemberwiseClone();
    }

    private protected override void CheckSchema(SchemaShape schema) => TextColumn.Check(schema, _options.InputColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) => QuatrainColumns.All.Select(column => Added(_options.OutputColumnPrefix + column.Name, column.Type));

    private protected override QuatrainCheckTransformer FitChecked(IDataView input) => new(Host, _options.RhymeTable, _options.InputColumnName, _options.OutputColumnPrefix);
}
