using System.Globalization;

namespace MLExtensions.Messages;

/// <summary>Suggests the name that was probably meant.</summary>
internal static class NearestName
{
    /// <summary>Returns <c> Did you mean 'layer1'?</c>, or an empty string if no candidate is similar.</summary>
    public static string Suggest(string name, IEnumerable<string> candidates)
    {
        var nearest = candidates.MinBy(candidate => Distance(name, candidate));
        return nearest != null && Distance(name, nearest) <= Math.Max(2, nearest.Length / 3) ? $" Did you mean '{nearest}'?" : "";
    }

    /// <summary>The number of letters to insert, delete or replace, ignoring case (Levenshtein, 1966).</summary>
    private static int Distance(string a, string b)
    {
        var above = Enumerable.Range(0, b.Length + 1).ToArray();
        foreach (var letter in a)
        {
            var row = new int[above.Length];
            row[0] = above[0] + 1;
            for (var j = 1; j < row.Length; j++)
            {
                var replaced = above[j - 1] + (char.ToLowerInvariant(letter) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(above[j], row[j - 1]) + 1);
            }
            above = row;
        }
        return above[^1];
    }
}

/// <summary>Lists names in messages.</summary>
internal static class NameList
{
    /// <summary>Returns the names, or the first ones and the number of the others; <c>none</c> if there are none.</summary>
    public static string Of(IReadOnlyCollection<string> names, int shown = 10)
    {
        var text = string.Join(", ", names.Take(shown));
        if (names.Count == 0)
            return "none";
        return names.Count > shown ? FormattableString.Invariant($"{text} and {names.Count - shown} more") : text;
    }
}

/// <summary>Lists numbers in messages, in the same way in every culture.</summary>
internal static class NumberList
{
    /// <summary>Returns all numbers.</summary>
    public static string Of<T>(IEnumerable<T> numbers, string separator = ", ")
        where T : IFormattable => string.Join(separator, numbers.Select(number => number.ToString(null, CultureInfo.InvariantCulture)));
}

/// <summary>Names of columns in options.</summary>
internal static class ColumnNames
{
    /// <summary>Checks that a column has another name than others: one would hide the other.</summary>
    /// <param name="name">Its name; null if there is none.</param>
    /// <param name="option">The option with its name.</param>
    /// <param name="others">The names of others, or null, and their options.</param>
    /// <exception cref="ArgumentException">Two are the same; the message names both options.</exception>
    public static void RequireOther(string? name, string option, params (string? Name, string Option)[] others)
    {
        foreach (var other in others)
        {
            if (name != null && name == other.Name)
                throw new ArgumentException($"{option} and {other.Option} are both '{name}'; they must differ.", option);
        }
    }
}

/// <summary>Names rows in messages.</summary>
internal static class RowName
{
    /// <summary>Returns <c>row 3 (the first row is 0)</c>. Other rows of the same message need no remark.</summary>
    public static string Of(long row) => string.Create(CultureInfo.InvariantCulture, $"row {row} (the first row is 0)");
}
