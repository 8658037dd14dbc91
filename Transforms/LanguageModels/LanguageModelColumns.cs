using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.LanguageModels;

/// <summary>The columns that a language model adds.</summary>
internal static class LanguageModelColumns
{
    public const string LogProbability = nameof(LogProbability);
    public const string Tokens = nameof(Tokens);
    public const string Perplexity = nameof(Perplexity);

    public static SchemaShape AddTo(SchemaShape schema)
    {
        var columns = schema.ToDictionary(column => column.Name);
        Add(LogProbability, NumberDataViewType.Single);
        Add(Tokens, NumberDataViewType.Int32);
        Add(Perplexity, NumberDataViewType.Single);
        return new SchemaShape(columns.Values);

        void Add(string name, DataViewType type) =>
            columns[name] = new SchemaShape.Column(name, SchemaShape.Column.VectorKind.Scalar, type, isKey: false);
    }
}
