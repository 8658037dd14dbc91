using MLExtensions.Onnx;
using MLExtensions.Tensors;
using System.Text.Json.Serialization;
using MLExtensions.Families.Recurrent;
using Microsoft.ML.Data;
using Microsoft.ML;
using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>The format of sequences, and how sequences that are too long or empty are handled.</summary>
[JsonDerivedType(typeof(NumberSequence), "numbers")]
[JsonDerivedType(typeof(KeySequence), "keys")]
[JsonDerivedType(typeof(TextSequence), "text")]
public abstract record SequenceInput
{
    private protected SequenceInput()
    {
    }

    /// <summary>The maximum number of values of a sequence.</summary>
    internal const int MaximumValues = 1 << 28;

    /// <summary>The maximum number of time steps of a sequence.</summary>
    public required int MaximumLength { get; init; }

    /// <summary>How longer sequences are handled.</summary>
    [JsonPropertyName("longSequences")]
    public LongSequenceHandling LongSequenceHandling { get; init; }

    /// <summary>How sequences without time steps are handled.</summary>
    [JsonPropertyName("emptySequences")]
    public EmptySequenceHandling EmptySequenceHandling { get; init; }

    /// <summary>How missing keys in a sequence of keys are handled.</summary>
    [JsonPropertyName("missingKeys")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public MissingKeyHandling MissingKeyHandling { get; init; }

    /// <summary>The number of values per time step in a row of the network's input.</summary>
    internal virtual int ValuesPerStep => 1;

    /// <summary>The number of different tokens; 0 for sequences of numbers.</summary>
    internal virtual int TokenCount => 0;

    /// <summary>Whether the rows of a column are such sequences.</summary>
    internal abstract bool Takes(DataViewType type);

    /// <summary>A description of such a column.</summary>
    internal abstract string Description { get; }

    internal abstract SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column);

    /// <inheritdoc cref="FeatureFormat.Write"/>
    internal abstract string Write(GraphWriter graph, OnnxColumns columns, Microsoft.ML.DataViewSchema.Column column);

    /// <exception cref="FormatException">A property is out of range; the message names it.</exception>
    internal virtual void Check()
    {
        if (MaximumLength < 1 || (long)MaximumLength * ValuesPerStep > MaximumValues)
            throw new FormatException(FormattableString.Invariant($"input.maximumLength is {MaximumLength}; it must be between 1 and {MaximumValues / Math.Max(1, ValuesPerStep)}."));
        if (!Enum.IsDefined(LongSequenceHandling))
            throw new FormatException($"input.longSequences is {LongSequenceHandling}, which is not a valid value.");
        if (!Enum.IsDefined(EmptySequenceHandling))
            throw new FormatException($"input.emptySequences is {EmptySequenceHandling}, which is not a valid value.");
        if (!Enum.IsDefined(MissingKeyHandling))
            throw new FormatException($"input.missingKeys is {MissingKeyHandling}, which is not a valid value.");
    }

    /// <summary>Returns the values as text.</summary>
    public sealed override string ToString() => RecordText.Of(GetType().Name, PrintMembers);
}

/// <summary>Numbers: a <c>Vector&lt;Single&gt;</c> with a fixed number of values per time step.</summary>
public sealed record NumberSequence : SequenceInput
{
    /// <summary>The number of values per time step.</summary>
    public int StepSize { get; init; } = 1;

    internal override int ValuesPerStep => StepSize;

    internal override string Description => StepSize == 1 ? "Vector<Single>" : FormattableString.Invariant($"Vector<Single> of {StepSize} values per time step");

    internal override bool Takes(DataViewType type) => type is VectorDataViewType vector && vector.ItemType == NumberDataViewType.Single && vector.Size % StepSize == 0;

    internal override SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column) => new NumberSequenceReader(this, row, column);

    internal override string Write(GraphWriter graph, OnnxColumns columns, Microsoft.ML.DataViewSchema.Column column)
    {
        var width = column.Type.GetValueCount();
        return new SequenceGraph(graph, this).Numbers(columns.Floats(graph, column, width == 0 ? -1 : width), width == 0 ? null : width / StepSize);
    }

    internal override void Check()
    {
        if (StepSize < 1)
            throw new FormatException(FormattableString.Invariant($"input.stepSize is {StepSize}; it must be at least 1."));
        base.Check();
    }
}

/// <summary>Keys: a vector of keys, each of which is a token.</summary>
/// <param name="KeyCount">The number of different keys.</param>
public sealed record KeySequence(int KeyCount) : SequenceInput
{
    /// <summary>
    /// The values that the keys stand for, as text. The keys of other data are found by them: the same values can have other keys. Null for
    /// keys without values, which are found by their numbers.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? KeyNames { get; init; }

    /// <inheritdoc/>
    public bool Equals(KeySequence? other) =>
        base.Equals(other) && KeyCount == other.KeyCount && (KeyNames ?? []).SequenceEqual(other.KeyNames ?? []);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), KeyCount, KeyNames?.Count);

    internal override int TokenCount => KeyCount;

    internal override string Description => FormattableString.Invariant($"a vector of keys (UInt32) of {KeyCount} values");

    internal override bool Takes(DataViewType type) =>
        type is VectorDataViewType { ItemType: KeyDataViewType key } && key.RawType == typeof(uint) && (KeyNames != null || key.Count == (ulong)KeyCount);

    internal override SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column) => new KeySequenceReader(this, row, column);

    internal override string Write(GraphWriter graph, OnnxColumns columns, Microsoft.ML.DataViewSchema.Column column)
    {
        var width = column.Type.GetValueCount();
        return new SequenceGraph(graph, this).Keys(graph.Cast(columns.Variable(column), typeof(long)), OnnxColumns.PlacesOf(column, KeyNames, KeyCount), width == 0 ? null : width);
    }

    internal override void Check()
    {
        base.Check();
        if (KeyCount < 1)
            throw new FormatException(FormattableString.Invariant($"input.keyCount is {KeyCount}; it must be at least 1."));
        if (KeyNames != null && (KeyNames.Count != KeyCount || KeyNames.Contains(null!)))
            throw new FormatException(FormattableString.Invariant($"input.keyNames has {KeyNames.Count} names; there must be {KeyCount}, the number of keys."));
    }
}

/// <summary>Text that is divided into tokens.</summary>
/// <param name="Tokenizer">The tokenizer.</param>
public sealed record TextSequence(TextTokenizer Tokenizer) : SequenceInput
{
    internal override int TokenCount => Tokenizer.VocabularySize;

    internal override string Description => "Text";

    internal override bool Takes(DataViewType type) => type == TextDataViewType.Instance;

    internal override SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column) => new TextSequenceReader(this, row, column);

    internal override string Write(GraphWriter graph, OnnxColumns columns, Microsoft.ML.DataViewSchema.Column column) =>
        throw columns.NotExportable($"ONNX has no operator for the tokenizer of column '{column.Name}'. Train on keys, as TokenizeIntoWords and MapValueToKey make them: ML.NET exports these steps");

    internal override void Check()
    {
        base.Check();
        if (Tokenizer == null)
            throw new FormatException("input.tokenizer is missing.");
        Tokenizer.Check();
    }
}

/// <summary>How sequences with more time steps than the maximum are handled.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LongSequenceHandling>))]
public enum LongSequenceHandling
{
    /// <summary>Uses the last time steps.</summary>
    KeepEnd,

    /// <summary>Uses the first time steps.</summary>
    KeepBeginning,

    /// <summary>Throws a <see cref="FormatException"/> that names the row.</summary>
    [JsonStringEnumMemberName("Refuse")]
    Throw,

    /// <summary>Uses the first and the last time steps, half of the maximum each: texts often say what matters at either end.</summary>
    KeepBeginningAndEnd,
}

/// <summary>How sequences without time steps are handled.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EmptySequenceHandling>))]
public enum EmptySequenceHandling
{
    /// <summary>Throws a <see cref="FormatException"/> that names the row.</summary>
    [JsonStringEnumMemberName("Refuse")]
    Throw,

    /// <summary>Uses zeros as the output of the recurrent layers.</summary>
    Zeros,
}

/// <summary>How missing keys in a sequence of keys are handled, such as words that are not in the dictionary of the keys.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MissingKeyHandling>))]
public enum MissingKeyHandling
{
    /// <summary>Throws a <see cref="FormatException"/> that names row and slot.</summary>
    Throw,

    /// <summary>Leaves them out: the sequence becomes shorter.</summary>
    Skip,
}

/// <summary>
/// A sequence as a row of floats: its number of time steps, the values of the time steps, zeros up to the maximum length.
/// </summary>
internal sealed record SequenceFormat(SequenceInput Input) : FeatureFormat
{
    public override int Width => 1 + (Input.MaximumLength * Input.ValuesPerStep);

    public override DataViewType InputType => new VectorDataViewType(NumberDataViewType.Single, Width - 1);

    public override RowLength LengthOf => row => (int)row[0];

    public override int UsedWidth(ReadOnlySpan<float> row) => 1 + (Math.Max(1, (int)row[0]) * Input.ValuesPerStep);

    // A truncated sequence differs from the value of the column.
    public override bool HoldsColumn(DataViewSchema.Column column) => false;

    public override bool HasCounts => true;

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => Input.Open(row, column);

    public override string Write(GraphWriter graph, OnnxColumns columns, DataViewSchema.Column column) => Input.Write(graph, columns, column);

    public override void CheckContent(DataCounts counts, string column, string data)
    {
        var sequences = counts[DataCounts.Sequences];
        if (sequences > 0 && counts[DataCounts.EmptySequences] == sequences)
            throw new ArgumentException(FormattableString.Invariant($"All {sequences} sequences of the {data} in column '{column}' are empty, so there is nothing to learn from."));
    }

    public override IEnumerable<DataNote> Review(DataCounts counts, string column, string data)
    {
        var (sequences, empty) = (counts[DataCounts.Sequences], counts[DataCounts.EmptySequences]);
        if (empty > 0)
            yield return new DataNote(FormattableString.Invariant($"{empty} of {sequences} sequences of the {data} in column '{column}' are empty; they count as zeros ({nameof(EmptySequenceHandling)})."), IsWarning: true);
        if (counts[DataCounts.CutSequences] is > 0 and var cut)
            yield return new DataNote(FormattableString.Invariant($"{cut} of {sequences} sequences of the {data} in column '{column}' are longer than {Input.MaximumLength} time steps, and {counts[DataCounts.LostTimeSteps]} time steps of them were not read ({nameof(LongSequenceHandling)} is {Input.LongSequenceHandling}). Increase MaximumLength to read them."), IsWarning: true);
        if (counts[DataCounts.MissingKeys] is > 0 and var missing)
            yield return new DataNote(FormattableString.Invariant($"{missing} keys of the {data} in column '{column}' are missing and were left out ({nameof(MissingKeyHandling)})."), IsWarning: true);
        if (TokenNotes.UnknownShare(counts, data) is { } note)
            yield return note;
        if (Input is TextSequence text && TokenNotes.WholeSentences(text.Tokenizer) is { } warning)
            yield return warning;
    }

    public override void Check(DataViewSchema.Column column)
    {
        if (!Input.Takes(column.Type))
            throw new ArgumentException($"Feature column '{column.Name}' has type {column.Type}; the model was trained on {Input.Description}.");
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row)
    {
        if (Input is not NumberSequence)
            throw new InvalidOperationException($"A network for {Input.Description} cannot score a vector of numbers.");
        row.Clear();
        SequenceReader.Write(Input, features.DenseValues().ToArray(), row, "Features", 0);
    }
}
