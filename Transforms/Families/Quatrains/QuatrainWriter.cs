using MLExtensions.Families.LanguageModels;

namespace MLExtensions.Families.Quatrains;

/// <summary>A poem that a network wrote.</summary>
/// <param name="Lines">Its lines.</param>
/// <param name="LogProbability">The natural logarithm of the probability of its characters, without the rules.</param>
internal sealed record WrittenQuatrain(IReadOnlyList<int[]> Lines, double LogProbability)
{
    private const string Marks = "，。，。";

    public override string ToString() => string.Concat(Lines.Select((line, i) => QuatrainText.Text(line) + Marks[i]));
}

/// <summary>
/// Writes poems with a beam search that goes on only where the rules can be kept. Each unfinished poem remembers which patterns and rhymes
/// are still possible, so that the pattern that suits the words is found by itself. Thread-safe.
/// </summary>
/// <param name="network">The network.</param>
/// <param name="vocabulary">Its vocabulary.</param>
/// <param name="trainingLines">The hashes of the lines that it learned from.</param>
/// <param name="options">The options.</param>
internal sealed class QuatrainWriter(QuatrainNetwork network, QuatrainVocabulary vocabulary, IReadOnlySet<ulong> trainingLines, QuatrainOptions options)
{
    /// <summary>A rhyme that is chosen freely has at least this number of characters, so that the search does not end before the last line.</summary>
    private const int FewestRhymes = 4;


    /// <exception cref="FormatException">Too few characters rhyme in the group that is asked for; the message says which would do.</exception>
    /// <exception cref="InvalidOperationException">No character is left at some place; the message says which and what would do.</exception>
    public WrittenQuatrain Write(QuatrainRequest request, QuatrainPlace where)
    {
        CheckRhymes(request, where.RhymeGroup);
        var length = request.LineLength;
        var beams = network.CreateBeams(options.BeamWidth, vocabulary);
        beams.Begin(request.About, length);
        var random = new SplitMix64(request.Seed);
        var groups = (request.RhymeGroups & GroupsWith(FewestRhymes)) is var usual && (usual != 0) ? usual : request.RhymeGroups;
        var unfinished = new List<Draft> { new([], (1u << request.Patterns.Length) - 1, groups, 0, 0, 0, -1) };
        var search = new QuatrainSearch(vocabulary, trainingLines, options, request);
        for (var place = 0; place < QuatrainPattern.Lines * length; place++)
        {
            var next = new List<Draft>();
            for (var text = 0; text < unfinished.Count; text++)
                search.Continue(unfinished[text], text, beams.Logits(text), ref random, next);
            if (next.Count == 0)
                throw new InvalidOperationException(FormattableString.Invariant($"{where.Row}: no character is left for line {(place / length) + 1}, place {(place % length) + 1} that keeps the rules{(request.RhymeGroups != uint.MaxValue ? " and rhymes in the group that is asked for" : "")}. What would do: a larger {nameof(options.BeamWidth)}, another rhyme group, or fewer rules."));
            // The order of equal ones is that in which they were found.
            unfinished = [.. next.OrderByDescending(draft => draft.Score).Take(options.BeamWidth)];
            if (place + 1 < QuatrainPattern.Lines * length)
                beams.Advance([.. unfinished.Select(draft => draft.Parent)], [.. unfinished.Select(draft => draft.Token)], (place + 1) % length == 0 ? place / length : null);
        }
        return new WrittenQuatrain([.. unfinished[0].Characters.Chunk(length)], unfinished[0].LogProbability);
    }

    private void CheckRhymes(QuatrainRequest request, string where)
    {
        var needed = options.AllowsRepeatedCharacters ? 1 : 2; // lines 2 and 4
        if (!options.KeepsRhyme || request.RhymeGroups == uint.MaxValue || GroupsWith(needed) is var possible && (possible & request.RhymeGroups) != 0)
            return;
        var count = vocabulary.RhymingCharacters[System.Numerics.BitOperations.TrailingZeroCount(request.RhymeGroups)].Length;
        throw new FormatException(FormattableString.Invariant($"{where}: the rhyme group is '{vocabulary.Table.NamesOf(request.RhymeGroups)}', in which {count} of the characters that the network knows rhyme; a poem needs {needed}. There are enough in: {vocabulary.Table.NamesOf(possible).Replace(" or ", ", ", StringComparison.Ordinal)}."));
    }

    private uint GroupsWith(int rhymes) => vocabulary.RhymingCharacters.Select((characters, group) => characters.Length >= rhymes ? 1u << group : 0).Aggregate(0u, (all, one) => all | one);
}

/// <summary>An unfinished poem.</summary>
/// <param name="Characters">Its characters.</param>
/// <param name="Patterns">The patterns that are still possible, a bit each.</param>
/// <param name="RhymeGroups">The rhyme groups that are still possible, a bit each.</param>
/// <param name="LogProbability">The natural logarithm of its probability.</param>
/// <param name="Score">What it is compared by: that with noise.</param>
/// <param name="Token">Its last token.</param>
/// <param name="Parent">The text that it continues.</param>
internal sealed record Draft(int[] Characters, uint Patterns, uint RhymeGroups, double LogProbability, double Score, int Token, int Parent);

/// <summary>Finds the characters that an unfinished poem can go on with.</summary>
internal sealed class QuatrainSearch
{
    private readonly QuatrainVocabulary _vocabulary;
    private readonly IReadOnlySet<ulong> _trainingLines;
    private readonly QuatrainOptions _options;
    private readonly QuatrainRequest _request;
    private readonly int _length;
    private readonly HashSet<int> _keywords;
    private readonly uint _rhymingPatterns;
    private readonly List<(int Token, int Character, double LogProbability)> _found = [];
    private float[] _ranking = [];

    public QuatrainSearch(QuatrainVocabulary vocabulary, IReadOnlySet<ulong> trainingLines, QuatrainOptions options, QuatrainRequest request)
    {
        (_vocabulary, _trainingLines, _options, _request, _length) = (vocabulary, trainingLines, options, request, request.LineLength);
        _keywords = options.KeywordBonus > 0 ? [.. request.About.EnumerateRunes().Select(rune => rune.Value)] : [];
        for (var i = 0; i < request.Patterns.Length; i++)
            _rhymingPatterns |= request.Patterns[i].FirstLineRhymes ? 1u << i : 0;
    }

    /// <summary>Adds the continuations of an unfinished poem.</summary>
    public void Continue(Draft draft, int text, ReadOnlySpan<float> logits, ref SplitMix64 random, List<Draft> next)
    {
        var place = draft.Characters.Length;
        var normalizer = LogSumExp(logits);
        _found.Clear();
        if (place % _length == 0 && _request.Acrostic.Length > 0)
        {
            var given = _request.Acrostic[place / _length];
            Add(_vocabulary.TokenOf(given), given, logits);
        }
        else
        {
            for (var token = 0; token < logits.Length; token++)
            {
                if (_vocabulary.Characters[token] is not 0 and var character && !IsTaken(draft, character) && Narrow(draft, character, _vocabulary.Readings[token]) != null)
                    Add(token, character, logits);
            }
            KeepLikely();
        }
        foreach (var (token, character, logProbability) in _found)
        {
            // A character of an acrostic has readings, too, if it has no token of its own.
            if (Narrow(draft, character, _vocabulary.Table.Of(character)) is not var (patterns, groups))
                continue;
            int[] characters = [.. draft.Characters, character];
            if ((place + 1) % _length == 0 && IsCopy(characters))
                continue;
            var noise = _options.Temperature > 0 ? -_options.Temperature * Math.Log(-Math.Log(Math.Max(random.NextDouble(), 1e-300))) : 0;
            var bonus = _keywords.Contains(character) && !draft.Characters.Contains(character) ? _options.KeywordBonus : 0;
            next.Add(new Draft(characters, patterns, groups, draft.LogProbability + logProbability, draft.Score + logProbability + bonus + noise, token, text));
        }

        void Add(int token, int character, ReadOnlySpan<float> values) => _found.Add((token, character, values[token] - normalizer));
    }

    /// <summary>Returns what is possible after a character, or null if it breaks a rule or leaves no way to keep one later.</summary>
    private (uint Patterns, uint RhymeGroups)? Narrow(Draft draft, int character, Reading reading) =>
        NarrowByReading(draft, reading) is { } left && (!_options.KeepsRhyme || HasRhymesLeft(draft, character, left.Patterns, left.RhymeGroups)) ? left : null;

    /// <summary>Whether there remain characters to rhyme with, if none may occur twice.</summary>
    private bool HasRhymesLeft(Draft draft, int character, uint patterns, uint groups)
    {
        if (_options.AllowsRepeatedCharacters)
            return true;
        var place = draft.Characters.Length;
        var needed = place >= (4 * _length) - 1 ? 0 : place >= (2 * _length) - 1 ? 1 : place < _length - 1 && _options.KeepsPattern && (patterns & ~_rhymingPatterns) == 0 ? 3 : 2;
        for (var group = 0; group < _vocabulary.RhymingCharacters.Length && needed > 0; group++)
        {
            if (((groups >> group) & 1) == 0)
                continue;
            var missing = needed;
            foreach (var rhyme in _vocabulary.RhymingCharacters[group])
            {
                if (rhyme != character && !IsTaken(draft, rhyme) && --missing == 0)
                    return true;
            }
        }
        return needed == 0;
    }

    /// <summary>Returns what is possible after a reading, or null if it breaks a rule.</summary>
    private (uint Patterns, uint RhymeGroups)? NarrowByReading(Draft draft, Reading reading)
    {
        var place = draft.Characters.Length;
        var (line, isEnd) = (place / _length, place % _length == _length - 1);
        var (patterns, groups) = (draft.Patterns, draft.RhymeGroups);
        if (_options.KeepsPattern)
        {
            if (!reading.IsKnown)
                return null;
            for (var i = 0; i < _request.Patterns.Length; i++)
            {
                if (!reading.Suits(_request.Patterns[i].Tones[place]))
                    patterns &= ~(1u << i);
            }
        }
        if (!isEnd || !_options.KeepsRhyme || line == 2)
            return patterns == 0 ? null : (patterns, groups);
        var rhyme = groups & reading.LevelGroups;
        if (line > 0)
            return patterns == 0 || rhyme == 0 ? null : (patterns, rhyme);
        // The end of the first line decides whether it rhymes.
        if (!_options.KeepsPattern)
            return (patterns, groups);
        if ((patterns & _rhymingPatterns) != 0 && rhyme != 0)
            return (patterns & _rhymingPatterns, rhyme);
        return (patterns & ~_rhymingPatterns) is var others && others == 0 ? null : (others, groups);
    }

    private bool IsTaken(Draft draft, int character) => !_options.AllowsRepeatedCharacters && (draft.Characters.Contains(character) || _request.Acrostic.Contains(character));

    private bool IsCopy(int[] characters)
    {
        var line = characters.AsSpan(characters.Length - _length);
        if (!_options.AllowsTrainingLines && _trainingLines.Contains(QuatrainText.Hash(line)))
            return true;
        for (var start = 0; start < characters.Length - _length; start += _length)
        {
            if (characters.AsSpan(start, _length).SequenceEqual(line))
                return true;
        }
        return false;
    }

    /// <summary>Keeps the most probable ones.</summary>
    private void KeepLikely()
    {
        if (_found.Count <= _options.TopK)
            return;
        if (_ranking.Length < _found.Count)
            _ranking = new float[_vocabulary.Characters.Length];
        for (var i = 0; i < _found.Count; i++)
            _ranking[i] = (float)Wanted(_found[i]);
        var least = QuickSelect.Greatest(_ranking.AsSpan(0, _found.Count), _options.TopK);
        _found.RemoveAll(one => (float)Wanted(one) < least);
    }

    private double Wanted((int Token, int Character, double LogProbability) one) => one.LogProbability + (_keywords.Contains(one.Character) ? _options.KeywordBonus : 0);

    private static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var greatest = System.Numerics.Tensors.TensorPrimitives.Max(logits);
        var sum = 0.0;
        foreach (var logit in logits)
            sum += MathF.Exp(logit - greatest);
        return greatest + Math.Log(sum);
    }
}
