using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>What is right and wrong with a poem as a regulated quatrain.</summary>
/// <remarks>
/// A character with several readings may be read in whichever suits; one that the table does not have suits any tone and no rhyme. All
/// that is said of tones and rhymes of a text that is no quatrain is false.
/// </remarks>
public sealed record QuatrainReport
{
    /// <summary>The number of characters of a line, 5 or 7; 0 if the text is no quatrain.</summary>
    public int LineLength { get; init; }

    /// <summary>Whether the text has four lines of five or four of seven characters.</summary>
    public bool IsQuatrain => LineLength > 0;

    /// <summary>The pattern that every tone and rhyme keeps; null if there is none.</summary>
    public QuatrainPattern? Pattern { get; init; }

    /// <summary>The pattern with the fewest faults, the first one if there are several; null if the text is no quatrain.</summary>
    public QuatrainPattern? NearestPattern { get; init; }

    /// <summary>
    /// Whether the poem keeps the rules, without regard to a pattern's fixed places: <see cref="KeepsOrder"/>, <see cref="RhymesInLevelTone"/> and <see cref="ThirdLineIsOblique"/>.
    /// </summary>
    public bool IsRegulated { get; init; }

    /// <summary>Whether lines 2 and 4 end in a common rhyme group, whatever its tone.</summary>
    public bool Rhymes { get; init; }

    /// <summary>Whether lines 2 and 4 end in a common rhyme group of the level tone.</summary>
    public bool RhymesInLevelTone { get; init; }

    /// <summary>Whether line 1 rhymes with lines 2 and 4 in the level tone.</summary>
    public bool FirstLineRhymes { get; init; }

    /// <summary>The rhyme groups of the level tone in which lines 2 and 4 rhyme, such as 支; empty if they do not.</summary>
    public IReadOnlyList<string> RhymeGroups { get; init; } = [];

    /// <summary>Whether line 3 ends in an oblique tone.</summary>
    public bool ThirdLineIsOblique { get; init; }

    /// <summary>Whether the second, fourth and sixth characters of each line alternate between level and oblique.</summary>
    public bool Alternates { get; init; }

    /// <summary>Opposition (對): whether the second characters of lines 1 and 2, and of lines 3 and 4, have opposite tones.</summary>
    public bool HasOpposition { get; init; }

    /// <summary>Adhesion (粘): whether the second characters of lines 2 and 3 have the same tone.</summary>
    public bool HasAdhesion { get; init; }

    /// <summary>Whether all lines alternate, with opposition and adhesion, in one way of reading.</summary>
    public bool KeepsOrder { get; init; }

    /// <summary>Whether a line ends in three level tones, which cannot be read otherwise (三平調).</summary>
    public bool HasThreeLevelTail { get; init; }

    /// <summary>Whether a line 平平仄仄平 begins in an oblique tone, so that its only level tone besides the rhyme stands alone (孤平).</summary>
    public bool HasSolitaryLevel { get; init; }

    /// <summary>The number of characters that were there before, each time.</summary>
    public int RepeatedCharacters { get; init; }

    /// <summary>The number of lines that were there before, each time.</summary>
    public int RepeatedLines { get; init; }

    /// <summary>The number of characters that the table does not have.</summary>
    public int UnknownCharacters { get; init; }

    /// <summary>The faults against <see cref="NearestPattern"/>; what is wrong with the form of a text that is no quatrain.</summary>
    public IReadOnlyList<QuatrainFault> Faults { get; init; } = [];

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(QuatrainReport), PrintMembers);
}

/// <summary>A fault of a poem.</summary>
/// <param name="Line">The line, from 1; 0 if the text is no quatrain.</param>
/// <param name="Place">The place in the line, from 1; 0 if the text is no quatrain.</param>
/// <param name="IsRhyme">Whether the rhyme is wrong; otherwise it is the tone.</param>
/// <param name="Message">What is wrong and what would be right.</param>
public sealed record QuatrainFault(int Line, int Place, bool IsRhyme, string Message)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(QuatrainFault), PrintMembers);
}
