using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Messages;

/// <summary>What to do with a column of a type that cannot be used: the line of code for the end of a message, or nothing.</summary>
internal static class ColumnAdvice
{
    /// <summary>For a column that has to be a <c>Vector&lt;Single&gt;</c> of known size or a <c>Single</c>.</summary>
    public static string ForFeatures(SchemaShape.Column column) =>
        ForNumbers(column.Name, column.ItemType, column.IsKey) + (column is { IsKey: false, Kind: SchemaShape.Column.VectorKind.VariableVector } ? ForUnknownSize(column.Name, column.ItemType) : "");

    /// <inheritdoc cref="ForFeatures(SchemaShape.Column)"/>
    public static string ForFeatures(string name, DataViewType type)
    {
        var item = (type as VectorDataViewType)?.ItemType ?? type;
        return ForNumbers(name, item, item is KeyDataViewType) + (type is VectorDataViewType { Size: 0 } ? ForUnknownSize(name, item) : "");
    }

    /// <summary>For a column that has to be a sequence: of numbers, of keys, or text.</summary>
    public static string ForSequences(SchemaShape.Column column) => column switch
    {
        { IsKey: true, Kind: SchemaShape.Column.VectorKind.Scalar } => " A sequence is a vector of keys: one row per sequence, not one per element.",
        { Kind: SchemaShape.Column.VectorKind.Scalar } => $" A sequence is a vector: one row per sequence, not one per element. Columns of one step each become one by ml.Transforms.Concatenate(\"{column.Name}\", ...).",
        { ItemType: TextDataViewType } => $" Add ml.Transforms.Conversion.MapValueToKey(\"{column.Name}\") before it.",
        _ => ForNumbers(column.Name, column.ItemType, column.IsKey),
    };

    /// <summary>For a column that has to be one <c>Single</c> per row.</summary>
    /// <param name="column">The column.</param>
    /// <param name="several">What to do with several values per row.</param>
    public static string ForNumber(SchemaShape.Column column, string several) => column switch
    {
        { Kind: not SchemaShape.Column.VectorKind.Scalar } => several,
        { IsKey: true } => $" Add ml.Transforms.Conversion.MapKeyToValue(\"{column.Name}\") before it.",
        _ => Convert(column.Name, DataKind.Single),
    };

    /// <summary>For a label that has to be <c>Boolean</c>.</summary>
    public static string ForBoolean(SchemaShape.Column column) => column switch
    {
        { Kind: not SchemaShape.Column.VectorKind.Scalar } => " A network has one label here: with several, train one model per label, each with a column of its own.",
        { IsKey: true } => " Classes as keys are for ml.MulticlassClassification.",
        { ItemType: TextDataViewType } => $" Add ml.Transforms.Conversion.MapValue(\"{column.Name}\", [new KeyValuePair<string, bool>(\"yes\", true), new KeyValuePair<string, bool>(\"no\", false)]) before it, with your words.",
        _ => Convert(column.Name, DataKind.Boolean),
    };

    /// <summary>For a label that has to be a key.</summary>
    public static string ForKey(SchemaShape.Column column) => column.Kind == SchemaShape.Column.VectorKind.Scalar
        ? $" Add ml.Transforms.Conversion.MapValueToKey(\"{column.Name}\") before it."
        : " A row has one class, given by its name or number, not by a vector with a place for each class; with several classes per row, train a binary model per class.";

    /// <summary>For a label that has to be one <c>Single</c>.</summary>
    public static string ForTarget(SchemaShape.Column column) =>
        ForNumber(column, $" A network has one target here: with several, train one model per target, each with a column of its own: ml.Transforms.CustomMapping<Row, Target>((row, target) => target.Value = row.{column.Name}[0], null).");

    /// <summary>For a column that has to be text.</summary>
    public static string ForText(SchemaShape.Column column) => column switch
    {
        { Kind: not SchemaShape.Column.VectorKind.Scalar } => " Each row has one text.",
        { IsKey: true } => $" Add ml.Transforms.Conversion.MapKeyToValue(\"{column.Name}\") before it.",
        _ => Convert(column.Name, DataKind.String),
    };

    private static string ForNumbers(string name, DataViewType item, bool isKey) => item switch
    {
        _ when isKey => $" Add ml.Transforms.Conversion.MapKeyToVector(\"{name}\") before it.",
        TextDataViewType => $" Add ml.Transforms.Text.FeaturizeText(\"{name}\") for text, or ml.Transforms.Categorical.OneHotEncoding(\"{name}\") for categories, before it.",
        ImageDataViewType => $" Add ml.Transforms.ExtractPixels(\"{name}\") before it.",
        NumberDataViewType when item == NumberDataViewType.Single => "",
        NumberDataViewType or BooleanDataViewType => Convert(name, DataKind.Single),
        _ => "",
    };

    private static string ForUnknownSize(string name, DataViewType item) => item is not NumberDataViewType ? "" :
        " The number of values must be known: [VectorType(n)] on an array. If n is known only at run time: "
        + $"var schema = SchemaDefinition.Create(typeof(Row)); schema[\"{name}\"].ColumnType = new VectorDataViewType(NumberDataViewType.{item.RawType.Name}, n); ml.Data.LoadFromEnumerable(rows, schema). "
        + "Rows of different lengths are for Trainers.Recurrent.";

    private static string Convert(string name, DataKind kind) => $" Add ml.Transforms.Conversion.ConvertType(\"{name}\", outputKind: DataKind.{kind}) before it.";
}
