namespace MLExtensions.Families.Quatrains;

/// <summary>Finds what is right and wrong with a poem. Thread-safe.</summary>
internal sealed class QuatrainChecker(RhymeTable table)
{
    public RhymeTable Table => table;

    public QuatrainReport Check(ReadOnlySpan<char> text) => Check(QuatrainText.Lines(text));

    public QuatrainReport Check(List<int[]> lines)
    {
        var characters = lines.SelectMany(line => line).ToArray();
        var repeated = new QuatrainReport
        {
            RepeatedCharacters = characters.Length - characters.Distinct().Count(),
            RepeatedLines = lines.Count - lines.Select(line => QuatrainText.Text(line)).Distinct().Count(),
            UnknownCharacters = characters.Count(character => !table.Of(character).IsKnown),
        };
        if (QuatrainText.WrongForm(lines) is { } wrong)
            return repeated with { Faults = [new QuatrainFault(0, 0, IsRhyme: false, wrong)] };
        var readings = Array.ConvertAll(characters, table.Of);
        var length = lines[0].Length;
        var (first, second, third, last) = (readings[length - 1], readings[(2 * length) - 1], readings[(3 * length) - 1], readings[^1]);
        var rhyme = second.LevelGroups & last.LevelGroups;
        var starts = Enumerable.Range(0, QuatrainPattern.Lines).Select(line => Starts(readings.AsSpan(line * length, length))).ToArray();
        var oblique = third.Suits('Z');
        var order = KeepsOrder(starts, isLevel: true) || KeepsOrder(starts, isLevel: false);
        var nearest = Nearest(readings, length, characters);
        return repeated with
        {
            LineLength = length,
            Pattern = nearest.Faults.Count == 0 ? nearest.Pattern : null,
            NearestPattern = nearest.Pattern,
            Faults = nearest.Faults,
            Rhymes = (second.Groups & last.Groups) != 0,
            RhymesInLevelTone = rhyme != 0,
            FirstLineRhymes = (rhyme & first.LevelGroups) != 0,
            RhymeGroups = rhyme == 0 ? [] : [.. table.LevelGroups.Where((_, place) => ((rhyme >> place) & 1) == 1)],
            ThirdLineIsOblique = oblique,
            Alternates = starts.All(start => start.CanBeLevel || start.CanBeOblique),
            HasOpposition = Opposite(readings[1], readings[length + 1]) && Opposite(readings[(2 * length) + 1], readings[(3 * length) + 1]),
            HasAdhesion = Same(readings[length + 1], readings[(2 * length) + 1]),
            KeepsOrder = order,
            IsRegulated = rhyme != 0 && oblique && order,
            HasThreeLevelTail = Enumerable.Range(1, QuatrainPattern.Lines).Any(line => AllLevel(readings.AsSpan((line * length) - 3, 3))),
            HasSolitaryLevel = Enumerable.Range(1, QuatrainPattern.Lines).Any(line => IsSolitary(readings.AsSpan((line * length) - 5, 5))),
        };
    }

    /// <summary>The tones of the second character with which a line alternates.</summary>
    private static (bool CanBeLevel, bool CanBeOblique) Starts(ReadOnlySpan<Reading> line)
    {
        var (level, oblique) = (true, true);
        for (var place = 1; place < line.Length; place += 2)
        {
            var isTurned = place % 4 == 3;
            level &= line[place].Suits(isTurned ? 'Z' : 'P');
            oblique &= line[place].Suits(isTurned ? 'P' : 'Z');
        }
        return (level, oblique);
    }

    /// <summary>Whether the lines can alternate so that they begin with the tone, the other, the other and the tone.</summary>
    private static bool KeepsOrder((bool CanBeLevel, bool CanBeOblique)[] starts, bool isLevel) =>
        starts.Select((start, line) => (line is 0 or 3) == isLevel ? start.CanBeLevel : start.CanBeOblique).All(can => can);

    private static bool Opposite(Reading one, Reading other) => (one.Suits('P') && other.Suits('Z')) || (one.Suits('Z') && other.Suits('P'));

    private static bool Same(Reading one, Reading other) => (one.Suits('P') && other.Suits('P')) || (one.Suits('Z') && other.Suits('Z'));

    private static bool IsOnly(Reading reading, bool level) => level ? reading is { IsLevel: true, IsOblique: false } : reading is { IsLevel: false, IsOblique: true };

    private static bool AllLevel(ReadOnlySpan<Reading> readings)
    {
        foreach (var reading in readings)
        {
            if (!IsOnly(reading, level: true))
                return false;
        }
        return true;
    }

    /// <param name="end">The last five characters of a line.</param>
    private static bool IsSolitary(ReadOnlySpan<Reading> end) =>
        IsOnly(end[0], level: false) && end[1].IsLevel && IsOnly(end[2], level: false) && IsOnly(end[3], level: false) && end[4].IsLevel;

    private (QuatrainPattern Pattern, List<QuatrainFault> Faults) Nearest(Reading[] readings, int length, int[] characters)
    {
        (QuatrainPattern Pattern, List<QuatrainFault> Faults)? best = null;
        foreach (var pattern in QuatrainPattern.Of(length))
        {
            var faults = FaultsOf(pattern, readings, characters);
            if (best == null || faults.Count < best.Value.Faults.Count)
                best = (pattern, faults);
        }
        return best!.Value;
    }

    private List<QuatrainFault> FaultsOf(QuatrainPattern pattern, Reading[] readings, int[] characters)
    {
        var faults = new List<QuatrainFault>();
        var length = pattern.LineLength;
        for (var place = 0; place < readings.Length; place++)
        {
            if (readings[place].Suits(pattern.Tones[place]))
                continue;
            var (wanted, found) = pattern.Tones[place] == 'P' ? ("level", "oblique") : ("oblique", "level");
            faults.Add(new QuatrainFault((place / length) + 1, (place % length) + 1, IsRhyme: false, FormattableString.Invariant($"line {(place / length) + 1}, character {(place % length) + 1} '{QuatrainText.Text([characters[place]])}': {found}, must be {wanted}")));
        }
        var rhyme = readings[(2 * length) - 1].LevelGroups;
        foreach (var line in pattern.FirstLineRhymes ? new[] { 0, 3 } : [3])
        {
            var end = readings[((line + 1) * length) - 1];
            if ((rhyme & end.LevelGroups) != 0)
            {
                rhyme &= end.LevelGroups;
                continue;
            }
            var (second, own) = (table.NamesOf(rhyme), table.NamesOf(end.LevelGroups));
            faults.Add(new QuatrainFault(line + 1, length, IsRhyme: true, FormattableString.Invariant($"line {line + 1}, character {length} '{QuatrainText.Text([characters[((line + 1) * length) - 1]])}': {(own.Length == 0 ? "no level rhyme" : "rhyme " + own)}, must rhyme with '{QuatrainText.Text([characters[(2 * length) - 1]])}'{(second.Length == 0 ? ", which has no level rhyme" : " in " + second)}")));
        }
        return faults;
    }
}
