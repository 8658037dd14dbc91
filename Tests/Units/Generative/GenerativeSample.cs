using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Generative;

/// <summary>Rows for the evaluation of generative models.</summary>
internal sealed class GenerativeSample
{
    public VBuffer<float> Features { get; set; }

    public string Label { get; set; } = "";

    public static IDataView View(MLContext ml, float[][] rows, string[]? labels = null)
    {
        var schema = SchemaDefinition.Create(typeof(GenerativeSample));
        schema[nameof(Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows.Length == 0 ? 2 : rows[0].Length);
        return ml.Data.LoadFromEnumerable(rows.Select((row, i) => new GenerativeSample { Features = new VBuffer<float>(row.Length, row), Label = labels?[i] ?? "" }).ToArray(), schema);
    }

    /// <summary>The digits of 8 x 8 pixels from 0 to 16, in random order: the file is ordered by writers.</summary>
    public static (float[] Pixels, string Label)[] Digits()
    {
        var digits = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "digits.csv")).Skip(1)
            .Select(line => line.Split(',').Select(value => float.Parse(value, CultureInfo.InvariantCulture)).ToArray())
            .Select(values => (values[1..], values[0].ToString(CultureInfo.InvariantCulture))).ToArray();
        new Random(1).Shuffle(digits);
        return digits;
    }
}
