using MLExtensions.Tensors;
using System.Text.Json.Serialization;
using MLExtensions.Families.Recurrent;
using Microsoft.ML.Data;
using Microsoft.ML;

namespace MLExtensions;

/// <summary>What the steps of a sequence are, and what happens to one that is too long or empty.</summary>
[JsonDerivedType(typeof(NumberSequence), "numbers")]
[JsonDerivedType(typeof(KeySequence), "keys")]
[JsonDerivedType(typeof(TextSequence), "text")]
public abstract record SequenceInput
{
    private protected SequenceInput()
    {
    }

    /// <summary>The most steps that the network sees of a sequence.</summary>
    public required int MaximumLength { get; init; }

    /// <summary>What happens to a longer sequence.</summary>
    [JsonPropertyName("longSequences")]
    public LongSequenceHandling LongSequenceHandling { get; init; }

    /// <summary>What happens to a sequence without steps.</summary>
    [JsonPropertyName("emptySequences")]
    public EmptySequenceHandling EmptySequenceHandling { get; init; }

    /// <summary>The values of a step in a row of the network's input.</summary>
    internal virtual int ValuesPerStep => 1;

    /// <summary>How many different tokens there are; 0 where steps are numbers.</summary>
    internal virtual int TokenCount => 0;

    /// <summary>Whether a column's rows are such sequences.</summary>
    internal abstract bool Takes(DataViewType type);

    /// <summary>Such a column, in words.</summary>
    internal abstract string Description { get; }

    internal abstract SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column);

    /// <exception cref="FormatException">A property is out of range; the message names it.</exception>
    internal virtual void Check()
    {
        if (MaximumLength < 1 || (long)MaximumLength * ValuesPerStep > 1 << 28)
            throw new FormatException($"input.maximumLength is {MaximumLength}; it must be between 1 and {(1 << 28) / Math.Max(1, ValuesPerStep)}.");
        if (!Enum.IsDefined(LongSequenceHandling))
            throw new FormatException($"input.longSequences is {LongSequenceHandling}, which is no way to treat them.");
        if (!Enum.IsDefined(EmptySequenceHandling))
            throw new FormatException($"input.emptySequences is {EmptySequenceHandling}, which is no way to treat them.");
    }
}

/// <summary>Numbers: a <c>Vector&lt;Single&gt;</c>, of which so many values are one step.</summary>
public sealed record NumberSequence : SequenceInput
{
    /// <summary>The values of a step.</summary>
    public int StepSize { get; init; } = 1;

    internal override int ValuesPerStep => StepSize;

    internal override string Description => StepSize == 1 ? "Vector<Single>" : $"Vector<Single> of {StepSize} values a step";

    internal override bool Takes(DataViewType type) => type is VectorDataViewType vector && vector.ItemType == NumberDataViewType.Single && vector.Size % StepSize == 0;

    internal override SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column) => new NumberSequenceReader(this, row, column);

    internal override void Check()
    {
        if (StepSize < 1)
            throw new FormatException($"input.stepSize is {StepSize}; it must be at least 1.");
        base.Check();
    }
}

/// <summary>Keys: a vector of keys, each of them a token.</summary>
/// <param name="KeyCount">The number of different keys.</param>
public sealed record KeySequence(int KeyCount) : SequenceInput
{
    internal override int TokenCount => KeyCount;

    internal override string Description => $"a vector of keys (UInt32) of {KeyCount} values";

    internal override bool Takes(DataViewType type) =>
        type is VectorDataViewType { ItemType: KeyDataViewType key } && key.RawType == typeof(uint) && key.Count == (ulong)KeyCount;

    internal override SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column) => new KeySequenceReader(this, row, column);

    internal override void Check()
    {
        base.Check();
        if (KeyCount < 1)
            throw new FormatException($"input.keyCount is {KeyCount}; it must be at least 1.");
    }
}

/// <summary>Text, cut into tokens.</summary>
/// <param name="Tokenizer">What cuts it.</param>
public sealed record TextSequence(TextTokenizer Tokenizer) : SequenceInput
{
    internal override int TokenCount => Tokenizer.VocabularySize;

    internal override string Description => "Text";

    internal override bool Takes(DataViewType type) => type == TextDataViewType.Instance;

    internal override SequenceReader Open(Microsoft.ML.DataViewRow row, Microsoft.ML.DataViewSchema.Column column) => new TextSequenceReader(this, row, column);

    internal override void Check()
    {
        base.Check();
        if (Tokenizer == null)
            throw new FormatException("input.tokenizer is missing.");
        Tokenizer.Check();
    }
}

/// <summary>What happens to a sequence of more steps than a network takes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LongSequenceHandling>))]
public enum LongSequenceHandling
{
    /// <summary>Its last steps are used.</summary>
    KeepEnd,

    /// <summary>Its first steps are used.</summary>
    KeepBeginning,

    /// <summary>A <see cref="FormatException"/> names the row.</summary>
    [JsonStringEnumMemberName("Refuse")]
    Throw,
}

/// <summary>What happens to a sequence without steps.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EmptySequenceHandling>))]
public enum EmptySequenceHandling
{
    /// <summary>A <see cref="FormatException"/> names the row.</summary>
    [JsonStringEnumMemberName("Refuse")]
    Throw,

    /// <summary>Nothing comes out of the recurrent layers for it: zeros.</summary>
    Zeros,
}

/// <summary>A sequence as a row of floats: its number of steps, the steps' values, zeros up to the longest.</summary>
internal sealed record SequenceFormat(SequenceInput Input) : FeatureFormat
{
    public override int Width => 1 + (Input.MaximumLength * Input.ValuesPerStep);

    public override DataViewType InputType => new VectorDataViewType(NumberDataViewType.Single, Width - 1);

    public override RowLength LengthOf => row => (int)row[0];

    // A sequence that was cut is not what the column holds.
    public override bool HoldsColumn(DataViewSchema.Column column) => false;

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => Input.Open(row, column);

    public override void Check(DataViewSchema.Column column)
    {
        if (!Input.Takes(column.Type))
            throw new ArgumentException($"Feature column '{column.Name}' has type {column.Type}; the model was trained on {Input.Description}.");
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row)
    {
        if (Input is not NumberSequence)
            throw new InvalidOperationException($"A network of {Input.Description} cannot be given a vector of numbers.");
        row.Clear();
        SequenceReader.Write(Input, features.DenseValues().ToArray(), row, "Features", 0);
    }
}
