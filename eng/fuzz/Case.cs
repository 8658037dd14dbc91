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

    public Case(int number, int seed)
    {
        _number = number;
        var random = new Random(unchecked((seed * 1_000_003) + number));
        _family = Family.All[number % Family.All.Length];
        _options = _family.CreateOptions(random);
        _options.Epochs = 1 + random.Next(3);
        _options.ThreadCount = 1;
        _changes = OptionGenerator.Change(_options, random);
        _rows = new[] { 1, 2, 5, 24, 40 }[Math.Min(4, random.Next(8))];
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
                if (scores.FindIndex(value => !float.IsFinite(value)) is >= 0 and var at)
                    return (Verdict.Fault, string.Create(CultureInfo.InvariantCulture, $"output {at} of {scores.Count} is {scores[at]}"));
                using var file = new MemoryStream();
                ml.Model.Save(model, data.Schema, file);
                file.Position = 0;
                var loaded = new MLContext(_number).Model.Load(file, out _);
                var again = Outputs(loaded.Transform(data), data.Schema);
                (loaded as IDisposable)?.Dispose();
                return scores.SequenceEqual(again) ? (Verdict.Trained, "") : (Verdict.Fault, "the loaded model computes other outputs");
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
        catch (Exception e) when (e is ArgumentException or InvalidOperationException && !IsNative(e))
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

    /// <summary>All numbers of the columns that the model adds.</summary>
    private static List<float> Outputs(IDataView scored, DataViewSchema before)
    {
        var values = new List<float>();
        foreach (var column in scored.Schema.Where(column => before.GetColumnOrNull(column.Name) is null))
        {
            if (column.Type is NumberDataViewType { RawType: var type } && type == typeof(float))
                values.AddRange(scored.GetColumn<float>(column));
            else if (column.Type is VectorDataViewType { ItemType.RawType: var item } && item == typeof(float))
                values.AddRange(scored.GetColumn<VBuffer<float>>(column).SelectMany(vector => vector.DenseValues()));
        }
        return values;
    }
}
