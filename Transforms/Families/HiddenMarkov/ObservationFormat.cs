using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>The names of the columns that are read.</summary>
/// <param name="Observation">The column of observations.</param>
/// <param name="Sequence">The column that says which sequence a row belongs to; null if all rows are one.</param>
/// <param name="Label">The column of known states; null if there is none.</param>
internal sealed record SequenceColumns(string Observation, string? Sequence, string? Label)
{
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public void Check(SchemaShape schema, bool discrete)
    {
        var observation = Find(schema, Observation, "Observation", "");
        var isScalar = observation.Kind == SchemaShape.Column.VectorKind.Scalar;
        if (discrete && !(isScalar && (observation.IsKey || observation.ItemType is TextDataViewType)))
            throw Wrong("Observation", observation, "a key or Text", isScalar ? $" Numbers are for Gaussian and GaussianMixture.{ColumnAdvice.ForKey(observation)}" : " A row has one observation; a sequence is several rows.");
        if (!discrete && (observation.Kind == SchemaShape.Column.VectorKind.VariableVector || observation.ItemType != NumberDataViewType.Single))
            throw Wrong("Observation", observation, "Single, or Vector<Single> of known size", observation.IsKey || observation.ItemType is TextDataViewType ? " Symbols are for Discrete." : ColumnAdvice.ForFeatures(observation));
        if (Sequence != null)
        {
            var sequence = Find(schema, Sequence, "Sequence", " If all rows are one sequence, set the name of the sequence column to null.");
            var isWhole = sequence.ItemType is NumberDataViewType && sequence.ItemType != NumberDataViewType.Single && sequence.ItemType != NumberDataViewType.Double;
            if (sequence.Kind != SchemaShape.Column.VectorKind.Scalar || !(sequence.IsKey || sequence.ItemType is TextDataViewType || isWhole))
                throw Wrong("Sequence", sequence, "a key, Text or a whole number", "");
        }
        if (Label != null && Find(schema, Label, "Label", "") is var label && !(label.IsKey && label.Kind == SchemaShape.Column.VectorKind.Scalar))
            throw Wrong("Label", label, "a key", ColumnAdvice.ForKey(label));
    }

    private static SchemaShape.Column Find(SchemaShape schema, string name, string role, string advice) =>
        schema.TryFindColumn(name, out var column)
            ? column
            : throw new ArgumentException($"{role} column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.{advice}");

    private static ArgumentException Wrong(string role, SchemaShape.Column column, string expected, string advice) =>
        new($"{role} column '{column.Name}' has type {column.GetTypeString()}; it must be {expected}.{advice}");
}

/// <summary>What observations are.</summary>
/// <param name="Symbols">The number of symbols; 0 for numbers.</param>
/// <param name="Names">The names of the symbols; null if keys have none, and for numbers.</param>
/// <param name="IsText">Whether symbols were text and not keys.</param>
/// <param name="Width">The number of features; 0 for symbols.</param>
/// <param name="IsVector">Whether the features were a vector and not one number.</param>
internal sealed record ObservationFormat(int Symbols, IReadOnlyList<string>? Names, bool IsText, int Width, bool IsVector)
{
    private const int MostSymbols = 1 << 24;

    public bool IsDiscrete => Width == 0;

    /// <summary>The format of a column. Of text the names are not known yet.</summary>
    /// <exception cref="ArgumentException">There are too many keys.</exception>
    public static ObservationFormat Of(DataViewSchema.Column column) => column.Type switch
    {
        KeyDataViewType { Count: > MostSymbols } key => throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {key.Count} keys; there can be at most {MostSymbols} symbols. Use MapValueToKey, whose keys are numbered without gaps.")),
        KeyDataViewType key => new ObservationFormat((int)key.Count, KeyNames.Of(column), IsText: false, 0, IsVector: false),
        TextDataViewType => new ObservationFormat(0, [], IsText: true, 0, IsVector: false),
        _ => new ObservationFormat(0, null, IsText: false, FeatureReader.WidthOf(column), column.Type is VectorDataViewType),
    };

    /// <summary>Finds the symbols of the keys of a column by their names; unknown ones are -1.</summary>
    /// <exception cref="ArgumentException">Only one of both has names, or the number of keys is another.</exception>
    public int[] PlacesOf(DataViewSchema.Column column)
    {
        var names = KeyNames.Of(column);
        if ((names == null) != (Names == null))
            throw new ArgumentException($"Column '{column.Name}': its keys {(names == null ? "have no values" : $"stand for {NameList.Of(names)}")}, but the symbols of the model {(Names == null ? "have none" : $"are {NameList.Of(Names)}")}. Keys are matched by the values that they stand for (KeyValues), so both need them, or neither; MapValueToKey adds them.");
        if (names != null)
            return KeyMap.Places(names, Names!);
        var count = ((KeyDataViewType)column.Type).Count;
        return count == (ulong)Symbols
            ? Enumerable.Range(0, Symbols).ToArray()
            : throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {count} keys; the model has {Symbols} symbols."));
    }
}

/// <summary>What states are called.</summary>
/// <param name="All">The names of all states.</param>
/// <param name="OfLabels">The names of the labels, which are the first states; null if labels had no names, or there were none.</param>
internal sealed record MarkovStateNames(IReadOnlyList<string> All, IReadOnlyList<string>? OfLabels)
{
    /// <summary>States without labels are numbered.</summary>
    public static MarkovStateNames Create(int count, IReadOnlyList<string>? labels)
    {
        var names = (labels ?? []).Take(count).ToList();
        for (var state = names.Count; state < count; state++)
        {
            var name = FormattableString.Invariant($"state {state + 1}");
            while (names.Contains(name))
                name += "'";
            names.Add(name);
        }
        return new MarkovStateNames(names, labels);
    }
}
