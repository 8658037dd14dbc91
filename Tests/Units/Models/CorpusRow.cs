using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Models;

/// <summary>A row that any model of the corpus reads: each takes its own column. What a model needs beside it (labels) may be anything.</summary>
internal sealed class CorpusRow
{
    public float[] Features { get; set; } = [];

    public string Text { get; set; } = "";

    public float Value { get; set; }

    /// <summary>The rows as data. Features that are equally many everywhere are a vector of that size.</summary>
    public static IDataView View(MLContext ml, IReadOnlyList<CorpusRow> rows)
    {
        var size = rows.All(row => row.Features.Length == rows[0].Features.Length) ? rows[0].Features.Length : 0;
        var schema = SchemaDefinition.Create(typeof(CorpusRow));
        schema[nameof(Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, size);
        return ml.Data.LoadFromEnumerable(rows, schema);
    }
}

/// <summary>The file beside a saved model: rows, and what the model said of each of them when it was written.</summary>
internal sealed class CorpusRecord
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public CorpusRow[] Rows { get; set; } = [];

    /// <summary>Columns of numbers, row after row.</summary>
    public Dictionary<string, float[][]> Numbers { get; set; } = [];

    /// <summary>Columns of text.</summary>
    public Dictionary<string, string[]> Texts { get; set; } = [];

    public static CorpusRecord Read(string file) => JsonSerializer.Deserialize<CorpusRecord>(File.ReadAllText(file), Json)!;

    public void Write(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>What a model says of rows: every column of numbers or text that it adds, but for those that stand for the rows.</summary>
    public static CorpusRecord Of(MLContext ml, ITransformer model, CorpusRow[] rows)
    {
        var scored = model.Transform(CorpusRow.View(ml, rows));
        var record = new CorpusRecord { Rows = rows };
        foreach (var column in scored.Schema.Where(column => !column.IsHidden && typeof(CorpusRow).GetProperty(column.Name) == null))
        {
            if (column.Type is NumberDataViewType { RawType: var number } && number == typeof(float))
                record.Numbers[column.Name] = scored.GetColumn<float>(column).Select(value => new[] { value }).ToArray();
            else if (column.Type is VectorDataViewType { ItemType.RawType: var item } && item == typeof(float))
                record.Numbers[column.Name] = scored.GetColumn<float[]>(column).ToArray();
            else if (column.Type is TextDataViewType)
                record.Texts[column.Name] = scored.GetColumn<string>(column).ToArray();
        }
        return record;
    }
}
