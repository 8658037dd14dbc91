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
            var left = new List<int>();
            batch.Read(last, logProbabilities =>
            {
                limits.Forbid(logProbabilities, Array.ConvertAll(going, i => answers[i]), step);
                var values = TensorMemory.Floats(logProbabilities.contiguous());
                for (var i = 0; i < going.Length; i++)
                {
                    if (TryExtend(ref answers[going[i]], values.Slice(i * batch.Choices, batch.Choices), _samplers[going[i]]))
                        left.Add(i);
                }
            });
            if (left.Count == 0)
                break;
            batch.Keep(left, left.ToArray());
            going = [.. left.Select(i => going[i])];
            last = Array.ConvertAll(going, i => answers[i].Tokens[^1]);
        }
        return answers;
    }

    /// <summary>Draws the next token; returns whether others may follow.</summary>
    private bool TryExtend(ref Hypothesis answer, Span<float> logProbabilities, TokenSampler sampler)
    {
        if (!AnswerLimits.AllowsAny(logProbabilities))
        {
            answer = answer.Cut(options.LengthPenalty, coverage: 0);
            return false;
        }
        var place = sampler.Next(logProbabilities, []);
        answer = answer.Append(place, answer.LogProbability + logProbabilities[place]);
        if (place != limits.End)
            return true;
        answer = answer.End(options.LengthPenalty, coverage: 0);
        return false;
    }
}
