using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Fuzz;

/// <summary>What became of a case.</summary>
internal enum Verdict
{
    /// <summary>It trained, its outputs are finite, and it was saved and loaded to the same ones.</summary>
    Trained,

    /// <summary>The options do not go together: the message names one of them.</summary>
    Refused,

    /// <summary>The training stopped because its numbers exploded, as it should.</summary>
    Diverged,

    /// <summary>A fault.</summary>
    Fault,
}

/// <summary>One random set of options of one family, trained on tiny data.</summary>
internal sealed class Case
{
    private readonly Family _family;
    private readonly TrainingOptions _options;
    private readonly string _changes;
    private readonly int _rows;
    private readonly int _number;

    /// <param name="number">The number of the case.</param>
    /// <param name="seed">The seed of all cases.</param>
    /// <param name="family">The place of its family; negative for one after the other.</param>
    public Case(int number, int seed, int family)
    {
        _number = number;
        var random = new Random(unchecked((seed * 1_000_003) + number));
        _family = Family.All[(family < 0 ? number : family) % Family.All.Length];
        _options = _family.CreateOptions(random);
        _options.Epochs = 1 + random.Next(3);
        _options.ThreadCount = 1;
        _changes = OptionGenerator.Change(_options, random);
        if (_options is DataTrainingOptions { EarlyStopping: not null, ValidationFraction: 0 } data)
            data.ValidationFraction = 0.3;
        if (_options is GanOptions gan)
        {
            // What a game or a vector never has would be refused in most cases.
            gan.EarlyStopping = null;
            (gan.OutputImages, gan.Augmentation) = gan.ImageShape == null ? (false, DifferentiableAugmentation.None) : (gan.OutputImages, gan.Augmentation);
        }
        _rows = new[] { 1, 2, 5, 24, 40 }[Math.Min(4, random.Next(20))];
    }

    public override string ToString() => $"{_number} {_family.Name}, {_rows} rows, {_options.Epochs} epochs: {_changes}";

    public (Verdict Verdict, string Message) Run()
    {
        var ml = new MLContext(_number);
        try
        {
            var data = Row.Create(ml, new Random(_number), _rows);
            var model = _family.CreateEstimator(ml, _options).Fit(data);
            try
            {
                var scores = Outputs(model.Transform(data), data.Schema);
                if (scores.FirstOrDefault(column => FirstWrong(column.Name, column.Values) >= 0) is { Name: { } name, Values: { } values })
                    return (Verdict.Fault, $"{name} is [{string.Join(", ", values.Take(100).Select(value => value.ToString("G3", CultureInfo.InvariantCulture)))}]");
                using var file = new MemoryStream();
                ml.Model.Save(model, data.Schema, file);
                file.Position = 0;
                var loaded = new MLContext(_number).Model.Load(file, out _);
                var again = Outputs(loaded.Transform(data), data.Schema);
                (loaded as IDisposable)?.Dispose();
                return scores.SelectMany(column => column.Values).SequenceEqual(again.SelectMany(column => column.Values)) ? (Verdict.Trained, "") : (Verdict.Fault, "the loaded model computes other outputs");
            }
            finally
            {
                (model as IDisposable)?.Dispose();
            }
        }
        catch (TrainingDivergedException e)
        {
            return (Verdict.Diverged, e.Message);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException && !IsNative(e))
        {
            return (Verdict.Refused, e.Message);
        }
#pragma warning disable CA1031 // whatever else comes is what is looked for
        catch (Exception e)
        {
            return (Verdict.Fault, $"{e.GetType().Name}: {e.Message.Split('\n')[0]} {e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("MLExtensions", StringComparison.Ordinal))?.Trim()}");
        }
#pragma warning restore CA1031
    }

    private static bool IsNative(Exception e) => e is ExternalException or NullReferenceException or IndexOutOfRangeException
        || e.Message.Contains("Exception raised from", StringComparison.Ordinal) || e.Message.Contains(".cpp", StringComparison.Ordinal)
        || (e.InnerException is { } inner && IsNative(inner));

    /// <summary>The first of the values that should be finite and is not; -1 if there is none.</summary>
    private static int FirstWrong(string column, List<float> values)
    {
        // The perplexity of a text may be larger than any number of its type, and the first rows of a series have no forecast.
        var first = column == "Forecast" ? Math.Max(0, values.FindIndex(float.IsFinite)) : 0;
        return values.FindIndex(first, value => !float.IsFinite(value) && !(column == "Perplexity" && float.IsPositiveInfinity(value)));
    }

    /// <summary>All numbers of the columns that the model adds.</summary>
    private static List<(string Name, List<float> Values)> Outputs(IDataView scored, DataViewSchema before)
    {
        var columns = new List<(string, List<float>)>();
        foreach (var column in scored.Schema.Where(column => before.GetColumnOrNull(column.Name) is null))
        {
            if (column.Type is NumberDataViewType { RawType: var type } && type == typeof(float))
                columns.Add((column.Name, [.. scored.GetColumn<float>(column)]));
            else if (column.Type is VectorDataViewType { ItemType.RawType: var item } && item == typeof(float))
                columns.Add((column.Name, [.. scored.GetColumn<VBuffer<float>>(column).SelectMany(vector => vector.DenseValues())]));
        }
        return columns;
    }
}
