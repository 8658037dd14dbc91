using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tensors;

namespace MLExtensions.Onnx;

/// <summary>The columns of data in a graph, <c>[rows, values]</c>.</summary>
/// <param name="context">The graph.</param>
/// <param name="schema">The columns of the data.</param>
/// <param name="step">The step that reads them, for messages.</param>
internal sealed class OnnxColumns(OnnxContext context, DataViewSchema schema, string step)
{
    public DataViewSchema Schema => schema;

    /// <summary>The number of values of a column of numbers, as floats.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="column">The column.</param>
    /// <param name="width">The number of values of a row.</param>
    /// <exception cref="NotSupportedException">The column is not in the graph, or has images.</exception>
    public string Floats(GraphWriter graph, DataViewSchema.Column column, int width)
    {
        var x = Variable(column);
        // A column whose type has dimensions, such as 28 x 28, has them in the graph, too.
        return context.RetrieveShapeOrNull(x) is { Count: 2 } ? x : graph.Reshape(x, -1, width);
    }

    /// <summary>The places of the keys of a column among others, from 0.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="column">The column of keys.</param>
    /// <param name="known">The names of the keys among which they are found; null if they have none.</param>
    /// <param name="count">The number of those keys.</param>
    /// <exception cref="NotSupportedException">The column is not in the graph.</exception>
    public string Places(GraphWriter graph, DataViewSchema.Column column, IReadOnlyList<string>? known, int count)
    {
        var keys = graph.Cast(Variable(column), typeof(long));
        return graph.Find(PlacesOf(column, known, count), graph.Add(keys, graph.Constant(-1L)), $"key of column '{column.Name}'");
    }

    /// <summary>The variable of a column.</summary>
    /// <exception cref="NotSupportedException">The column is not in the graph, or has images.</exception>
    public string Variable(DataViewSchema.Column column)
    {
        if (column.Type is ImageDataViewType)
            throw NotExportable(Images(column.Name));
        if (!context.ContainsColumn(column.Name))
            throw NotExportable($"its column '{column.Name}' comes from a step that cannot be exported. Convert the steps after that one, on data that has the column");
        return context.GetVariableName(column.Name);
    }

    /// <summary>Adds a column, or puts it in the place of one of the same name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="type">The type.</param>
    /// <returns>The variable that takes its values.</returns>
    /// <exception cref="NotSupportedException">ONNX has no values of the type.</exception>
    public string Add(string name, DataViewType type) => type is ImageDataViewType or TextDataViewType
        ? throw NotExportable($"the column '{name}' that it adds holds {(type is ImageDataViewType ? "images" : "text")}, which it cannot make in ONNX")
        : context.AddIntermediateVariable(type, name);

    /// <summary>Refuses data with images as the beginning of a graph.</summary>
    /// <param name="root">The columns of the data.</param>
    /// <param name="step">The step that is to be exported, for the message.</param>
    /// <exception cref="NotSupportedException">A column has images.</exception>
    public static void CheckRoot(DataViewSchema root, string step)
    {
        foreach (var column in root)
        {
            if (!column.IsHidden && column.Type is ImageDataViewType)
                throw Refusal(step, Images(column.Name));
        }
    }

    /// <summary>The place of each key of a column among others; -1 if it is not there.</summary>
    public static IReadOnlyList<long> PlacesOf(DataViewSchema.Column column, IReadOnlyList<string>? known, int count) =>
        known != null && KeyNames.Of(column) is { } names
            ? Array.ConvertAll(KeyMap.Places(names, known), place => (long)place)
            : Enumerable.Range(0, count).Select(place => (long)place).ToArray();

    /// <summary>Says that the step cannot be part of a graph.</summary>
    /// <param name="why">The reason, and what can be done.</param>
    public NotSupportedException NotExportable(string why) => Refusal(step, why);

    private static string Images(string column) =>
        $"column '{column}' holds images, which ONNX does not have. Convert the network alone, on new data (not on what other steps made of images: the converter goes back to those) whose column of this name is a Vector<Single> of the pixels, channel after channel, as ExtractPixels makes it";

    /// <summary>Says that a step cannot be part of a graph.</summary>
    public static NotSupportedException Refusal(string step, string why) => new(
        $"The step {step} cannot be exported to ONNX, and neither can a chain that contains it: {why}. A .zip has all steps: ml.Model.Save(model, schema, path).");
}
