using System.Numerics;
using System.Runtime.InteropServices;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>
/// Searches for the most likely answers to a batch of sources, all of their beams at once. A beam of width 1 always takes the most likely token.
/// </summary>
/// <param name="batch">The sources; for this search alone.</param>
/// <param name="options">How to search; checked.</param>
/// <param name="limits">What may be written.</param>
internal sealed class BeamSearch(DecodingBatch batch, DecodingOptions options, AnswerLimits limits)
{
    private readonly int _width = options.BeamWidth;

    /// <summary>Returns the answers of each source, best first.</summary>
    public IReadOnlyList<Hypothesis>[] Run()
    {
        var rows = Enumerable.Range(0, batch.Rows).Select(_ => new Row(_width)).ToArray();
        var going = rows.ToList();
        int[] last = [];
        for (var step = 1; going.Count > 0; step++)
        {
            var candidates = Array.Empty<Candidate[]>();
            batch.Read(last, logProbabilities => candidates = Choose(logProbabilities, going, step));
            var penalties = options.CoveragePenalty > 0 ? batch.CoveragePenalties() : null;
            var parents = new List<int>();
            var tokens = new List<int>();
            var left = new List<int>();
            for (var i = 0; i < going.Count; i++)
            {
                var first = i * _width;
                going[i].Extend(candidates[i], beam => penalties == null ? 0 : options.CoveragePenalty * penalties[first + beam], limits, options);
                if (going[i].IsDone)
                    continue;
                left.Add(i);
                parents.AddRange(going[i].Beams.Select(beam => first + beam.Parent));
                tokens.AddRange(going[i].Beams.Select(beam => beam.Token));
            }
            if (left.Count == 0)
                break;
            batch.Keep(left, parents.ToArray());
            going = left.ConvertAll(i => going[i]);
            last = [.. tokens];
        }
        return Array.ConvertAll(rows, row => row.Best(options.NumberOfAnswers));
    }

    /// <summary>Returns the best continuations of each row, twice as many as there are beams: half of them may be ends.</summary>
    private Candidate[][] Choose(Tensor logProbabilities, List<Row> rows, int step)
    {
        limits.Forbid(logProbabilities, rows.SelectMany(row => row.Beams).Select(beam => beam.Hypothesis).ToList(), step);
        var values = TensorMemory.Floats(logProbabilities.contiguous());
        var size = _width * batch.Choices;
        var candidates = new Candidate[rows.Count][];
        for (var row = 0; row < rows.Count; row++)
            candidates[row] = Best(values.Slice(row * size, size), rows[row].Beams);
        return candidates;
    }

    /// <summary>The best continuations of a row, best first. Most tokens are far from them, so whole vectors are skipped.</summary>
    private Candidate[] Best(ReadOnlySpan<float> values, IReadOnlyList<Beam> beams)
    {
        var best = new List<Candidate>(2 * _width);
        for (var beam = 0; beam < _width; beam++)
        {
            var before = (float)beams[beam].Hypothesis.LogProbability;
            if (float.IsNegativeInfinity(before))
                continue;
            var next = values.Slice(beam * batch.Choices, batch.Choices);
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(next);
            for (var vector = 0; vector < vectors.Length; vector++)
            {
                if (best.Count == 2 * _width && !Vector.GreaterThanAny(vectors[vector], new Vector<float>(best[^1].LogProbability - before)))
                    continue;
                for (var token = vector * Vector<float>.Count; token < (vector + 1) * Vector<float>.Count; token++)
                    Insert(best, new Candidate(beam, token, before + next[token]));
            }
            for (var token = vectors.Length * Vector<float>.Count; token < next.Length; token++)
                Insert(best, new Candidate(beam, token, before + next[token]));
        }
        return [.. best];
    }

    /// <summary>Inserts what is better than the last one; of equal ones the first stays first.</summary>
    private void Insert(List<Candidate> best, Candidate candidate)
    {
        if (!(candidate.LogProbability > float.NegativeInfinity) || (best.Count == 2 * _width && !(candidate.LogProbability > best[^1].LogProbability)))
            return;
        if (best.Count == 2 * _width)
            best.RemoveAt(best.Count - 1);
        var (first, last) = (0, best.Count);
        while (first < last)
        {
            var middle = (first + last) / 2;
            if (best[middle].LogProbability >= candidate.LogProbability)
                first = middle + 1;
            else
                last = middle;
        }
        best.Insert(first, candidate);
    }

    private readonly record struct Candidate(int Beam, int Token, float LogProbability);

    private readonly record struct Beam(Hypothesis Hypothesis, int Parent, int Token);

    /// <summary>The search for the answers to one source.</summary>
    private sealed class Row(int width)
    {
        // In the first step all beams are equal: only one of them counts.
        private Beam[] _beams = [.. Enumerable.Range(0, width).Select(i => new Beam(Hypothesis.Begin(i == 0 ? 0 : double.NegativeInfinity), 0, 0))];
        private readonly List<Hypothesis> _ended = [];

        public IReadOnlyList<Beam> Beams => _beams;

        public bool IsDone { get; private set; }

        public void Extend(Candidate[] candidates, Func<int, double> coverage, AnswerLimits limits, DecodingOptions options)
        {
            var next = new List<Beam>(width);
            for (var i = 0; i < candidates.Length && next.Count < width; i++)
            {
                var candidate = candidates[i];
                var longer = _beams[candidate.Beam].Hypothesis.Append(candidate.Token, candidate.LogProbability);
                if (candidate.Token != limits.End)
                    next.Add(new Beam(longer, candidate.Beam, candidate.Token));
                else if (i < width) // those beyond are worse than what could go on
                    _ended.Add(longer.End(options.LengthPenalty, coverage(candidate.Beam)));
            }
            if (next.Count == 0 && _ended.Count == 0)
                _ended.Add(_beams[0].Hypothesis.Cut(options.LengthPenalty, coverage(0))); // nothing may follow, not even its end
            IsDone = next.Count == 0 || _ended.Count >= width || (_ended.Count >= options.NumberOfAnswers && !CanImprove(next[0].Hypothesis, limits, options));
            if (IsDone)
                return;
            while (next.Count < width)
                next.Add(new Beam(Hypothesis.Begin(double.NegativeInfinity), 0, 0));
            _beams = [.. next];
        }

        public IReadOnlyList<Hypothesis> Best(int count) => [.. Hypothesis.BestFirst(_ended).Take(count)];

        /// <summary>Whether the best beginning could still become one of the answers; more tokens never raise its log probability.</summary>
        private bool CanImprove(Hypothesis best, AnswerLimits limits, DecodingOptions options)
        {
            var bound = best.LogProbability / Hypothesis.Divisor(limits.Maximum + 1.0, options.LengthPenalty);
            return bound > _ended.OrderByDescending(hypothesis => hypothesis.Score).Take(options.NumberOfAnswers).Last().Score;
        }
    }
}

/// <summary>An answer in the making.</summary>
/// <param name="Tokens">Its tokens, without the end.</param>
/// <param name="LogProbability">The natural logarithm of its probability, that of its end included.</param>
/// <param name="Score">What it is compared by, when it is complete.</param>
/// <param name="IsComplete">Whether it has ended.</param>
internal sealed record Hypothesis(IReadOnlyList<int> Tokens, double LogProbability, double Score, bool IsComplete)
{
    /// <summary>Answers in the order of their scores; those that could not end come last.</summary>
    public static IEnumerable<Hypothesis> BestFirst(IEnumerable<Hypothesis> answers) => answers.OrderBy(answer => !answer.IsComplete).ThenByDescending(answer => answer.Score);

    public static Hypothesis Begin(double logProbability) => new([], logProbability, 0, IsComplete: false);

    /// <summary>The divisor of log probabilities of a length, the end included.</summary>
    public static double Divisor(double tokens, double penalty) => Math.Pow((5 + tokens) / 6, penalty);

    public Hypothesis Append(int token, double logProbability) => this with { Tokens = [.. Tokens, token], LogProbability = logProbability };

    /// <summary>Scores a hypothesis whose last token is its end, which is taken off.</summary>
    public Hypothesis End(double penalty, double coverage) => this with
    {
        Tokens = [.. Tokens.Take(Tokens.Count - 1)],
        Score = (LogProbability / Divisor(Tokens.Count, penalty)) + coverage,
        IsComplete = true,
    };

    /// <summary>Scores a hypothesis that is too long to end.</summary>
    public Hypothesis Cut(double penalty, double coverage) => this with { Score = (LogProbability / Divisor(Tokens.Count, penalty)) + coverage };
}

/// <summary>What may be written.</summary>
/// <param name="End">The token that ends an answer.</param>
/// <param name="Unknown">The token for unknown words if it may not be written, else null.</param>
/// <param name="Minimum">The least number of tokens.</param>
/// <param name="Maximum">The greatest number of tokens.</param>
/// <param name="NoRepeatLength">No sequence of that many tokens occurs twice; null for no such rule.</param>
internal sealed record AnswerLimits(int End, int? Unknown, int Minimum, int Maximum, int? NoRepeatLength)
{
    public static AnswerLimits Of(SequenceToSequenceArchitecture architecture, DecodingOptions options) => new(
        architecture.OutputTokenizer.EndOfSequenceId,
        options.AllowUnknown ? null : architecture.OutputTokenizer.UnknownId,
        options.MinimumTokens,
        options.MaximumTokens ?? architecture.MaximumTargetTokens,
        options.NoRepeatLength);

    /// <summary>Makes impossible what may not be written next.</summary>
    /// <param name="logProbabilities"><c>[answers, choices]</c>.</param>
    /// <param name="answers">The answers so far.</param>
    /// <param name="step">The number of the next token, from 1.</param>
    public void Forbid(Tensor logProbabilities, IReadOnlyList<Hypothesis> answers, int step)
    {
        var never = Number.Of(float.NegativeInfinity);
        if (step <= Minimum)
            logProbabilities.narrow(1, End, 1).fill_(never);
        if (Unknown is { } unknown)
            logProbabilities.narrow(1, unknown, 1).fill_(never);
        if (step > Maximum)
        {
            var end = logProbabilities.narrow(1, End, 1).clone();
            logProbabilities.fill_(never).narrow(1, End, 1).copy_(end);
        }
        if (NoRepeatLength is not { } length || step < length)
            return;
        var places = new List<long>();
        for (var answer = 0; answer < answers.Count; answer++)
            places.AddRange(Repetitions(answers[answer].Tokens, length).Select(token => (answer * logProbabilities.shape[1]) + token));
        if (places.Count > 0)
            logProbabilities.view(-1).index_fill_(0, tensor(places.ToArray(), ScalarType.Int64, CPU), never);
    }

    /// <summary>Whether anything may be written next; an answer that nothing may follow, not even its end, is cut.</summary>
    public static bool AllowsAny(ReadOnlySpan<float> logProbabilities) => !float.IsNegativeInfinity(System.Numerics.Tensors.TensorPrimitives.Max(logProbabilities));

    /// <summary>The tokens that would repeat a sequence.</summary>
    public static IEnumerable<int> Repetitions(IReadOnlyList<int> tokens, int length)
    {
        var last = tokens.Count - (length - 1);
        for (var at = 0; at < last; at++)
        {
            var isSame = true;
            for (var i = 0; i < length - 1 && isSame; i++)
                isSame = tokens[at + i] == tokens[last + i];
            if (isSame && at + length - 1 < tokens.Count)
                yield return tokens[at + length - 1];
        }
    }
}
