using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>Draws answers to a batch of sources, token by token.</summary>
/// <param name="batch">The sources, each of them once for each answer; for this alone.</param>
/// <param name="options">How to draw; checked.</param>
/// <param name="limits">What may be written.</param>
/// <param name="seeds">The seed of each answer.</param>
internal sealed class AnswerSampler(DecodingBatch batch, DecodingOptions options, AnswerLimits limits, IReadOnlyList<int> seeds)
{
    private readonly TokenSampler[] _samplers = [.. seeds.Select(seed => new TokenSampler(options.ToGeneration(), seed))];

    /// <summary>Returns the answers.</summary>
    public Hypothesis[] Run()
    {
        var answers = Enumerable.Repeat(Hypothesis.Begin(0), batch.Rows).ToArray();
        var going = Enumerable.Range(0, answers.Length).ToArray();
        int[] last = [];
        for (var step = 1; going.Length > 0; step++)
        {
            batch.Read(last, logProbabilities =>
            {
                limits.Forbid(logProbabilities, Array.ConvertAll(going, i => answers[i]), step);
                var values = TensorMemory.Floats(logProbabilities.contiguous());
                for (var i = 0; i < going.Length; i++)
                    answers[going[i]] = Extend(answers[going[i]], values.Slice(i * batch.Choices, batch.Choices), _samplers[going[i]]);
            });
            var left = Enumerable.Range(0, going.Length).Where(i => !answers[going[i]].IsComplete).ToArray();
            if (left.Length == 0)
                break;
            batch.Keep(left, left);
            going = Array.ConvertAll(left, i => going[i]);
            last = Array.ConvertAll(going, i => answers[i].Tokens[^1]);
        }
        return answers;
    }

    private Hypothesis Extend(Hypothesis answer, Span<float> logProbabilities, TokenSampler sampler)
    {
        var place = sampler.Next(logProbabilities, []);
        var longer = answer.Append(place, answer.LogProbability + logProbabilities[place]);
        return place == limits.End ? longer.End(options.LengthPenalty, coverage: 0) : longer;
    }
}
