using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Models;

namespace MLExtensions;

/// <summary>A trained language model.</summary>
public sealed class LanguageModelTransformer : ITransformer, INetworkHolder, IDisposable
{
    internal LanguageModelTransformer(IHostEnvironment env, NetworkModelParameters model, string textColumnName)
    {
        Model = model;
        TextColumnName = textColumnName;
    }

    /// <summary>The network, its tokenizer and its weights. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The column of text.</summary>
    public string TextColumnName { get; }

    public bool IsRowToRowMapper => true;

    internal static SchemaShape OutputShape(SchemaShape input) => input;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotImplementedException();

    public void Save(ModelSaveContext ctx) => throw new NotImplementedException();

    public IDataView Transform(IDataView input) => input;

    public void Dispose() => Model.Dispose();
}
