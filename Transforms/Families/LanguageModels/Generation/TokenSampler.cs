using MLExtensions.Families.LanguageModels;

namespace MLExtensions;

/// <summary>Draws the next token, as described in <see cref="GenerationOptions"/>.</summary>
internal sealed class TokenSampler(GenerationOptions options, int seed)
{
    private SplitMix64 _random = new(unchecked((uint)seed));
    private Candidate[] _candidates = [];
    private float[] _ranking = [];
    private int[] _penalizedAt = [];
    private int _draw;

    /// <param name="logits">The outputs of the network, one per token; changed here.</param>
    /// <param name="recent">The tokens so far, the latest one last.</param>
    /// <returns>The drawn token.</returns>
    /// <exception cref="InvalidOperationException">A logit is NaN or infinite.</exception>
    public int Next(Span<float> logits, ReadOnlySpan<int> recent)
    {
        Reserve(logits.Length);
        Penalize(logits, recent);
        var best = Best(logits);
        if (options.Temperature == 0)
            return best;
        var count = options.TopK < logits.Length
            ? TakeTop(logits, options.TopK.Value)
            : TakeAll(logits);
        var candidates = _candidates.AsSpan(0, count);
        var sum = Exponentiate(candidates, logits[best]);
        if (options.TopP is { } share and < 1)
            (count, sum) = TakeNucleus(candidates, sum, share * sum);
        return Draw(candidates[..count], sum);
    }

    private void Reserve(int count)
    {
        if (_candidates.Length >= count)
            return;
        _candidates = new Candidate[count];
        _ranking = new float[count];
        _penalizedAt = new int[count];
    }

    private void Penalize(Span<float> logits, ReadOnlySpan<int> recent)
    {
        if (options.RepetitionPenalty == 1)
            return;
        _draw++;
        var penalty = (float)options.RepetitionPenalty;
        foreach (var id in recent[Math.Max(0, recent.Length - options.RepetitionWindow)..])
        {
            if (_penalizedAt[id] == _draw) // only once, however often it occurs
                continue;
            _penalizedAt[id] = _draw;
            logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
        }
    }

    /// <summary>Returns the token with the largest logit, the first one of several.</summary>
    private static int Best(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 0; i < logits.Length; i++)
        {
            if (!float.IsFinite(logits[i]) && !float.IsNegativeInfinity(logits[i]))
                throw new InvalidOperationException(FormattableString.Invariant($"The network's output for token {i} is {logits[i]}; no token can be drawn."));
            if (logits[i] > logits[best])
                best = i;
        }
        if (float.IsNegativeInfinity(logits[best]))
            throw new InvalidOperationException("The network's output is negative infinity for every token; no token can be drawn.");
        return best;
    }

    private int TakeAll(ReadOnlySpan<float> logits)
    {
        for (var i = 0; i < logits.Length; i++)
            _candidates[i] = new Candidate(i, logits[i]);
        return logits.Length;
    }

    /// <summary>Keeps exactly that many tokens; of equal ones the first.</summary>
    private int TakeTop(ReadOnlySpan<float> logits, int count)
    {
        var ranking = _ranking.AsSpan(0, logits.Length);
        logits.CopyTo(ranking);
        var least = QuickSelect.Greatest(ranking, count);
        var equalPlaces = count;
        foreach (var logit in logits)
        {
            if (logit > least)
                equalPlaces--;
        }
        var taken = 0;
        for (var i = 0; i < logits.Length; i++)
        {
            if (logits[i] > least || (logits[i] == least && equalPlaces-- > 0))
                _candidates[taken++] = new Candidate(i, logits[i]);
        }
        return taken;
    }

    /// <summary>Turns logits into unnormalized probabilities and returns their sum.</summary>
    private double Exponentiate(Span<Candidate> candidates, double greatest)
    {
        var sum = 0.0;
        foreach (ref var candidate in candidates)
        {
            candidate = candidate with { Weight = Math.Exp((candidate.Weight - greatest) / options.Temperature) };
            sum += candidate.Weight;
        }
        return sum;
    }

    /// <summary>
    /// Moves the smallest set of candidates with the largest weights that reach a sum to the front, and returns their number and sum.
    /// </summary>
    private static (int Count, double Sum) TakeNucleus(Span<Candidate> candidates, double sum, double enough)
    {
        // All candidates below this weight cannot reach the rest together, so only the others need sorting.
        var least = (sum - enough) / candidates.Length;
        var heavy = 0;
        foreach (var candidate in candidates)
        {
            if (candidate.Weight >= least)
                candidates[heavy++] = candidate;
        }
        var sorted = candidates[..heavy];
        sorted.Sort();
        var taken = 0;
        var takenSum = 0.0;
        while (taken < heavy && takenSum < enough)
            takenSum += sorted[taken++].Weight;
        return (taken, takenSum);
    }

    private int Draw(ReadOnlySpan<Candidate> candidates, double sum)
    {
        var rest = _random.NextDouble() * sum;
        foreach (var candidate in candidates)
        {
            rest -= candidate.Weight;
            if (rest < 0)
                return candidate.Id;
        }
        return Heaviest(candidates); // because of rounding
    }

    private static int Heaviest(ReadOnlySpan<Candidate> candidates)
    {
        var heaviest = candidates[0];
        foreach (var candidate in candidates)
        {
            if (candidate.Weight > heaviest.Weight)
                heaviest = candidate;
        }
        return heaviest.Id;
    }

    /// <summary>Sorts by descending weight, then by token.</summary>
    private readonly record struct Candidate(int Id, double Weight) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other)
        {
            var order = other.Weight.CompareTo(Weight);
            return order != 0 ? order : Id.CompareTo(other.Id);
        }
    }
}

/// <summary>Finds a value by its rank without sorting everything (Hoare, 1961).</summary>
internal static class QuickSelect
{
    /// <summary>
    /// Returns the <paramref name="rank"/>-th largest value, counted from 1. The values, none of them NaN, are reordered.
    /// </summary>
    public static float Greatest(Span<float> values, int rank)
    {
        var first = 0;
        var last = values.Length - 1;
        var target = rank - 1;
        while (first < last)
        {
            var (beforeEqual, afterEqual) = Partition(values, first, last);
            if (target <= beforeEqual)
                last = beforeEqual;
            else if (target >= afterEqual)
                first = afterEqual;
            else
                break;
        }
        return values[target];
    }

    /// <summary>
    /// Moves larger values to the front and smaller ones to the end; the values between the two positions equal the pivot.
    /// </summary>
    private static (int BeforeEqual, int AfterEqual) Partition(Span<float> values, int first, int last)
    {
        var pivot = values[first + ((last - first) / 2)];
        while (first <= last)
        {
            while (values[first] > pivot)
                first++;
            while (values[last] < pivot)
                last--;
            if (first > last)
                break;
            (values[first], values[last]) = (values[last], values[first]);
            first++;
            last--;
        }
        return (last, first);
    }
}
