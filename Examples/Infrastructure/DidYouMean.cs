namespace MLExtensions.Examples.Infrastructure;

/// <summary>Finds the word that was probably meant.</summary>
internal static class DidYouMean
{
    /// <summary><c> Did you mean 'digits'?</c>, or nothing where no candidate is near.</summary>
    public static string Suggest(string word, IEnumerable<string> candidates)
    {
        var nearest = candidates.MinBy(candidate => Distance(word, candidate));
        return nearest != null && Distance(word, nearest) <= Math.Max(2, nearest.Length / 3) ? $" Did you mean '{nearest}'?" : "";
    }

    /// <summary>The number of letters to insert, delete or replace (Levenshtein, 1966), whatever their case.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
