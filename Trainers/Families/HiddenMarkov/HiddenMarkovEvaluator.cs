using Microsoft.ML;
using MLExtensions.Tensors;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>Measures how well a model explains sequences.</summary>
internal static class HiddenMarkovEvaluator
{
    public static HiddenMarkovMetrics Evaluate(HiddenMarkovTransformer model, IDataView data, string? labelColumnName)
    {
        using var reader = model.Open(data, labelColumnName);
        var (sequence, scorer) = (new ObservedSequence(model.Content.Format.Width), new MarkovScorer(model.Parameters, labelColumnName == null ? ScoreParts.None : ScoreParts.Path | ScoreParts.Smoothed));
        var (sum, known, impossible, labeled, onPath, mostProbable) = (0.0, 0L, 0L, 0L, 0L, 0L);
        while (reader.Read(sequence))
        {
            known += sequence.Length - sequence.NumberOfMissing;
            // The states are what is to be found.
            var states = Enumerable.Range(0, labelColumnName == null ? 0 : sequence.Length).Select(sequence.State).ToArray();
            sequence.ForgetStates();
            scorer.Score(sequence);
            sum += scorer.LogLikelihood;
            impossible += scorer.NumberOfImpossible;
            for (var position = 0; position < states.Length; position++)
            {
                if (states[position] < 0)
                    continue;
                labeled++;
                onPath += states[position] == scorer.State(position) ? 1 : 0;
                mostProbable += states[position] == Greatest(scorer.Smoothed(position)) ? 1 : 0;
            }
        }
        var rows = reader.Counts[SequenceReader.Observations];
        if (rows == 0)
            throw new ArgumentException("There are no rows to evaluate.", nameof(data));
        model.Report(reader, impossible);
        return new HiddenMarkovMetrics
        {
            LogLikelihood = sum,
            NumberOfSequences = reader.Counts[DataCounts.Sequences],
            NumberOfObservations = rows,
            NumberOfMissingObservations = rows - known,
            NumberOfImpossibleObservations = impossible,
            PathAccuracy = labeled == 0 ? null : (double)onPath / labeled,
            StateAccuracy = labeled == 0 ? null : (double)mostProbable / labeled,
        };
    }

    private static int Greatest(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
            best = values[i] > values[best] ? i : best;
        return best;
    }
}
