using Microsoft.ML;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Generative;

/// <summary>Compares predicted classes with labels, by name.</summary>
internal static class RecognitionEvaluator
{
    /// <summary>A classifier of real rows on generated rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, no class is in both, or no row has a label.</exception>
    public static RecognitionMetrics Evaluate(IDataView generated, ITransformer classifier, string label, string predicted, IDataView? real)
    {
        var counts = Count(classifier.Transform(generated), label, predicted, "generated data");
        return counts.ToMetrics(real == null ? null : Count(classifier.Transform(real), label, predicted, "real data").Accuracy);
    }

    /// <summary>A classifier that is trained on generated rows on real rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, no class is in both, or no row has a label.</exception>
    public static RecognitionMetrics EvaluateTraining(IDataView real, IDataView generated, IEstimator<ITransformer> classifier, string label, string predicted)
    {
        var model = classifier.Fit(generated);
        try
        {
            return Count(model.Transform(real), label, predicted, "real data").ToMetrics(null);
        }
        finally
        {
            (model as IDisposable)?.Dispose();
        }
    }

    private static ClassCounts Count(IDataView scored, string labelName, string predictedName, string data)
    {
        var label = ClassColumn.Find(scored.Schema, labelName, "Label", data + ", transformed by the classifier");
        var predicted = ClassColumn.Find(scored.Schema, predictedName, "Prediction", data + ", transformed by the classifier");
        label.CheckComparable(predicted);
        var counts = new ClassCounts(label, predicted);
        using (var cursor = scored.GetRowCursor([label.Column, predicted.Column]))
        {
            var getLabel = label.Open(cursor);
            var getPredicted = predicted.Open(cursor);
            while (cursor.MoveNext())
                counts.Add(getLabel(), getPredicted());
        }
        counts.Check(data);
        return counts;
    }

    /// <summary>Counts of labels, predictions and hits by class.</summary>
    private sealed class ClassCounts
    {
        private readonly ClassColumn _label;
        private readonly ClassColumn _predicted;
        private readonly List<string> _order;
        private readonly Dictionary<string, (long Labels, long Predictions, long Hits)> _counts = new(StringComparer.Ordinal);
        private long _rows;
        private long _skipped;

        public ClassCounts(ClassColumn label, ClassColumn predicted)
        {
            (_label, _predicted) = (label, predicted);
            _order = [.. label.Names ?? []];
        }

        public double Accuracy => (double)_counts.Values.Sum(count => count.Hits) / _rows;

        public void Add(string? label, string? predicted)
        {
            if (label == null)
            {
                _skipped++;
                return;
            }
            _rows++;
            Change(label, (1, 0, label == predicted ? 1 : 0));
            if (predicted != null)
                Change(predicted, (0, 1, 0));
        }

        /// <exception cref="ArgumentException">There is nothing to compare.</exception>
        public void Check(string data)
        {
            if (_rows == 0)
                throw new ArgumentException($"The {data} has no row with a label in column '{_label.Name}'.");
            var labels = Named(_label.Names, count => count.Labels);
            var predictions = Named(_predicted.Names, count => count.Predictions);
            if (!labels.Intersect(predictions).Any())
                throw new ArgumentException($"No class is in both columns: '{_label.Name}' of the {data} has {NameList.Of(labels)}; '{_predicted.Name}' of the classifier has {NameList.Of(predictions)}. Classes are met by their names.");
        }

        public RecognitionMetrics ToMetrics(double? realAccuracy) => new()
        {
            Accuracy = Accuracy,
            RealAccuracy = realAccuracy,
            Classes = _order.Concat(_counts.Keys.Except(_order).Order(StringComparer.Ordinal)).Distinct()
                .Select(name => (Name: name, Count: _counts.GetValueOrDefault(name)))
                .Select(each => new ClassRecognition(each.Name, each.Count.Labels, each.Count.Predictions, each.Count.Hits)).ToArray(),
            PredictedEntropy = Entropy(_counts.Values.Select(count => count.Predictions)),
            LabelEntropy = Entropy(_counts.Values.Select(count => count.Labels)),
            NumberOfPredictedClasses = _counts.Values.Count(count => count.Predictions > 0),
            NumberOfRows = _rows,
            RowsWithoutLabel = _skipped,
        };

        private void Change(string name, (long Labels, long Predictions, long Hits) by)
        {
            var count = _counts.GetValueOrDefault(name);
            _counts[name] = (count.Labels + by.Labels, count.Predictions + by.Predictions, count.Hits + by.Hits);
        }

        private string[] Named(IReadOnlyList<string>? names, Func<(long Labels, long Predictions, long Hits), long> count) =>
            names?.ToArray() ?? _counts.Where(entry => count(entry.Value) > 0).Select(entry => entry.Key).Order(StringComparer.Ordinal).ToArray();

        /// <summary>In nats.</summary>
        private static double Entropy(IEnumerable<long> counts)
        {
            var positive = counts.Where(count => count > 0).ToArray();
            double sum = positive.Sum();
            return positive.Sum(count => -count / sum * Math.Log(count / sum));
        }
    }
}
