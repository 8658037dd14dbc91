using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Text;

namespace MLExtensions.Families.Recurrent;

/// <summary>Finds the format of a network's sequences from a column, and from its rows if necessary.</summary>
internal static class SequenceScan
{
    private const int GreatestDefaultLength = 1000;
    private const long GreatestNames = 4 << 20;

    /// <exception cref="ArgumentException">The options do not fit the column.</exception>
    public static SequenceInput CreateInput(RecurrentOptions options, IDataView data, DataViewSchema.Column features, SequenceInput? initial, Action check)
    {
        // Until the rows have been scanned, no sequence is too long.
        var draft = CreateDraft(options, data, features, initial, check);
        var known = KnownLength(draft, features);
        var length = options.MaximumLength ?? known ?? initial?.MaximumLength ?? LongestIn(data, features, draft, check);
        return draft with
        {
            MaximumLength = length,
            LongSequenceHandling = options.LongSequenceHandling ?? (draft is NumberSequence ? LongSequenceHandling.KeepEnd : LongSequenceHandling.KeepBeginningAndEnd),
            EmptySequenceHandling = options.EmptySequenceHandling,
            MissingKeyHandling = options.MissingKeyHandling,
        };
    }

    private static SequenceInput CreateDraft(RecurrentOptions options, IDataView data, DataViewSchema.Column features, SequenceInput? initial, Action check)
    {
        if (features.Type is VectorDataViewType { ItemType: KeyDataViewType key })
            return CreateKeys(key.GetCountAsInt32(null), KeyNames.Of(features), initial as KeySequence) with { MissingKeyHandling = options.MissingKeyHandling };
        if (features.Type is not TextDataViewType)
            return new NumberSequence { StepSize = options.StepSize, MaximumLength = 1 };
        var tokenizer = initial is TextSequence text
            ? text.Tokenizer
            : RowTexts.CreateTokenizer(options.Tokenization, data, features.Name, check);
        return new TextSequence(tokenizer) { MaximumLength = 1 };
    }

    /// <summary>Keys are those of the initial model if it knows what they stand for, as its embedding is theirs.</summary>
    private static KeySequence CreateKeys(int count, IReadOnlyList<string>? names, KeySequence? initial)
    {
        if (initial is { KeyNames: { } known } && names != null)
            return new KeySequence(known.Count) { KeyNames = known, MaximumLength = 1 };
        // The description of a network has its limits; keys of so many values are found by their numbers.
        var isKept = names?.Count == count && names.Sum(name => name.Length + 8L) <= GreatestNames;
        return new KeySequence(count) { KeyNames = isKept ? names : null, MaximumLength = 1 };
    }

    private static int? KnownLength(SequenceInput draft, DataViewSchema.Column features)
    {
        if (features.Type is not VectorDataViewType { Size: > 0 and var size })
            return null;
        if (size % draft.ValuesPerStep != 0)
            throw new ArgumentException(FormattableString.Invariant($"Feature column '{features.Name}' has {size} values, which is not a multiple of the step size {draft.ValuesPerStep} ({nameof(RecurrentOptions.StepSize)})."));
        return size / draft.ValuesPerStep;
    }

    private static int LongestIn(IDataView data, DataViewSchema.Column features, SequenceInput draft, Action check)
    {
        using var cursor = data.GetRowCursor([features]);
        var reader = draft.Open(cursor, features);
        var longest = 1;
        while (longest < GreatestDefaultLength && cursor.MoveNext())
        {
            check();
            longest = Math.Max(longest, Math.Min(GreatestDefaultLength, reader.ReadLength()));
        }
        return longest;
    }
}
