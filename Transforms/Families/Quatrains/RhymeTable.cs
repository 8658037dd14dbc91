using System.Globalization;
using System.Text;

namespace MLExtensions;

/// <summary>One way in which a character is read.</summary>
/// <param name="Tone">平 (level), or 上, 去 or 入 (oblique).</param>
/// <param name="RhymeGroup">One of the 106 Pingshui rhyme groups.</param>
public readonly record struct CharacterReading(string Tone, string RhymeGroup);

/// <summary>The tones and rhyme groups of characters, by the Pingshui rhymes (平水韻) that regulated verse keeps. Immutable.</summary>
/// <remarks>
/// <para>
/// The built-in table has 24,027 readings of 19,541 traditional characters. It was made from the Guangyun table of nk2028/tshet-uinh-data,
/// which is in the public domain (CC0 1.0): its 206 rhymes are merged into 106.
/// </para>
/// <para>A character with several readings may be used in any of them.</para>
/// </remarks>
public sealed class RhymeTable
{
    internal const int MaximumGroups = 128;
    internal const int MaximumLevelGroups = 32;
    private const string Level = "平";
    private const string Resource = "MLExtensions.Families.Quatrains.rhyme-table.txt";
    private const string Tones = "平上去入";

    private static readonly Lazy<RhymeTable> BuiltIn = new(ReadResource);

    private readonly Dictionary<int, Reading> _readings = [];
    private readonly List<(string Tone, string Name)> _groups = [];
    private readonly List<int> _levelGroups = [];

    private RhymeTable(TextReader text, string source)
    {
        for (var line = 1; text.ReadLine() is { } row; line++)
        {
            if (row.Length > 0 && row[0] != '#')
                Add(row, line, source);
        }
        if (_levelGroups.Count == 0)
            throw new FormatException($"{source} has no reading in the level tone, {Level}; nothing could rhyme.");
    }

    /// <summary>The built-in table.</summary>
    public static RhymeTable Default => BuiltIn.Value;

    /// <summary>The names of the rhyme groups of the level tone, in which quatrains rhyme: 30 in the built-in table.</summary>
    public IReadOnlyList<string> LevelGroups => [.. _levelGroups.Select(group => _groups[group].Name)];

    /// <summary>The number of characters.</summary>
    public int Count => _readings.Count;

    /// <summary>
    /// Reads a table from a UTF-8 file with three columns, divided by tabs: a character (or several), a tone (平, 上, 去 or 入) and a rhyme
    /// group; or the tone first, the group, and then the characters. Lines that begin with # and the header <c>char</c> are skipped.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FormatException">A line is no reading; the message names the line.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static RhymeTable Load(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"The rhyme table '{path}' does not exist.", path);
        using var text = new StreamReader(path);
        return new RhymeTable(text, $"'{path}'");
    }

    /// <summary>Returns the readings of a character; none if the table does not have it.</summary>
    /// <param name="character">One character.</param>
    public IReadOnlyList<CharacterReading> ReadingsOf(string character)
    {
        ArgumentException.ThrowIfNullOrEmpty(character);
        Rune.DecodeFromUtf16(character, out var rune, out _);
        var reading = Of(rune.Value);
        return [.. Enumerable.Range(0, _groups.Count).Where(group => ((reading.Groups >> group) & 1) == 1).Select(group => new CharacterReading(_groups[group].Tone, _groups[group].Name))];
    }

    internal static RhymeTable Parse(string text, string source) => new(new StringReader(text), source);

    /// <summary>The readings of a character together; those of unknown characters are none.</summary>
    internal Reading Of(int character) => _readings.GetValueOrDefault(character);

    /// <summary>The names of groups of the level tone, such as 支 and 微.</summary>
    internal string NamesOf(uint levelGroups) => string.Join(" or ", LevelGroups.Where((_, place) => ((levelGroups >> place) & 1) == 1));

    /// <summary>The place of a level group among them; -1 if there is none of that name.</summary>
    internal int PlaceOf(string levelGroup) => _levelGroups.FindIndex(group => _groups[group].Name == levelGroup);

    /// <summary>The characters that rhyme in a level group.</summary>
    internal IEnumerable<int> CharactersOf(int place) => _readings.Where(pair => ((pair.Value.LevelGroups >> place) & 1) == 1).Select(pair => pair.Key);

    /// <summary>Writes the table so that <see cref="Parse"/> reads it.</summary>
    internal string Write()
    {
        var text = new StringBuilder();
        for (var group = 0; group < _groups.Count; group++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{_groups[group].Tone}\t{_groups[group].Name}\t");
            foreach (var character in _readings.Where(pair => ((pair.Value.Groups >> group) & 1) == 1).Select(pair => pair.Key).Order())
                text.Append(new Rune(character).ToString());
            text.Append('\n');
        }
        return text.ToString();
    }

    private static RhymeTable ReadResource()
    {
        using var stream = typeof(RhymeTable).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"The assembly has no resource {Resource}.");
        using var text = new StreamReader(stream);
        return new RhymeTable(text, "The built-in rhyme table");
    }

    private void Add(string row, int line, string source)
    {
        var parts = row.Split('\t');
        if (line == 1 && parts[0] == "char")
            return;
        if (parts.Length != 3 || parts.Any(part => part.Length == 0))
            throw Wrong("it must have three columns: characters, tone and rhyme group");
        var (characters, tone, name) = Tones.Contains(parts[0], StringComparison.Ordinal) ? (parts[2], parts[0], parts[1]) : (parts[0], parts[1], parts[2]);
        if (tone.Length != 1 || !Tones.Contains(tone, StringComparison.Ordinal))
            throw Wrong($"its tone is '{tone}'; it must be one of 平, 上, 去 and 入");
        var group = GroupOf(tone, name, Wrong);
        var isLevel = tone == Level;
        foreach (var character in characters.EnumerateRunes())
        {
            var known = _readings.GetValueOrDefault(character.Value);
            _readings[character.Value] = new Reading(
                known.IsLevel || isLevel,
                known.IsOblique || !isLevel,
                known.LevelGroups | (isLevel ? 1u << _levelGroups.IndexOf(group) : 0),
                known.Groups | (UInt128.One << group));
        }

        FormatException Wrong(string reason) => new(FormattableString.Invariant($"{source}, line {line}: '{row[..Math.Min(row.Length, 40)]}': {reason}."));
    }

    private int GroupOf(string tone, string name, Func<string, FormatException> wrong)
    {
        var group = _groups.IndexOf((tone, name));
        if (group >= 0)
            return group;
        if (_groups.Count == MaximumGroups || (tone == Level && _levelGroups.Count == MaximumLevelGroups))
            throw wrong(FormattableString.Invariant($"there are more than {MaximumGroups} rhyme groups, or more than {MaximumLevelGroups} of the level tone"));
        _groups.Add((tone, name));
        if (tone == Level)
            _levelGroups.Add(_groups.Count - 1);
        return _groups.Count - 1;
    }
}

/// <summary>All readings of a character together.</summary>
/// <param name="IsLevel">Whether one of them is in the level tone.</param>
/// <param name="IsOblique">Whether one of them is in another tone.</param>
/// <param name="LevelGroups">The rhyme groups of the level tone, a bit each.</param>
/// <param name="Groups">All rhyme groups, a bit each.</param>
internal readonly record struct Reading(bool IsLevel, bool IsOblique, uint LevelGroups, UInt128 Groups)
{
    /// <summary>Whether the table has the character.</summary>
    public bool IsKnown => IsLevel || IsOblique;

    /// <summary>Whether a reading suits a place of a pattern: P for level, Z for oblique, A for any. Of unknown characters nothing is known against it.</summary>
    public bool Suits(char place) => place == 'A' || !IsKnown || (place == 'P' ? IsLevel : IsOblique);
}
